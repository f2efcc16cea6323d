package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;
import static org.jooq.impl.DSL.max;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import dev.cambium.ledger.RowCheck.Difference;
import dev.cambium.ledger.Schema.Relation;
import dev.cambium.ledger.VerificationReport.Finding;
import dev.cambium.ledger.VerificationReport.Severity;
import dev.cambium.ledger.merkle.CompactRange;
import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.ledger.merkle.Tiles;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Record;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jooq.Cursor;
import org.jooq.DSLContext;
import org.jooq.Record2;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/**
 * Recomputes everything that a ledger says. One pass over the records in their order hashes each,
 * grows the tree, holds it against every checkpoint on the way, replays the facts and holds the
 * rows that follow from them against those that are there; then every artifact that a record names
 * is looked at. Records and rows are read beside each other and not kept; what later records may
 * refer to is, in up to a hundred bytes a record. Parsing, hashing and signatures are the work of
 * all cores; the file itself is looked at meanwhile, on a connection and by an instance of its own.
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

  /** Checkpoints whose signatures are checked at once by one core. */
  private static final int SIGNATURES = 16;

  private static final Map<Class<?>, String> FACT_TYPES =
      Arrays.stream(Fact.class.getAnnotation(JsonSubTypes.class).value())
          .collect(Collectors.toUnmodifiableMap(JsonSubTypes.Type::value, JsonSubTypes.Type::name));

  private static final String HISTORY =
      "select installed_rank, version, description, type, script, checksum"
          + " from flyway_schema_history where success";

  private static final String TABLES =
      "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'";

  private static final List<String> FILE_CONTENTS =
      List.of(
          "select type, name, tbl_name, sql from sqlite_master",
          "select installed_rank, version, description, type, script, checksum, success"
              + " from flyway_schema_history");

  private final DSLContext live;
  private final Connection connection;
  private final VerifierKey key;
  private final ArtifactCheck artifactCheck;
  private final List<Witness> witnesses;

  private final Projections state =
      new Projections() {
        @Override
        protected void write(Relation relation, Object[] row) {
          rowCheck().expect(relation, row);
        }
      };

  private final Projector projector = new Projector(state);
  private @Nullable RowCheck rowCheck;
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

  /** The largest size whose checkpoint two keys sign although no record says so; 0 for none. */
  private long rotationLost;

  /** Whether that has been looked for: only where a signature does not hold. */
  private boolean rotationsCompared;

  /** Checkpoints that were kept elsewhere, the smallest first. */
  private List<Checkpoint> witnessed = List.of();

  /** The record that is read next. */
  private long reached;

  private long records;
  private long checkpoints;
  private long artifacts;

  /** The largest size at which a checkpoint that was kept elsewhere agrees. */
  private long witnessedUpTo;

  /** The size of the last checkpoint read, and the facts after it, as far as they are named. */
  private long covered;

  private final List<String> factsSinceCheckpoint = new ArrayList<>();

  Verification(
      DSLContext live, VerifierKey key, ArtifactCheck artifactCheck, List<Witness> witnesses) {
    this.live = live;
    this.connection = Database.connection(live);
    this.key = key;
    this.keys = KeyHistory.of(key);
    this.artifactCheck = artifactCheck;
    this.witnesses = List.copyOf(witnesses);
  }

  /**
   * Looks at the records and at all that follows from them.
   *
   * @param rest what {@link #rest} finds, on another connection meanwhile
   */
  VerificationReport run(Future<Verification> rest) {
    keys = keys();
    List<Finding> unopened = openWitnesses();
    try (RowCheck check = new RowCheck(connection)) {
      rowCheck = check;
      try {
        checkLog();
        check.end(state, !treeLost);
      } catch (SQLException | DataAccessException e) {
        reportUnreadable(e);
      }
      findings.addAll(unopened);
      if (!keys.current().equals(key)) {
        error(null, null, "signing key", key.toString(), keys.current() + ", as the records say");
      }
      check.differences().forEach(this::reportRow);
      take(rest);
      try {
        checkArtifacts(check);
      } catch (SQLException e) {
        error(null, null, "table artifact", "readable", String.valueOf(e.getMessage()));
      }
      return new VerificationReport(
          records, checkpoints, check.rows(), artifacts, findings, omitted);
    } catch (SQLException e) { // it could not even begin
      reportUnreadable(e);
      take(rest);
      return new VerificationReport(records, checkpoints, 0, artifacts, findings, omitted);
    }
  }

  private void take(Future<Verification> rest) {
    Verification found;
    try {
      found = Ahead.result(rest);
    } catch (LedgerException e) {
      error(null, null, "the database ledger.db", "readable", String.valueOf(e.getMessage()));
      return;
    }
    for (Finding finding : found.findings) {
      report(finding);
    }
    omitted += found.omitted;
  }

  /**
   * Looks at what no row shows: the file, the schema, and whether the store is in use.
   *
   * @param inUse whether the store should take records: no move of the ledger is begun or done
   */
  Verification rest(boolean inUse) {
    checkRest(inUse);
    return this;
  }

  private void checkRest(boolean inUse) {
    try (Scratch made = new Scratch()) {
      readable("the database ledger.db", () -> checkFile(made.dsl()));
      if (live.dialect() == SQLDialect.SQLITE) {
        readable("the database ledger.db", () -> checkTypes(made.dsl()));
      }
    }
    if (inUse) {
      readable(
          "table store_state",
          () ->
              StoreState.finding(live)
                  .ifPresent(found -> error(null, null, "table store_state", "no row", found)));
    }
  }

  /** Rows are read ahead: what cannot be read may be some way behind the record that is named. */
  private void reportUnreadable(Exception e) {
    error(
        reached,
        null,
        "record, or one after it, or what follows from these",
        "readable",
        e instanceof DataAccessException failure ? cause(failure) : String.valueOf(e.getMessage()));
    recordsDamaged = true;
    treeLost = true;
  }

  /** Goes on where the database cannot be read, so that all that can be read is looked at. */
  private void readable(String subject, Runnable check) {
    try {
      check.run();
    } catch (DataAccessException e) {
      error(null, null, subject, "readable", cause(e));
    }
  }

  private static String cause(DataAccessException e) {
    return String.valueOf(e.getCause() == null ? e.getMessage() : e.getCause().getMessage());
  }

  /** Opens what was kept elsewhere; returns what is to be said of those that cannot be. */
  private List<Finding> openWitnesses() {
    List<Checkpoint> opened = new ArrayList<>();
    List<Finding> unopened = new ArrayList<>();
    for (Witness witness : witnesses) {
      try {
        opened.add(Checkpoint.open(witness.note(), keys));
      } catch (IllegalArgumentException e) {
        unopened.add(
            new Finding(
                Severity.ERROR,
                null,
                null,
                witness.name(),
                "a checkpoint of this log",
                String.valueOf(e.getMessage())));
      }
    }
    opened.sort(Comparator.comparingLong(Checkpoint::size));
    witnessed = List.copyOf(opened);
    return unopened;
  }

  private RowCheck rowCheck() {
    return Objects.requireNonNull(rowCheck, "no check is under way");
  }

  // ---------------------------------------------------------------------------------- the log

  /** A row of the log. */
  private record Row(long index, String leaf, String hash) {}

  /**
   * What a row of the log comes to by itself.
   *
   * @param record none if it cannot be read
   * @param problem why it cannot be read
   * @param canonical the one form of the record, if the leaf is in another
   */
  private record Read(
      Row row,
      Digest computed,
      @Nullable Record record,
      @Nullable String problem,
      @Nullable String canonical) {

    static Read of(Row row) {
      byte[] bytes = row.leaf().getBytes(StandardCharsets.UTF_8);
      Digest computed = MerkleHash.leaf(bytes);
      try {
        Record record = Json.read(bytes, Record.class);
        byte[] canonical = Json.canonical(record);
        return new Read(
            row,
            computed,
            record,
            null,
            Arrays.equals(canonical, bytes) ? null : new String(canonical, StandardCharsets.UTF_8));
      } catch (IllegalArgumentException e) {
        return new Read(row, computed, null, String.valueOf(e.getMessage()), null);
      }
    }
  }

  /**
   * A checkpoint as it is filed.
   *
   * @param opened what it says; none if nobody vouches for it
   * @param problem why nobody does
   */
  private record Filed(long size, @Nullable Checkpoint opened, @Nullable String problem) {}

  /** Looks at a checkpoint's signatures. */
  private Filed open(long size, String note) {
    try {
      List<VerifierKey> signers = keys.signers(size);
      Checkpoint checkpoint = Checkpoint.open(note, signers.get(0));
      for (VerifierKey signer : signers.subList(1, signers.size())) {
        Checkpoint.open(note, signer);
      }
      int signatures = SignedNote.parse(note).signatures();
      if (signatures != signers.size()) {
        throw new IllegalArgumentException(signatures + " signatures, not " + signers.size());
      }
      return new Filed(size, checkpoint, null);
    } catch (IllegalArgumentException e) {
      return new Filed(size, null, String.valueOf(e.getMessage()));
    }
  }

  private void checkLog() throws SQLException {
    try (PreparedStatement leaves =
            connection.prepareStatement("select idx, leaf, hash from log_record order by idx");
        PreparedStatement notes =
            connection.prepareStatement("select size, note from log_checkpoint order by size")) {
      leaves.setFetchSize(FETCH_SIZE);
      notes.setFetchSize(FETCH_SIZE);
      ResultSet rows = leaves.executeQuery();
      ResultSet filed = notes.executeQuery();
      checkLog(
          Ahead.of(
              () -> rows.next() ? new Row(rows.getLong(1), text(rows, 2), text(rows, 3)) : null,
              Read::of),
          new Ahead<>(
              () -> filed.next() ? Map.entry(filed.getLong(1), text(filed, 2)) : null,
              note -> open(note.getKey(), note.getValue()),
              SIGNATURES));
    }
  }

  /** See {@link Ledger#replay}. */
  static long replay(Connection connection) {
    Projector projector = new Projector(new Projections());
    long records = 0;
    try (PreparedStatement leaves =
        connection.prepareStatement("select leaf from log_record order by idx")) {
      leaves.setFetchSize(FETCH_SIZE);
      ResultSet rows = leaves.executeQuery();
      Ahead<String, Record> log =
          Ahead.of(() -> rows.next() ? text(rows, 1) : null, LedgerState::parse);
      while (log.hasNext()) {
        projector.apply(log.next());
        records++;
      }
      return records;
    } catch (SQLException e) {
      throw SqlProjections.failed(e);
    }
  }

  /** A text; a damaged file may hold none where the schema wants one. */
  private static String text(ResultSet row, int column) throws SQLException {
    return Objects.requireNonNullElse(row.getString(column), "");
  }

  private void checkLog(Iterator<Read> log, Iterator<Filed> signed) throws SQLException {
    Filed note = next(signed);
    long expected = 0;
    Instant last = Instant.MIN;
    while (log.hasNext()) {
      Read read = log.next();
      records++;
      long index = read.row().index();
      if (index < expected) {
        error(index, null, "index", expected + " or more", Long.toString(index));
        recordsDamaged = true;
        continue;
      }
      if (index > expected) {
        reportMissing(expected, index - 1);
        // No checkpoint within the gap or after it can be recomputed.
        while (note != null && note.size() <= index) {
          checkSignature(note);
          note = next(signed);
        }
      }
      expected = index + 1;
      reached = expected;
      last = checkRecord(read, last);
      rowCheck().settle(index);
      while (note != null && note.size() <= expected) {
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
  private Instant checkRecord(Read read, Instant last) throws SQLException {
    long index = read.row().index();
    String leaf = read.row().leaf();
    Record record = read.record();
    String fact = record == null ? null : factType(record.fact());
    if (factsSinceCheckpoint.size() < NAMED_FACTS) {
      factsSinceCheckpoint.add(fact == null ? "unreadable" : fact);
    }
    Digest computed = read.computed();
    Digest stored = computed;
    if (!computed.hex().equals(read.row().hash())) {
      stored = digest(read.row().hash()).orElse(computed);
      error(index, fact, "hash of the leaf", read.row().hash(), computed.hex());
      recordsDamaged = true;
    }
    if (!treeLost) {
      grow(stored);
    }
    if (record == null) {
      error(index, null, "leaf", "a record", read.problem() + " in: " + shortened(leaf));
      recordsDamaged = true;
      return last;
    }
    if (read.canonical() != null) {
      error(index, fact, "form of the leaf", read.canonical(), leaf);
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
    } catch (InvalidFactException e) {
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

  private void grow(Digest leaf) throws SQLException {
    List<Object[]> nodes = new ArrayList<>();
    tree.append(
        leaf,
        (level, position, hash) -> {
          if (Tiles.hold(level)) {
            nodes.add(new Object[] {level, position, hash.hex()});
          }
        });
    for (Object[] node : nodes) {
      rowCheck().expectNode((Integer) node[0], (Long) node[1], (String) node[2]);
    }
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
  private void checkCheckpoint(Filed filed, long size) {
    Optional<Checkpoint> checkpoint = checkSignature(filed);
    if (checkpoint.isPresent() && filed.size() == size && !treeLost) {
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

  /** Tells of a checkpoint that is not signed, or not of the size that it is filed under. */
  private Optional<Checkpoint> checkSignature(Filed filed) {
    long size = filed.size();
    checkpoints++;
    long first = Math.max(0, size - 1);
    Checkpoint opened = filed.opened();
    if (opened == null) {
      compareRotations();
      report(
          size < rotationLost ? Severity.WARNING : Severity.ERROR,
          first,
          factType(first),
          "checkpoint of size " + size + coveredRecords(size),
          "signed by " + key.name(),
          String.valueOf(filed.problem()));
    } else if (opened.size() != size) {
      error(
          first,
          factType(first),
          "checkpoint of size " + size + coveredRecords(size),
          "a checkpoint of that size",
          "one of size " + opened.size());
    } else {
      return Optional.of(opened);
    }
    return Optional.empty();
  }

  /**
   * Looks for rotations of the key that the checkpoints show and the records do not: with such a
   * record, the key is gone that signed everything before it.
   */
  private void compareRotations() {
    if (rotationsCompared) {
      return;
    }
    rotationsCompared = true;
    List<Long> unsaid = new ArrayList<>();
    int doublySigned = 0;
    try (Cursor<Record2<Long, String>> notes =
        live.select(SIZE, NOTE)
            .from(LOG_CHECKPOINT)
            .orderBy(SIZE)
            .fetchSize(FETCH_SIZE)
            .fetchLazy()) {
      for (Record2<Long, String> row : notes) {
        if (row.value1() == null) {
          continue;
        }
        long size = row.value1();
        if (signatures(Objects.requireNonNullElse(row.value2(), "")) == 2) {
          doublySigned++;
          if (keys.signers(size).size() == 1) {
            unsaid.add(size);
          }
        }
      }
    } catch (DataAccessException e) {
      return; // what cannot be read is reported where it is checked
    }
    if (doublySigned < keys.all().size()) {
      return; // every rotation is there, if not in its place
    }
    for (long size : unsaid) {
      rotationLost = size;
      String found = size == 0 ? null : factType(size - 1);
      error(
          Math.max(0, size - 1),
          found,
          "record",
          "key-rotated, as two keys sign the checkpoint that it completes",
          found == null ? "missing" : found);
    }
  }

  private static int signatures(String note) {
    try {
      return SignedNote.parse(note).signatures();
    } catch (IllegalArgumentException e) {
      return 0;
    }
  }

  private String coveredRecords(long size) {
    if (size - covered <= 1 || treeLost) {
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
        if (row.value1() != null && record.fact() instanceof Fact.KeyRotated rotated) {
          rotations.add(new Recorded<>(row.value1(), record.time(), record.actor(), rotated));
        }
      }
      return KeyHistory.of(key, rotations);
    } catch (IllegalArgumentException | LedgerException | DataAccessException e) {
      return KeyHistory.of(key);
    }
  }

  // -------------------------------------------------------------------------- derived tables

  private void reportRow(Difference difference) {
    Relation relation = difference.relation;
    Object[] row =
        Objects.requireNonNull(
            difference.found != null ? difference.found : difference.expected, "neither");
    Long index =
        relation.equals(NODES)
            ? lastLeaf(row[NODES.place(LEVEL)], row[NODES.place(POSITION)])
            : row[relation.place(RECORD_IDX)] instanceof Long at ? at : null;
    report(
        recordsDamaged ? Severity.WARNING : Severity.ERROR,
        index,
        index == null ? null : factType(index),
        "row of table " + relation.name(),
        describe(relation, difference.expected),
        describe(relation, difference.found));
  }

  /** The last leaf below a node is the one that completed it; none of values that are altered. */
  private static @Nullable Long lastLeaf(@Nullable Object level, @Nullable Object position) {
    return level instanceof Long height && position instanceof Long place
        ? Long.valueOf(((place + 1) << height) - 1)
        : null;
  }

  private static String describe(Relation relation, Object @Nullable [] row) {
    if (row == null) {
      return "no such row";
    }
    return IntStream.range(0, row.length)
        .mapToObj(i -> relation.columns().get(i).getName() + "=" + row[i])
        .collect(Collectors.joining(", ", "(", ")"));
  }

  // --------------------------------------------------------------------------------- the file

  /**
   * What the rows do not show: that indexes agree with their tables, that the file's structure is
   * sound, and that the schema is the one that the migration scripts make.
   */
  private void checkFile(DSLContext scratch) {
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

  /**
   * SQLite takes a value of any type in any column: bytes that read as the text that belongs there
   * look the same, and are not found by those who look for the text.
   */
  private void checkTypes(DSLContext scratch) {
    // Of the tables that belong there: others are reported as such.
    for (String table : scratch.fetch(TABLES).getValues(0, String.class)) {
      String own = null;
      List<String> wrong = new ArrayList<>();
      List<String> types = new ArrayList<>();
      for (org.jooq.Record column :
          scratch.fetch("select name, type, \"notnull\" from pragma_table_info(?)", table)) {
        String name = "\"" + column.get(0, String.class) + "\"";
        String type = column.get(1, String.class).toLowerCase(Locale.ROOT);
        boolean text = type.equals("text") || type.startsWith("varchar");
        boolean needed = column.get(2, Integer.class) == 1;
        wrong.add(
            "typeof("
                + name
                + ") not in ("
                + (needed ? "'" : "'null', '")
                + (text ? "text" : "integer")
                + "')");
        types.add("typeof(" + name + ")");
        if (name.equals("\"idx\"") || name.equals("\"record_idx\"")) {
          own = name;
        }
      }
      String sql =
          "select "
              + (own == null
                  ? "null"
                  : "case typeof(" + own + ") when 'integer' then " + own + " end")
              + ", "
              + String.join(" || ' ' || ", types)
              + " from \""
              + table
              + "\" where "
              + String.join(" or ", wrong)
              + " limit 20";
      for (org.jooq.Record row : live.fetch(sql)) {
        error(
            row.get(0, Long.class),
            null,
            "row of table " + table,
            "values of the types of its columns",
            row.get(1, String.class));
      }
    }
  }

  private static List<String> lines(DSLContext dsl, String sql) {
    return dsl.fetch(sql).stream()
        .map(row -> row.intoList().toString())
        .collect(Collectors.toCollection(ArrayList::new));
  }

  // -------------------------------------------------------------------------------- artifacts

  /** Looks at the artifacts that the records name, whatever the table of artifacts says. */
  private void checkArtifacts(RowCheck check) throws SQLException {
    if (artifactCheck == ArtifactCheck.NONE) {
      return;
    }
    SortedMap<String, Long> missing = new TreeMap<>();
    for (Difference difference : check.differences()) {
      Object[] expected = difference.expected;
      if (difference.relation.equals(ARTIFACTS) && expected != null) {
        missing.merge((String) expected[1], (Long) expected[0], Math::min);
      }
    }
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select digest, min(record_idx) from artifact group by digest order by digest")) {
      statement.setFetchSize(FETCH_SIZE);
      ResultSet rows = statement.executeQuery();
      while (rows.next()) {
        String digest = text(rows, 1);
        long index = rows.getLong(2);
        Long other = missing.remove(digest);
        checkArtifact(digest, other == null ? index : Math.min(index, other));
      }
    }
    missing.forEach(this::checkArtifact);
  }

  private void checkArtifact(String hex, long index) {
    Optional<Digest> named = digest(hex);
    if (named.isEmpty()) {
      return; // a row that no record has, which is reported as such
    }
    artifacts++;
    Digest digest = named.get();
    artifactCheck
        .problem(digest)
        .ifPresent(
            problem -> error(index, factType(index), "artifact", digest.toString(), problem));
  }

  // ---------------------------------------------------------------------------------- helpers

  /** The written form of a kind of fact. */
  static String factType(Fact fact) {
    return Objects.requireNonNull(FACT_TYPES.get(fact.getClass()));
  }

  private @Nullable String factType(long index) {
    try {
      return readFactType(index);
    } catch (DataAccessException e) {
      return null; // reported where the record is read
    }
  }

  private @Nullable String readFactType(long index) {
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
    report(new Finding(severity, index, fact, subject, expected, found));
  }

  private void report(Finding finding) {
    if (findings.size() == MAX_FINDINGS) {
      omitted++;
    } else {
      findings.add(finding);
    }
  }
}
