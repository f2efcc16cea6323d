package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;
import static org.jooq.impl.DSL.max;
import static org.jooq.impl.DSL.min;

import dev.cambium.ledger.VerificationReport.Finding;
import dev.cambium.ledger.VerificationReport.Severity;
import dev.cambium.ledger.merkle.CompactRange;
import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Record;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jooq.Condition;
import org.jooq.Cursor;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record2;
import org.jooq.Record3;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/**
 * Recomputes everything that a ledger says. One pass over the records in their order hashes each,
 * grows the tree, holds it against every checkpoint on the way and replays the facts into a scratch
 * database; then the derived tables of both databases are compared row by row, and every artifact
 * that a record names is looked at. Cursors and the scratch database keep the memory constant,
 * however long the log is.
 *
 * <p>Where a leaf is not what its stored hash says, the tree goes on with the stored hash: if the
 * signed root agrees with that, the leaf alone was altered, and it is the only one to be named. If
 * stored hashes were altered too, the first checkpoint that no longer fits names the records that
 * were signed with it and not before.
 */
final class Verification {

  static final int FETCH_SIZE = 500;

  /** More than anybody reads, and few enough to hold. */
  static final int MAX_FINDINGS = 1000;

  private static final int NAMED_FACTS = 8;

  private static final String HISTORY =
      "select installed_rank, version, description, type, script, checksum"
          + " from flyway_schema_history where success";

  private static final List<String> FILE_CONTENTS =
      List.of(
          "select type, name, tbl_name, sql from sqlite_master",
          "select installed_rank, version, description, type, script, checksum, success"
              + " from flyway_schema_history");

  private final DSLContext live;
  private final DSLContext scratch;
  private final VerifierKey key;
  private final ArtifactCheck artifactCheck;
  private final List<Checkpoint> witnessed;

  private final Projector projector;
  private final CompactRange tree = new CompactRange();
  private final List<Finding> findings = new ArrayList<>();
  private long omitted;

  /** Whether a record that was read is not what was recorded, or is missing. */
  private boolean recordsDamaged;

  /** Whether a record is missing, so that the tree can no longer be recomputed. */
  private boolean treeLost;

  private boolean rootDamaged;
  private long laterRootsDamaged;

  private KeyHistory keys;

  private long records;
  private long checkpoints;
  private long rows;
  private long artifacts;

  /** The largest size at which a checkpoint that was kept elsewhere agrees. */
  private long witnessedUpTo;

  /** The size of the last checkpoint read, and the facts after it, as far as they are named. */
  private long covered;

  private final List<String> factsSinceCheckpoint = new ArrayList<>();

  Verification(
      DSLContext live,
      DSLContext scratch,
      VerifierKey key,
      ArtifactCheck artifactCheck,
      List<Checkpoint> witnessed) {
    this.live = live;
    this.scratch = scratch;
    this.key = key;
    this.keys = KeyHistory.of(key);
    this.artifactCheck = artifactCheck;
    this.witnessed = List.copyOf(witnessed);
    this.projector = new Projector(scratch);
  }

  /**
   * @param inUse whether the store should take records: no move of the ledger is begun or done
   */
  VerificationReport run(boolean inUse) {
    keys = keys();
    checkLog();
    if (!keys.current().equals(key)) {
      error(null, null, "signing key", key.toString(), keys.current() + ", as the records say");
    }
    for (Derived derived : DERIVED) {
      if (derived.table() != LOG_NODE || !treeLost) {
        compare(derived);
      }
    }
    checkFile();
    if (inUse) {
      StoreState.finding(live)
          .ifPresent(found -> error(null, null, "table store_state", "no row", found));
    }
    checkArtifacts();
    return new VerificationReport(records, checkpoints, rows, artifacts, findings, omitted);
  }

  // ---------------------------------------------------------------------------------- the log

  private void checkLog() {
    try (Cursor<Record3<Long, String, String>> leaves =
            live.select(IDX, LEAF, HASH)
                .from(LOG_RECORD)
                .orderBy(IDX)
                .fetchSize(FETCH_SIZE)
                .fetchLazy();
        Cursor<Record2<Long, String>> notes =
            live.select(SIZE, NOTE)
                .from(LOG_CHECKPOINT)
                .orderBy(SIZE)
                .fetchSize(FETCH_SIZE)
                .fetchLazy()) {
      Iterator<Record2<Long, String>> signed = notes.iterator();
      Record2<Long, String> note = next(signed);
      long expected = 0;
      Instant last = Instant.MIN;
      for (Record3<Long, String, String> row : leaves) {
        records++;
        long index = row.value1();
        if (index < expected) {
          error(index, null, "index", expected + " or more", Long.toString(index));
          recordsDamaged = true;
          continue;
        }
        if (index > expected) {
          reportMissing(expected, index - 1);
          // No checkpoint within the gap or after it can be recomputed.
          while (note != null && note.value1() <= index) {
            checkSignature(note);
            note = next(signed);
          }
        }
        expected = index + 1;
        last = checkRecord(index, row.value2(), row.value3(), last);
        while (note != null && note.value1() <= expected) {
          checkCheckpoint(note, expected);
          note = next(signed);
        }
        checkWitness(expected);
      }
      if (note != null) {
        Long signedSize = live.select(max(SIZE)).from(LOG_CHECKPOINT).fetchOne(max(SIZE));
        reportMissing(expected, Math.max(expected, signedSize == null ? 0 : signedSize - 1));
      }
      while (note != null) {
        checkSignature(note);
        note = next(signed);
      }
      reportUncovered(expected);
      reportWitnessBeyond(expected);
    }
    if (laterRootsDamaged > 0) {
      warning(
          null,
          null,
          "roots of later checkpoints",
          "those signed",
          laterRootsDamaged + " others, as they cover the same records");
    }
  }

  /** Returns the time of the record, or what was passed if it cannot be read. */
  private Instant checkRecord(long index, String leaf, String storedHash, Instant last) {
    byte[] bytes = leaf.getBytes(StandardCharsets.UTF_8);
    Record record = null;
    String unreadable = null;
    try {
      record = Json.read(bytes, Record.class);
    } catch (IllegalArgumentException e) {
      unreadable = String.valueOf(e.getMessage());
    }
    String fact = record == null ? null : factType(record.fact());
    if (factsSinceCheckpoint.size() < NAMED_FACTS) {
      factsSinceCheckpoint.add(fact == null ? "unreadable" : fact);
    }
    Digest computed = MerkleHash.leaf(bytes);
    Digest stored = digest(storedHash).orElse(computed);
    if (!computed.hex().equals(storedHash)) {
      error(index, fact, "hash of the leaf", storedHash, computed.hex());
      recordsDamaged = true;
    }
    if (!treeLost) {
      tree.append(
          stored, (level, position, hash) -> Ledger.insertNode(scratch, level, position, hash));
    }
    if (record == null) {
      error(index, null, "leaf", "a record", unreadable + " in: " + shortened(leaf));
      recordsDamaged = true;
      return last;
    }
    if (!Arrays.equals(Json.canonical(record), bytes)) {
      error(
          index,
          fact,
          "form of the leaf",
          new String(Json.canonical(record), StandardCharsets.UTF_8),
          leaf);
      recordsDamaged = true;
    }
    if (record.index() != index) {
      error(index, fact, "index in the leaf", Long.toString(index), "" + record.index());
      recordsDamaged = true;
    }
    if (record.time().isBefore(last)) {
      error(index, fact, "time", last + " or later", record.time().toString());
      recordsDamaged = true;
    }
    try {
      projector.apply(new Record(index, record.time(), record.actor(), record.fact()));
    } catch (InvalidFactException | DataAccessException e) {
      report(
          recordsDamaged ? Severity.WARNING : Severity.ERROR,
          index,
          fact,
          "history",
          "a fact that follows from the records before it",
          String.valueOf(e.getMessage()));
      recordsDamaged = true;
    }
    return record.time();
  }

  private void reportMissing(long from, long to) {
    error(
        from,
        null,
        from == to ? "record" : "records " + from + " to " + to,
        "in the log",
        "missing");
    recordsDamaged = true;
    treeLost = true;
  }

  /** Checks a checkpoint against the tree of the records so far. */
  private void checkCheckpoint(Record2<Long, String> row, long size) {
    long rowSize = row.value1();
    Optional<Checkpoint> checkpoint = checkSignature(row);
    if (checkpoint.isPresent() && rowSize == size && !treeLost) {
      String root = checkpoint.get().root().hex();
      String computed = tree.root().hex();
      if (!root.equals(computed) && !rootDamaged) {
        error(
            covered < size ? covered : size - 1,
            factsSinceCheckpoint.isEmpty() ? null : factsSinceCheckpoint.get(0),
            "root of the checkpoint of size " + size + coveredRecords(size),
            root,
            computed);
        rootDamaged = true;
        recordsDamaged = true;
      } else if (!root.equals(computed)) {
        laterRootsDamaged++;
      }
    }
    covered = size;
    factsSinceCheckpoint.clear();
  }

  /** Checks a checkpoint's signature and that it is of the size that it is filed under. */
  private Optional<Checkpoint> checkSignature(Record2<Long, String> row) {
    long size = row.value1();
    checkpoints++;
    long first = Math.max(0, size - 1);
    try {
      List<VerifierKey> signers = keys.signers(size);
      Checkpoint checkpoint = Checkpoint.open(row.value2(), signers.get(0));
      for (VerifierKey signer : signers.subList(1, signers.size())) {
        Checkpoint.open(row.value2(), signer);
      }
      int signatures = SignedNote.parse(row.value2()).signatures();
      if (signatures != signers.size()) {
        throw new IllegalArgumentException(signatures + " signatures, not " + signers.size());
      }
      if (checkpoint.size() == size) {
        return Optional.of(checkpoint);
      }
      error(
          first,
          factType(first),
          "checkpoint of size " + size,
          "a checkpoint of that size",
          "one of size " + checkpoint.size());
    } catch (IllegalArgumentException e) {
      error(
          first,
          factType(first),
          "checkpoint of size " + size,
          "signed by " + key.name(),
          String.valueOf(e.getMessage()));
    }
    return Optional.empty();
  }

  private String coveredRecords(long size) {
    if (size - covered <= 1) {
      return "";
    }
    String facts = String.join(", ", factsSinceCheckpoint);
    return " (first to cover records "
        + covered
        + " to "
        + (size - 1)
        + ": "
        + facts
        + (size - covered > factsSinceCheckpoint.size() ? ", …" : "")
        + ")";
  }

  private void reportUncovered(long size) {
    if (covered >= size) {
      return;
    }
    for (long index = covered; index < Math.min(size, covered + NAMED_FACTS); index++) {
      error(
          index,
          factType(index),
          "signature",
          "a checkpoint that covers it",
          "the newest checkpoint has size " + covered + ", the log " + size);
    }
    if (size - covered > NAMED_FACTS) {
      error(
          covered + NAMED_FACTS,
          null,
          "signatures up to record " + (size - 1),
          "checkpoints that cover them",
          "none");
    }
  }

  private void checkWitness(long size) {
    for (Checkpoint witness : witnessed) {
      if (witness.size() != size || treeLost) {
        continue;
      }
      String root = witness.root().hex();
      if (root.equals(tree.root().hex())) {
        witnessedUpTo = size;
      } else {
        error(
            null,
            null,
            "history before record "
                + size
                + (witnessedUpTo == 0 ? "" : ", from record " + witnessedUpTo + " on"),
            "the root " + root + " of the checkpoint that was kept elsewhere",
            tree.root().hex());
      }
    }
  }

  private void reportWitnessBeyond(long size) {
    for (Checkpoint witness : witnessed) {
      if (witness.size() > size) {
        error(
            size,
            null,
            "size of the log",
            "at least " + witness.size() + ", as the checkpoint says that was kept elsewhere",
            Long.toString(size));
      }
    }
  }

  /**
   * The keys as the log's records tell, whatever the table of keys says. Records that cannot be
   * read are reported where they are checked; the key that is held then stands for all.
   */
  private KeyHistory keys() {
    List<Recorded<Fact.KeyRotated>> rotations = new ArrayList<>();
    try (Cursor<Record2<Long, String>> leaves =
        live.select(IDX, LEAF)
            .from(LOG_RECORD)
            .where(LEAF.contains("\"fact\":\"key-rotated\""))
            .orderBy(IDX)
            .fetchSize(FETCH_SIZE)
            .fetchLazy()) {
      for (Record2<Long, String> row : leaves) {
        Record record = LedgerState.parse(row.value2());
        if (record.fact() instanceof Fact.KeyRotated rotated) {
          rotations.add(new Recorded<>(row.value1(), record.time(), record.actor(), rotated));
        }
      }
      return KeyHistory.of(key, rotations);
    } catch (IllegalArgumentException | LedgerException e) {
      return KeyHistory.of(key);
    }
  }

  // -------------------------------------------------------------------------- derived tables

  private void compare(Derived derived) {
    List<Field<?>> columns = new ArrayList<>(derived.key());
    columns.addAll(derived.values());
    boolean differs = false;
    long count = 0;
    try (Cursor<org.jooq.Record> cursor =
        live.select(columns).from(derived.table()).fetchSize(FETCH_SIZE).fetchLazy()) {
      for (org.jooq.Record row : cursor) {
        count++;
        Optional<org.jooq.Record> replayed = lookup(scratch, derived, columns, row);
        if (replayed.isEmpty() || !replayed.get().equals(row)) {
          differs = true;
          reportRow(derived, row, replayed.map(Verification::describe).orElse("no such row"), row);
        }
      }
    }
    rows += count;
    if (!differs && scratch.fetchCount(derived.table()) == count) {
      return;
    }
    try (Cursor<org.jooq.Record> cursor =
        scratch.select(columns).from(derived.table()).fetchSize(FETCH_SIZE).fetchLazy()) {
      for (org.jooq.Record row : cursor) {
        if (lookup(live, derived, columns, row).isEmpty()) {
          reportRow(derived, row, describe(row), null);
        }
      }
    }
  }

  private static Optional<org.jooq.Record> lookup(
      DSLContext dsl, Derived derived, List<Field<?>> columns, org.jooq.Record row) {
    Condition key = DSL.noCondition();
    for (Field<?> column : derived.key()) {
      key = key.and(equal(column, row));
    }
    return dsl.select(columns).from(derived.table()).where(key).fetchOptional();
  }

  private static <T> Condition equal(Field<T> column, org.jooq.Record row) {
    return column.eq(row.get(column));
  }

  private void reportRow(
      Derived derived, org.jooq.Record row, String expected, org.jooq.@Nullable Record found) {
    Long index =
        derived.table() == LOG_NODE
            // The last leaf below the node is the one that completed it.
            ? Long.valueOf(((row.get(POSITION) + 1) << row.get(LEVEL)) - 1)
            : row.get(RECORD_IDX);
    report(
        recordsDamaged ? Severity.WARNING : Severity.ERROR,
        index,
        index == null ? null : factType(index),
        "row of table " + derived.name(),
        expected,
        found == null ? "no such row" : describe(found));
  }

  private static String describe(org.jooq.Record row) {
    return IntStream.range(0, row.size())
        .mapToObj(i -> row.field(i).getName() + "=" + row.get(i))
        .collect(Collectors.joining(", ", "(", ")"));
  }

  // --------------------------------------------------------------------------------- the file

  /**
   * What the rows do not show: that indexes agree with their tables, that the file's structure is
   * sound, and that the schema is the one that the migration scripts make.
   */
  private void checkFile() {
    boolean file = live.dialect() == SQLDialect.SQLITE;
    if (file) {
      for (String problem : live.fetch("pragma integrity_check(20)").getValues(0, String.class)) {
        if (!problem.equals("ok")) {
          error(null, null, "structure of the database ledger.db", "sound", problem);
        }
      }
    }
    // Over a server, the structure of its files is the server's own concern.
    for (String sql : file ? FILE_CONTENTS : List.of(HISTORY)) {
      List<String> expected = lines(scratch, sql);
      List<String> found = lines(live, sql);
      for (String line : found) {
        if (!expected.remove(line)) {
          error(null, null, "schema of the database ledger.db", "as its scripts make it", line);
        }
      }
      for (String line : expected) {
        error(null, null, "schema of the database ledger.db", line, "no such entry");
      }
    }
  }

  private static List<String> lines(DSLContext dsl, String sql) {
    return dsl.fetch(sql).stream()
        .map(row -> row.intoList().toString())
        .collect(Collectors.toCollection(ArrayList::new));
  }

  // -------------------------------------------------------------------------------- artifacts

  private void checkArtifacts() {
    try (Cursor<Record2<String, Long>> cursor =
        scratch
            .select(DIGEST, min(RECORD_IDX))
            .from(ARTIFACT)
            .groupBy(DIGEST)
            .orderBy(DIGEST)
            .fetchSize(FETCH_SIZE)
            .fetchLazy()) {
      for (Record2<String, Long> row : cursor) {
        artifacts++;
        Digest digest = new Digest(row.value1());
        artifactCheck
            .problem(digest)
            .ifPresent(
                problem ->
                    error(
                        row.value2(),
                        factType(row.value2()),
                        "artifact",
                        digest.toString(),
                        problem));
      }
    }
  }

  // ---------------------------------------------------------------------------------- helpers

  /** The written form of a kind of fact. */
  static String factType(Fact fact) {
    return Json.mapper().valueToTree(fact).path("fact").asText();
  }

  private @Nullable String factType(long index) {
    return live.select(LEAF)
        .from(LOG_RECORD)
        .where(IDX.eq(index))
        .fetchOptional(LEAF)
        .map(
            leaf -> {
              try {
                return factType(LedgerState.parse(leaf).fact());
              } catch (LedgerException e) {
                return "unreadable";
              }
            })
        .orElse(null);
  }

  private static <T> @Nullable T next(Iterator<T> iterator) {
    return iterator.hasNext() ? iterator.next() : null;
  }

  private static Optional<Digest> digest(String hex) {
    try {
      return Optional.of(new Digest(hex));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static String shortened(String text) {
    return text.length() <= 200 ? text : text.substring(0, 200) + "…";
  }

  private void error(
      @Nullable Long index, @Nullable String fact, String subject, String expected, String found) {
    report(Severity.ERROR, index, fact, subject, expected, found);
  }

  private void warning(
      @Nullable Long index, @Nullable String fact, String subject, String expected, String found) {
    report(Severity.WARNING, index, fact, subject, expected, found);
  }

  private void report(
      Severity severity,
      @Nullable Long index,
      @Nullable String fact,
      String subject,
      String expected,
      String found) {
    if (findings.size() == MAX_FINDINGS) {
      omitted++;
    } else {
      findings.add(new Finding(severity, index, fact, subject, expected, found));
    }
  }
}
