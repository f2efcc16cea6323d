package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;
import static org.jooq.impl.DSL.max;

import dev.cambium.ledger.merkle.CompactRange;
import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jooq.Cursor;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record2;
import org.jooq.Record3;
import org.jooq.Table;
import org.jooq.exception.DataAccessException;

/*
 * The order of a move, and what a process that dies in between leaves:
 *
 *   1  the target says INCOMING                     the source takes records; the target none
 *   2  records are copied, a transaction a batch    the same; doing it again goes on from there
 *   3  the source's writers are kept out, the rest
 *      is copied, everything is compared            the same
 *   4  the source says MOVED (one transaction)      nobody takes records; doing it again goes on
 *   5  the target says nothing any more             the target takes records
 *
 * At no time do both take records, so the log cannot fork.
 */

/** Moves the records of an ecosystem to another store. */
public final class StoreMove {

  /** Records of one transaction. */
  static final int BATCH = 1_000;

  /**
   * What was moved.
   *
   * @param records in the log, each compared with where it came from
   * @param copied how many of them this call copied; the others were there already
   * @param checkpoints compared, too
   * @param root of the Merkle tree, the same in both stores and as signed; none of an empty log
   */
  public record Moved(long records, long copied, long checkpoints, Optional<Digest> root) {}

  private final StoreAddress from;
  private final StoreAddress to;
  private final Connector source;
  private final Connector target;
  private final LogKey key;
  private final InstantSource clock;
  private final Progress progress;
  private final int batch;

  private StoreMove(
      Path directory,
      StoreAddress from,
      StoreAddress to,
      InstantSource clock,
      Progress progress,
      int batch) {
    this.from = from;
    this.to = to;
    this.source = from.connector(directory);
    this.target = to.connector(directory);
    this.key = LogKey.load(directory.resolve(Ledger.HOME).resolve(Ledger.KEYS));
    this.clock = clock;
    this.progress = progress;
    this.batch = batch;
  }

  /**
   * Moves the records. The source stays as it was, apart from a note that says where they went, and
   * takes no more of them afterwards. If a call dies, another with the same addresses goes on;
   * after the move is done, another changes nothing.
   *
   * @param directory the ecosystem's
   * @throws LockedException if somebody is at work on the ecosystem
   * @throws LedgerException if the target holds something else, a record is not what it should be,
   *     or a database fails; the source then takes records as before, unless it was moved already
   */
  public static Moved move(
      Path directory, StoreAddress from, StoreAddress to, InstantSource clock, Progress progress) {
    return move(directory, from, to, clock, progress, BATCH);
  }

  static Moved move(
      Path directory,
      StoreAddress from,
      StoreAddress to,
      InstantSource clock,
      Progress progress,
      int batch) {
    if (from.toString().equals(to.toString())) {
      throw new IllegalArgumentException("the ledger lies in " + to + " already");
    }
    StoreMove move = new StoreMove(directory, from, to, clock, progress, batch);
    try (EcosystemLock lock =
            EcosystemLock.acquire(directory, move.source, "cambium migrate-store", clock);
        Connector.Held there = move.target.lock("cambium migrate-store")) {
      Objects.requireNonNull(lock);
      Objects.requireNonNull(there);
      return move.run(directory);
    } catch (SQLException | DataAccessException e) {
      throw new LedgerException(
          "the move from "
              + from
              + " to "
              + to
              + " is not done: "
              + e.getMessage()
              + ". Do it again to go on; nothing is lost",
          e);
    }
  }

  /**
   * Gives up a move, or takes away a mark that no move left: the ledger stays where it is, and
   * takes records again. Asks the other store that the mark names first, so that never two take
   * records.
   *
   * @param at where the ledger lies
   * @param peerIsLost whether a store that cannot be reached is gone for good
   * @return whether anything kept the ledger from taking records
   * @throws LedgerException if the other store takes records of this ledger or, unless it is lost,
   *     cannot be reached; or if the ledger here is damaged
   */
  public static boolean stay(
      Path directory, StoreAddress at, boolean peerIsLost, InstantSource clock) {
    Connector here = at.connector(directory);
    try (EcosystemLock lock =
            EcosystemLock.acquire(directory, here, "cambium migrate-store", clock);
        Ledger ledger = Ledger.openToVerify(directory, at, clock);
        Connection writing = here.writer()) {
      Objects.requireNonNull(lock);
      DSLContext dsl = Database.dsl(writing, here.dialect());
      if (StoreState.finding(dsl).isEmpty()) {
        return false;
      }
      VerificationReport report = ledger.verifyWhileMoving();
      if (!report.intact()) {
        throw new LedgerException(
            here.where() + " does not verify; run cambium verify: " + report.findings().get(0));
      }
      requireIdle(directory, ledger, named(dsl), peerIsLost, clock);
      inTransaction(here, writing, () -> StoreState.clear(dsl));
      return true;
    } catch (SQLException | DataAccessException e) {
      throw new LedgerException(at + ": " + e.getMessage(), e);
    }
  }

  /** The store that a mark names; none if the mark, or the address in it, is none. */
  private static Optional<StoreAddress> named(DSLContext dsl) {
    try {
      return StoreState.of(dsl).map(state -> StoreAddress.of(state.peer(), System.getenv()));
    } catch (LedgerException | IllegalArgumentException e) {
      return Optional.empty(); // No move wrote it.
    }
  }

  private static void requireIdle(
      Path directory,
      Ledger ledger,
      Optional<StoreAddress> named,
      boolean peerIsLost,
      InstantSource clock) {
    if (named.isEmpty()) {
      return;
    }
    StoreAddress peer = named.get();
    try {
      if (!Ledger.exists(directory, peer)) {
        return;
      }
    } catch (LedgerException e) {
      if (peerIsLost) {
        return;
      }
      throw new LedgerException(
          e.getMessage()
              + ". It may hold newer records of this ledger; if it is gone for good, say so with"
              + " --peer-is-lost",
          e);
    }
    long size;
    try (Ledger other = Ledger.open(directory, peer, clock)) {
      size = other.state().size();
    } catch (LedgerException e) {
      return; // It takes no records, or is another ecosystem's.
    }
    throw new LedgerException(
        "the ledger in "
            + peer
            + " takes records: it has "
            + size
            + " and the one here "
            + ledger.state().size()
            + ". Set the ecosystem's store to "
            + peer);
  }

  private Moved run(Path directory) throws SQLException {
    if (!source.exists()) {
      throw new LedgerException("there is no ledger in " + source.where() + " to move");
    }
    if (to.isLocal()) {
      createHome(directory);
    }
    Database.migrate(source);
    Database.migrate(target);
    try (Connection reading = source.reader();
        Connection closing = source.writer();
        Connection writing = target.writer()) {
      reading.setAutoCommit(false);
      return run(reading, closing, writing);
    }
  }

  private static void createHome(Path directory) {
    try {
      Files.createDirectories(directory.resolve(Ledger.HOME));
    } catch (IOException e) {
      throw new LedgerException("cannot write to " + directory + ": " + e, e);
    }
  }

  private Moved run(Connection reading, Connection closing, Connection writing)
      throws SQLException {
    DSLContext snapshot = Database.dsl(reading, source.dialect());
    DSLContext there = Database.dsl(writing, target.dialect());
    Optional<StoreState> left = StoreState.of(snapshot);
    Optional<StoreState> found = StoreState.of(there);
    boolean switched = left.equals(Optional.of(moved()));
    if (left.isPresent() && !switched) {
      StoreState.requireLive(snapshot, from.toString());
    }
    long held = LedgerState.size(there);
    if (switched && found.isEmpty()) {
      return summary(there, 0); // Only the declaration was not changed yet.
    }
    if (found.isEmpty() && held > 0) {
      throw new LedgerException(
          target.where() + " holds a ledger of " + held + " records already; nothing was moved");
    }
    inTransaction(
        target,
        writing,
        () -> {
          incoming().set(there);
          requireSame(snapshot, there, held);
        });
    long size = LedgerState.size(snapshot);
    Prepared prepared = new Prepared(there);
    copyBatches(snapshot, prepared, there, held, size);

    // Nobody appends to the source from here on.
    DSLContext last = Database.dsl(closing, source.dialect());
    inTransaction(
        source,
        closing,
        () -> {
          long all = LedgerState.size(last);
          copyBatches(last, prepared, there, size, all);
          inTransaction(target, writing, () -> requireSame(last, there, all));
          verify();
          moved().set(last);
        });
    inTransaction(target, writing, () -> StoreState.clear(there));
    return summary(there, LedgerState.size(there) - held);
  }

  private void copyBatches(
      DSLContext here, Prepared writing, DSLContext there, long from, long size)
      throws SQLException {
    for (long at = from; at < size; at += batch) {
      long begin = at;
      long end = Math.min(size, at + batch);
      inTransaction(target, writing.connection(), () -> copy(here, writing, there, begin, end));
      progress.at("Moving records", end, size, "");
    }
  }

  private StoreState incoming() {
    return new StoreState(StoreState.Phase.INCOMING, from.toString());
  }

  private StoreState moved() {
    return new StoreState(StoreState.Phase.MOVED, to.toString());
  }

  private interface Work {
    void run() throws SQLException;
  }

  private static void inTransaction(Connector connector, Connection connection, Work work)
      throws SQLException {
    connector.begin(connection);
    try {
      work.run();
      connection.commit();
      connection.setAutoCommit(true);
    } catch (SQLException | RuntimeException e) {
      Database.close(connection);
      throw e;
    }
  }

  /** Copies records, with the checkpoints that cover them, and replays them. */
  private void copy(DSLContext here, Prepared writing, DSLContext there, long begin, long end) {
    CompactRange tree = LedgerState.in(there).overTree(nodes -> CompactRange.load(begin, nodes));
    SqlProjections projections = new SqlProjections(writing);
    Projector projector = new Projector(projections);
    long expected = begin;
    for (Record3<Long, String, String> row :
        here.select(IDX, LEAF, HASH)
            .from(LOG_RECORD)
            .where(IDX.ge(begin), IDX.lt(end))
            .orderBy(IDX)
            .fetch()) {
      long index = row.value1();
      Digest hash = MerkleHash.leaf(row.value2().getBytes(StandardCharsets.UTF_8));
      if (index != expected++) {
        throw damaged("record " + (expected - 1) + " is missing");
      }
      if (!hash.hex().equals(row.value3())) {
        throw damaged("record " + index + " is not what its hash says");
      }
      projections.record(index, row.value2(), hash);
      tree.append(hash, projections::node);
      projector.apply(LedgerState.parse(row.value2()));
    }
    for (Record2<Long, String> note :
        here.select(SIZE, NOTE)
            .from(LOG_CHECKPOINT)
            .where(SIZE.gt(begin), SIZE.le(end))
            .orderBy(SIZE)
            .fetch()) {
      projections.checkpoint(note.value1(), note.value2());
    }
    projections.flush();
  }

  private LedgerException damaged(String what) {
    return new LedgerException(
        source.where() + ": " + what + "; run cambium verify. Nothing was moved");
  }

  /** Requires that the first records of both stores are the same, and so their checkpoints. */
  private void requireSame(DSLContext here, DSLContext there, long size) {
    requireSame(here, there, LOG_RECORD, IDX, List.of(LEAF, HASH), size - 1);
    requireSame(here, there, LOG_CHECKPOINT, SIZE, List.of(NOTE), size);
  }

  private void requireSame(
      DSLContext here,
      DSLContext there,
      Table<?> table,
      Field<Long> key,
      List<Field<String>> values,
      long last) {
    try (Cursor<?> ours = rows(here, table, key, values, last);
        Cursor<?> theirs = rows(there, table, key, values, last)) {
      Iterator<?> left = ours.iterator();
      Iterator<?> right = theirs.iterator();
      while (left.hasNext() || right.hasNext()) {
        Object expected = left.hasNext() ? left.next() : "no more";
        Object found = right.hasNext() ? right.next() : "no more";
        if (!expected.equals(found)) {
          throw new LedgerException(
              target.where()
                  + " holds another log: where "
                  + source.where()
                  + " has\n"
                  + expected
                  + "\nit has\n"
                  + found
                  + "\nNothing was moved; name an empty database, or remove what is there");
        }
      }
    }
  }

  private static Cursor<?> rows(
      DSLContext dsl, Table<?> table, Field<Long> key, List<Field<String>> values, long last) {
    return dsl.select(key)
        .select(values)
        .from(table)
        .where(key.le(last))
        .orderBy(key)
        .fetchSize(Verification.FETCH_SIZE)
        .fetchLazy();
  }

  /** Recomputes all that the target holds: tree, signatures, projections. */
  private void verify() {
    try (Ledger ledger = new Ledger(target, key, clock)) {
      VerificationReport report = ledger.verifyWhileMoving();
      if (!report.intact()) {
        throw damaged("what was copied does not verify: " + report.findings().get(0));
      }
    }
  }

  private static Moved summary(DSLContext there, long copied) {
    long records = LedgerState.size(there);
    Long checkpoints = (long) there.fetchCount(LOG_CHECKPOINT);
    Long newest = there.select(max(SIZE)).from(LOG_CHECKPOINT).fetchOne(max(SIZE));
    return new Moved(
        records,
        copied,
        checkpoints,
        newest == null
            ? Optional.empty()
            : Optional.of(
                LedgerState.in(there).overTree(nodes -> CompactRange.load(records, nodes).root())));
  }
}
