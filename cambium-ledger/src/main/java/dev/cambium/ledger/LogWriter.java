package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;
import static org.jooq.impl.DSL.selectOne;

import dev.cambium.ledger.merkle.CompactRange;
import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Record;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/**
 * Writes records, the projections that they change, the Merkle tree and a signed checkpoint, in
 * transactions that follow one another: the only one in this process to write the log.
 */
final class LogWriter implements AutoCloseable {

  /** Records after which a long append writes what it can. */
  private static final int FLUSH = 64;

  private final Connector connector;
  private final LogKey key;
  private final InstantSource clock;
  private final GroupCommit appends = new GroupCommit(this::commit);

  /** Closed and forgotten after any failure that may have left it in an unknown state. */
  private @Nullable Prepared writer;

  /** What the last append of this process left. */
  private @Nullable Head head;

  private boolean closed;

  LogWriter(Connector connector, LogKey key, InstantSource clock) {
    this.connector = connector;
    this.key = key;
    this.clock = clock;
  }

  /** A record with its leaf. */
  private record Written(Record record, String leaf, Digest hash) {

    static Written of(Record record) {
      byte[] leaf = Json.canonical(record);
      requireStable(record, leaf);
      return new Written(record, new String(leaf, StandardCharsets.UTF_8), MerkleHash.leaf(leaf));
    }
  }

  /**
   * The end of the log.
   *
   * @param note the newest checkpoint, empty before the first; the rest is as it says
   * @param time of the last record
   * @param projections with what was asked and written already
   */
  private record Head(String note, CompactRange tree, Instant time, SqlProjections projections) {}

  /** Writes an append, with others or by itself; see {@link Ledger#append}. */
  List<Record> append(Append append) {
    return appends.write(append);
  }

  /** See {@link Ledger#rotateKey}. */
  synchronized VerifierKey rotateKey(String actor, String reason) {
    SigningKey successor = key.successor();
    Fact fact =
        new Fact.KeyRotated(key.verifier().toString(), successor.verifier().toString(), reason);
    try {
      Append rotation = new Append(actor, List.of(fact), List.of());
      commit(List.of(rotation), Optional.of(successor));
      rotation.answer();
    } catch (UnknownOutcomeException e) {
      throw e; // its files may be needed
    } catch (RuntimeException e) {
      key.abandon(successor);
      throw e;
    }
    key.adopt(successor);
    return successor.verifier();
  }

  /** See {@link Ledger#awaitWriters}. */
  synchronized void awaitOthers() {
    try {
      connector.begin(writer().connection());
      rollback();
    } catch (SQLException e) {
      discard();
      throw Database.failure(connector, "cannot wait for writers", e);
    }
  }

  private synchronized void commit(List<Append> group) {
    commit(group, Optional.empty());
  }

  /**
   * Writes appends in one transaction, and answers each. Where one of several is refused, or the
   * database fails before the commit, each is written by itself, so that each has its own answer.
   */
  private void commit(List<Append> group, Optional<SigningKey> successor) {
    Prepared prepared;
    List<Written> written;
    try {
      prepared = writer();
      connector.begin(prepared.connection());
      written = write(prepared, group, successor);
      connector.requireInPlace();
    } catch (SQLException | RuntimeException | Error e) {
      if (e instanceof LedgerException) {
        rollback();
      } else {
        discard();
      }
      if (group.size() == 1) {
        group.get(0).fail(refused(e));
      } else {
        group.forEach(append -> commit(List.of(append), successor));
      }
      return;
    }
    try {
      connector.commit(prepared.connection());
    } catch (SQLException e) {
      discard();
      try {
        settleOutcome(written, e);
      } catch (LedgerException known) {
        group.forEach(append -> append.fail(known));
        return;
      }
    }
    connector.committed(prepared.connection(), written.size());
    Iterator<Record> records = written.stream().map(Written::record).iterator();
    group.forEach(append -> append.succeed(records));
  }

  /** What the caller of an append is told of a failure before the commit. */
  private Throwable refused(Throwable failure) {
    return failure instanceof SQLException || failure instanceof DataAccessException
        ? Database.failure(connector, "nothing was recorded", (Exception) failure)
        : failure;
  }

  private List<Written> write(Prepared prepared, List<Append> group, Optional<SigningKey> successor)
      throws SQLException {
    DSLContext dsl = prepared.dsl();
    Head end = end(prepared);
    SqlProjections projections = end.projections();
    SigningKey signer = key.signer(projections.signingKey());
    CompactRange tree = end.tree();
    Instant time = end.time();
    List<Written> written = new ArrayList<>();
    for (Append append : group) {
      projections.flush(); // what is asked now is about all that the ones before it wrote
      Preconditions.check(LedgerState.in(dsl), append.preconditions());
      head = null; // what it holds changes now
      Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
      time = now.isAfter(time) ? now : time;
      write(append, time, tree, projections, written);
    }
    Checkpoint checkpoint = new Checkpoint(signer.verifier().name(), tree.size(), tree.root());
    String note =
        successor
            .map(next -> checkpoint.sign(signer, next))
            .orElseGet(() -> checkpoint.sign(signer));
    projections.checkpoint(tree.size(), note);
    projections.flush();
    // If this does not come in, the newest note will be another.
    head = new Head(note, tree, time, projections);
    return written;
  }

  /** Writes the records of one append, and adds them to what is written. */
  private static void write(
      Append append,
      Instant time,
      CompactRange tree,
      SqlProjections projections,
      List<Written> written) {
    Projector projector = new Projector(projections);
    List<Record> records = new ArrayList<>(append.facts().size());
    for (Fact fact : append.facts()) {
      records.add(new Record(tree.size() + records.size(), time, append.actor(), fact));
    }
    Ahead<Record, Written> prepare = Ahead.of(records, Written::of);
    while (prepare.hasNext()) {
      Written next = prepare.next();
      projections.record(next.record().index(), next.leaf(), next.hash());
      tree.append(next.hash(), projections::node);
      projector.apply(next.record());
      written.add(next);
      if (written.size() % FLUSH == 0) {
        projections.flushUnasked();
      }
    }
  }

  /** The end of the log as it is now: what the last append left, unless somebody wrote since. */
  private Head end(Prepared prepared) throws SQLException {
    SqlProjections.Newest newest = SqlProjections.newest(prepared);
    if (newest.isMoving()) {
      StoreState.requireLive(prepared.dsl(), connector.where());
    }
    Head known = head;
    if (known == null || !known.note().equals(newest.note()) || known.projections().areMany()) {
      known = read(prepared, newest.note());
      head = known;
    }
    return known;
  }

  private static Head read(Prepared prepared, String note) {
    LedgerState now = LedgerState.in(prepared.dsl());
    long size = now.size();
    return new Head(
        note,
        now.overTree(nodes -> CompactRange.load(size, nodes)),
        size == 0 ? Instant.MIN : LedgerState.parse(now.leaf(size - 1)).time(),
        new SqlProjections(prepared));
  }

  /**
   * What cannot be read back as it was written must not get into a log that is for good. Facts are
   * values: what is equal is written alike.
   */
  private static void requireStable(Record record, byte[] leaf) {
    Record reread;
    try {
      reread = Json.read(leaf, Record.class);
    } catch (IllegalArgumentException e) {
      throw new InvalidFactException(
          "a fact that could not be read back: " + record.fact() + ": " + e.getMessage());
    }
    if (!reread.equals(record)) {
      throw new InvalidFactException(
          "a fact that would be read back differently (" + reread.fact() + "): " + record.fact());
    }
  }

  /**
   * Returns if the records are in after all. Looks as the writer: where the answer got lost, the
   * server may still be committing, and only its successor as the writer sees what became of it.
   */
  private void settleOutcome(List<Written> written, SQLException failure) {
    boolean in;
    try {
      Connection connection = connector.writer();
      try {
        connector.begin(connection);
        DSLContext dsl = Database.dsl(connection, connector.dialect());
        in = written.stream().allMatch(w -> holds(dsl, w));
        connection.rollback();
      } finally {
        Database.close(connection);
      }
    } catch (SQLException | DataAccessException | LedgerException e) {
      e.addSuppressed(failure);
      throw new UnknownOutcomeException(
          "the database failed while committing records "
              + written.get(0).record().index()
              + " to "
              + written.get(written.size() - 1).record().index()
              + " and cannot be read: whether they are in is unknown; open the ledger again and"
              + " look ("
              + failure.getMessage()
              + ")",
          e);
    }
    if (!in) {
      throw Database.failure(connector, "nothing was recorded: the commit failed", failure);
    }
  }

  private static boolean holds(DSLContext dsl, Written written) {
    return dsl.fetchExists(
        selectOne()
            .from(LOG_RECORD)
            .where(IDX.eq(written.record().index()), HASH.eq(written.hash().hex())));
  }

  private Prepared writer() throws SQLException {
    if (closed) {
      throw new IllegalStateException("the ledger is closed");
    }
    Prepared current = writer;
    if (current != null && !connector.usable(current.connection())) {
      discard();
      current = null;
    }
    if (current == null) {
      current = new Prepared(Database.dsl(connector.writer(), connector.dialect()));
      writer = current;
    }
    return current;
  }

  private void rollback() {
    Prepared current = writer;
    if (current == null) {
      return;
    }
    try {
      current.connection().rollback();
      current.connection().setAutoCommit(true);
    } catch (SQLException e) {
      discard();
    }
  }

  private void discard() {
    Prepared current = writer;
    writer = null;
    head = null; // it asks over this connection
    if (current != null) {
      Database.close(current.connection());
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    connector.close();
    discard();
  }
}
