package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;
import static org.jooq.impl.DSL.selectOne;

import dev.cambium.ledger.merkle.Proofs;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Record;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of an ecosystem and the state that follows from it.
 *
 * <p>{@link #append} writes records, the projections that they change, the Merkle tree and a signed
 * checkpoint in one transaction: either all of it is durable when it returns, or nothing happened.
 * Two processes may hold the same ledger open; of two that expect the same state, one wins. All
 * methods may be called from any thread. Appends of one process follow one another; those that
 * waited for the same commit to end share the next one, and its checkpoint (group commit).
 *
 * <p>On disk, under {@code .cambium/}: {@value #DATABASE} (SQLite, with its {@code -wal} and {@code
 * -shm} beside it while it is open) and {@code key/}.
 */
public final class Ledger implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);

  static final String HOME = ".cambium";
  static final String DATABASE = "ledger.db";
  static final String KEYS = "key";

  private final Connector connector;
  private final Database database;
  private final LogKey key;
  private final LogWriter writer;
  private final LedgerState state;

  Ledger(Connector connector, LogKey key, InstantSource clock) {
    this.connector = connector;
    this.database = new Database(connector);
    this.key = key;
    this.writer = new LogWriter(connector, key, clock);
    this.state = new LedgerState(database);
  }

  /** Makes an empty ledger in the ecosystem's own directory; see the other {@code create}. */
  public static Ledger create(Path directory, InstantSource clock) {
    return create(directory, StoreAddress.local(), clock);
  }

  /**
   * Makes an empty ledger with a new signing key, or with the one that is there if making it was
   * once begun.
   *
   * @param directory the ecosystem's, which keeps the key
   * @param address where the records are to lie
   * @throws LedgerException if there is one already, or it cannot be written
   */
  public static Ledger create(Path directory, StoreAddress address, InstantSource clock) {
    Path home = directory.resolve(HOME);
    Connector connector = address.connector(directory);
    if (exists(connector)) {
      throw new LedgerException(
          "there is a ledger already: "
              + connector.where()
              + (address.isLocal()
                  ? ""
                  : "; to work with it from here, copy "
                      + home.resolve(KEYS)
                      + " from where it was made"));
    }
    try {
      Files.createDirectories(home);
    } catch (IOException e) {
      throw new LedgerException("cannot create " + home + ": " + e, e);
    }
    if (!address.isLocal()) {
      connect(connector); // before anything is written
    }
    Path keys = home.resolve(KEYS);
    LogKey key =
        Files.exists(keys.resolve(SigningKey.PRIVATE_FILE))
            ? LogKey.load(keys)
            : LogKey.generate(keys);
    Database.migrate(connector);
    return new Ledger(connector, key, clock);
  }

  /** Opens the ledger in the ecosystem's own directory; see the other {@code open}. */
  public static Ledger open(Path directory, InstantSource clock) {
    return open(directory, StoreAddress.local(), clock);
  }

  /**
   * Opens a ledger, bringing its schema up to date.
   *
   * @param directory the ecosystem's
   * @param address where its records lie
   * @throws LedgerException if there is none, it was moved elsewhere, a newer Cambium made it, or
   *     its key is not usable
   */
  public static Ledger open(Path directory, StoreAddress address, InstantSource clock) {
    return open(directory, address, clock, UnaryOperator.identity());
  }

  /**
   * As the other {@code open}, with something between the ledger and its database: how a failing
   * disk, a lost reply or a crash at any write is simulated.
   *
   * @param between is given what opens the database's connections, and returns what to use instead
   */
  public static Ledger open(
      Path directory, StoreAddress address, InstantSource clock, UnaryOperator<Connector> between) {
    Ledger ledger = openAsItIs(directory, address, clock, between);
    try {
      ledger.database.read(
          dsl -> {
            StoreState.requireLive(dsl, address.toString());
            return dsl;
          });
      return ledger;
    } catch (RuntimeException e) {
      ledger.close();
      throw e;
    }
  }

  /**
   * As {@code open}, also where a move of the ledger has begun or is done, or a table says so, and
   * where the records contradict the key or one another: {@link #verify} then tells where, and what
   * to do. Such a ledger takes no records.
   */
  public static Ledger openToVerify(Path directory, StoreAddress address, InstantSource clock) {
    Ledger ledger = openUnread(directory, address, clock, UnaryOperator.identity());
    try {
      ledger.database.upgrade();
      try {
        ledger.takeUpKey();
      } catch (LedgerException e) {
        if (ledger.isForeign()) {
          throw e;
        }
        LOG.debug("left to verify: {}", e.getMessage());
      }
      return ledger;
    } catch (RuntimeException e) {
      ledger.close();
      throw e;
    }
  }

  private static Ledger openAsItIs(
      Path directory, StoreAddress address, InstantSource clock, UnaryOperator<Connector> between) {
    Ledger ledger = openUnread(directory, address, clock, between);
    try {
      ledger.database.upgrade();
      ledger.takeUpKey();
      return ledger;
    } catch (RuntimeException e) {
      ledger.close();
      throw e;
    }
  }

  /** Checks that the log is the key's, and takes up the key that it is signed with now. */
  private void takeUpKey() {
    database.read(
        dsl -> {
          LedgerState now = LedgerState.in(dsl);
          now.checkpoint().ifPresent(this::requireOwn);
          key.signer(now.signingKey());
          return dsl;
        });
  }

  /** Whether what is signed is all signed by other names than the key's. */
  private boolean isForeign() {
    return database.read(
        dsl ->
            dsl.fetchExists(LOG_CHECKPOINT)
                && !dsl.fetchExists(
                    selectOne()
                        .from(LOG_CHECKPOINT)
                        .where(NOTE.startsWith(key.verifier().name() + "\n"))));
  }

  private static Ledger openUnread(
      Path directory, StoreAddress address, InstantSource clock, UnaryOperator<Connector> between) {
    Connector connector = between.apply(address.connector(directory));
    if (!exists(connector)) {
      throw new LedgerException(
          "no ecosystem in "
              + directory
              + ": "
              + (address.isLocal()
                  ? connector.where() + " does not exist; make one with: cambium init"
                  : connector.where()
                      + " holds no ledger; move the one that there is with cambium migrate-store"
                      + " --to URL, or make one with: cambium init"));
    }
    return new Ledger(connector, LogKey.load(directory.resolve(HOME).resolve(KEYS)), clock);
  }

  /** A log that another key signs is another ecosystem's, whatever the address says. */
  private void requireOwn(String note) {
    String own = key.verifier().name();
    if (!note.startsWith(own + "\n")) {
      throw new LedgerException(
          connector.where()
              + " holds the log "
              + note.lines().findFirst().orElse("without a name")
              + ", and the key here is of "
              + own
              + ": the store's address is that of another ecosystem");
    }
  }

  private static boolean exists(Connector connector) {
    try {
      return connector.exists();
    } catch (SQLException e) {
      throw unreachable(connector, e);
    }
  }

  private static void connect(Connector connector) {
    try {
      Database.close(connector.writer());
    } catch (SQLException e) {
      throw unreachable(connector, e);
    }
  }

  private static LedgerException unreachable(Connector connector, SQLException e) {
    return new LedgerException(
        "cannot use the ledger's database "
            + connector.where()
            + ": "
            + e.getMessage()
            + " (user and password are taken from "
            + StoreAddress.USER_VARIABLE
            + " and "
            + StoreAddress.PASSWORD_VARIABLE
            + ")",
        e);
  }

  /** Whether a directory is an ecosystem's, wherever its records lie. */
  public static boolean exists(Path directory) {
    Path home = directory.resolve(HOME);
    return Files.isRegularFile(home.resolve(DATABASE))
        || Files.isRegularFile(home.resolve(KEYS).resolve(SigningKey.PUBLIC_FILE));
  }

  /**
   * Whether there is a ledger at an address.
   *
   * @throws LedgerException if its database cannot be reached
   */
  public static boolean exists(Path directory, StoreAddress address) {
    return exists(address.connector(directory));
  }

  Connector connector() {
    return connector;
  }

  /** The newest state; see {@link LedgerState}. */
  public LedgerState state() {
    return state;
  }

  /** Asks several questions of one snapshot of the state. Do not let the state escape. */
  public <T> T read(Function<LedgerState, T> questions) {
    return database.read(dsl -> questions.apply(LedgerState.in(dsl)));
  }

  /** The keys that the log was and is signed with. */
  public KeyHistory keys() {
    return KeyHistory.of(key.verifier(), state.keyRotations());
  }

  /** The public key that the log's checkpoints are signed with now. */
  public VerifierKey verifierKey() {
    return key.verifier();
  }

  /**
   * Appends facts, all of them or none, in order, with one time and one checkpoint.
   *
   * <p>The time is the clock's, to the millisecond; when the clock is behind the last record's time
   * it is that one, so that times never run backwards in the log.
   *
   * @param actor who did it
   * @param facts at least one
   * @param preconditions what must hold just before
   * @return the records as written
   * @throws ConflictException if a precondition does not hold; it says what was found
   * @throws InvalidFactException if a fact contradicts what is recorded
   * @throws UnknownOutcomeException if nobody knows whether the records are in
   * @throws LedgerException if the database fails, and the records are not in
   */
  public List<Record> append(
      String actor, List<? extends Fact> facts, List<? extends Precondition> preconditions) {
    if (facts.isEmpty()) {
      throw new IllegalArgumentException("nothing to append");
    }
    if (actor.isBlank()) {
      throw new IllegalArgumentException("a record needs an actor");
    }
    if (facts.stream().anyMatch(Fact.KeyRotated.class::isInstance)) {
      throw new IllegalArgumentException("a key is replaced by rotateKey");
    }
    return writer.append(new Append(actor, facts, preconditions));
  }

  /**
   * Replaces the key that signs the log by a new one. The old private key is gone afterwards.
   *
   * @param reason for people
   * @return the new key, for everybody who checks the log
   * @throws InvalidFactException if another process replaced the key meanwhile
   */
  public VerifierKey rotateKey(String actor, String reason) {
    return writer.rotateKey(actor, reason);
  }

  /**
   * Waits until no append is under way, in whatever process: what was begun before is then to be
   * seen, or did not happen.
   *
   * @throws LedgerException if the database fails, or somebody writes for too long
   */
  public void awaitWriters() {
    writer.awaitOthers();
  }

  /**
   * Records the result of an action, unless one is recorded for its key already.
   *
   * @param kept that what the action made is in the artifact store
   * @return the record that counts: this fact's, or the earlier one
   */
  public Recorded<Fact.ActionFinished> remember(
      String actor, Fact.ActionFinished fact, Precondition.ArtifactsRenewed kept) {
    try {
      List<Record> records =
          append(actor, List.of(fact), List.of(new Precondition.ActionAbsent(fact.action()), kept));
      return Recorded.of(records.get(0), Fact.ActionFinished.class);
    } catch (ConflictException e) {
      return state.action(fact.action()).orElseThrow(() -> e);
    }
  }

  /**
   * Recomputes everything: leaves, hashes, tree, checkpoints, signatures, history, projections, and
   * whether every artifact that a record names is there. Takes time in proportion to the log, and
   * memory of up to a hundred bytes a record; writers may go on meanwhile.
   *
   * <p>A ledger that was put back as a whole to an earlier state of itself is intact: to notice
   * that, keep a checkpoint elsewhere and use {@link #verify(ArtifactCheck, List)}.
   */
  public VerificationReport verify(ArtifactCheck artifacts) {
    return verify(artifacts, List.of());
  }

  /**
   * Like {@link #verify(ArtifactCheck)}, and that the log continues what it once was.
   *
   * @param witnesses checkpoints of this log that were kept elsewhere
   */
  public VerificationReport verify(ArtifactCheck artifacts, List<Witness> witnesses) {
    return verify(artifacts, witnesses, true);
  }

  /** Like {@link #verify(ArtifactCheck)}, for a move that knows what the store's state is. */
  VerificationReport verifyWhileMoving() {
    return verify(ArtifactCheck.NONE, List.of(), false);
  }

  private VerificationReport verify(
      ArtifactCheck artifacts, List<Witness> witnesses, boolean live) {
    VerifierKey current = key.verifier();
    FutureTask<Verification> rest =
        new FutureTask<>(
            () ->
                database.read(
                    dsl ->
                        new Verification(dsl, current, ArtifactCheck.NONE, List.of()).rest(live)));
    Thread beside = new Thread(rest, "ledger file check");
    beside.setDaemon(true);
    beside.start();
    try {
      return database.read(dsl -> new Verification(dsl, current, artifacts, witnesses).run(rest));
    } finally {
      awaitEnd(beside); // nothing may close the database under it
    }
  }

  private static void awaitEnd(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Replays every record from the first into an empty state, as {@link #verify} does, and looks at
   * nothing else: no hash, no signature, no table.
   *
   * @return how many there are
   * @throws InvalidFactException if one contradicts those before it
   * @throws LedgerException if one cannot be read
   */
  public long replay() {
    return database.read(dsl -> Verification.replay(Database.connection(dsl)));
  }

  /** Proves that a record is in the log of a size; see {@link Proofs#includes}. */
  public List<Digest> proveInclusion(long index, long size) {
    return state.overTree(nodes -> Proofs.inclusion(index, size, nodes));
  }

  /** Proves that the log of one size is the beginning of that of another. */
  public List<Digest> proveConsistency(long earlier, long later) {
    return state.overTree(nodes -> Proofs.consistency(earlier, later, nodes));
  }

  /**
   * A proof that a record is in the log, checkable without the log.
   *
   * @param size of the checkpoint that it leads to; empty for the newest one
   * @throws IllegalArgumentException if there is no such record, or no checkpoint of that size
   */
  public RecordProof prove(long index, OptionalLong size) {
    return read(
        now -> {
          String note =
              (size.isPresent() ? now.checkpoint(size.getAsLong()) : now.checkpoint())
                  .orElseThrow(
                      () ->
                          new IllegalArgumentException(
                              size.isPresent()
                                  ? "no checkpoint of size " + size.getAsLong() + " was signed"
                                  : "the log is empty"));
          long covered = Checkpoint.parse(SignedNote.parse(note).text()).size();
          if (index < 0 || index >= covered) {
            throw new IllegalArgumentException(
                "no record " + index + " in the log of size " + covered);
          }
          return new RecordProof(
              index,
              now.leaf(index).getBytes(StandardCharsets.UTF_8),
              now.overTree(nodes -> Proofs.inclusion(index, covered, nodes)),
              note);
        });
  }

  /**
   * A proof that the log continues what it was at an earlier checkpoint.
   *
   * @param earlier its size
   */
  public ConsistencyProof proveSince(long earlier) {
    return read(
        now -> {
          String note =
              now.checkpoint().orElseThrow(() -> new IllegalArgumentException("the log is empty"));
          long size = Checkpoint.parse(SignedNote.parse(note).text()).size();
          return new ConsistencyProof(
              earlier, now.overTree(nodes -> Proofs.consistency(earlier, size, nodes)), note);
        });
  }

  /** Signs a message of some type with the log's key; see {@link Envelope}. */
  public Envelope sign(String payloadType, byte[] payload) {
    return Envelope.sign(payloadType, payload, read(now -> key.signer(now.signingKey())));
  }

  @Override
  public void close() {
    database.close();
    writer.close(); // last, so that what its log holds gets into the file
  }
}
