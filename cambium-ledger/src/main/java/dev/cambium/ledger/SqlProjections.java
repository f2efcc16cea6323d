package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;

import dev.cambium.ledger.Schema.Relation;
import dev.cambium.ledger.merkle.Tiles;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.VersionRef;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jooq.Field;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/**
 * The projections in a database, and the log itself, as long as nobody else writes: in one
 * transaction, or in several if nobody wrote between. Rows wait until {@link #flush} (those that no
 * question is about, until {@link #flushUnasked}), so that many go in with one statement. What was
 * asked or written once is known from then on.
 */
final class SqlProjections extends Projections {

  /** Rows of one statement, as many as there are. */
  private static final int[] ROWS = {64, 8, 1};

  /** About these a projector has no question. */
  private static final Set<Relation> UNASKED = Set.of(RECORDS, NODES, ARTIFACTS);

  /** The statements' texts, which take longer to make than a row to write. */
  private static final Map<Insertion, String> INSERTIONS = new ConcurrentHashMap<>();

  private static final Map<Relation, String> BY_KEY = new ConcurrentHashMap<>();

  /** What was written is remembered at some hundred bytes a record; so many records are enough. */
  private static final int MANY = 50_000;

  private final Prepared prepared;
  private int records;

  /** What waits, in the order in which rows may refer to each other. */
  private final Map<Relation, List<Object[]>> waiting = new LinkedHashMap<>();

  SqlProjections(Prepared prepared) {
    this.prepared = prepared;
    waiting.put(RECORDS, new ArrayList<>());
    waiting.put(CHECKPOINTS, new ArrayList<>());
    DERIVED.forEach(relation -> waiting.put(relation, new ArrayList<>()));
  }

  @Override
  protected void write(Relation relation, Object[] row) {
    List<Object[]> rows = waiting.get(relation);
    if (rows == null) {
      throw new IllegalArgumentException("no table of the ledger: " + relation.name());
    }
    rows.add(row);
  }

  /**
   * Writes what waits and is never asked for: most of the bytes, while other cores prepare more.
   */
  void flushUnasked() {
    flush(UNASKED);
  }

  /** Writes what waits. Rows that were put several times are written as they are now. */
  void flush() {
    flush(waiting.keySet());
  }

  private void flush(Collection<Relation> relations) {
    try {
      for (Map.Entry<Relation, List<Object[]>> entry : waiting.entrySet()) {
        Relation relation = entry.getKey();
        if (!relations.contains(relation)) {
          continue;
        }
        List<Object[]> rows =
            relation.changes() ? newest(relation, entry.getValue()) : entry.getValue();
        int at = 0;
        for (int many : ROWS) {
          for (; at + many <= rows.size(); at += many) {
            write(relation, rows.subList(at, at + many));
          }
        }
        entry.getValue().clear();
      }
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private static List<Object[]> newest(Relation relation, List<Object[]> rows) {
    Map<List<Object>, Object[]> newest = new LinkedHashMap<>();
    for (Object[] row : rows) {
      newest.put(relation.keyOf(row), row);
    }
    return List.copyOf(newest.values());
  }

  private void write(Relation relation, List<Object[]> rows) throws SQLException {
    PreparedStatement statement =
        prepared.statement(
            INSERTIONS.computeIfAbsent(new Insertion(relation, rows.size()), Insertion::text));
    int at = 1;
    for (Object[] row : rows) {
      at = Prepared.bind(statement, at, row);
    }
    statement.executeUpdate();
  }

  /** A statement that puts some rows into a table. */
  private record Insertion(Relation relation, int rows) {
    String text() {
      String row =
          relation.columns().stream().map(c -> "?").collect(Collectors.joining(", ", "(", ")"));
      String sql =
          "insert into "
              + relation.name()
              + " ("
              + relation.names()
              + ") values "
              + String.join(", ", Collections.nCopies(rows, row));
      if (!relation.changes()) {
        return sql;
      }
      return sql
          + " on conflict ("
          + names(relation.key(), ", ", "")
          + ") do update set "
          + relation.values().stream()
              .map(column -> column.getName() + " = excluded." + column.getName())
              .collect(Collectors.joining(", "));
    }
  }

  private static String names(List<Field<?>> columns, String separator, String suffix) {
    return columns.stream()
        .map(column -> column.getName() + suffix)
        .collect(Collectors.joining(separator));
  }

  // --------------------------------------------------------------------------- what was before

  /** Reads a row, or whatever else an answer's first row holds. */
  private interface Reading<T> {
    T read(ResultSet row) throws SQLException;
  }

  private <T> List<T> all(Reading<T> reading, String sql, Object... values) {
    try (ResultSet found = prepared.statement(sql, values).executeQuery()) {
      List<T> all = new ArrayList<>();
      while (found.next()) {
        all.add(reading.read(found));
      }
      return all;
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private <T> Optional<T> first(Reading<T> reading, String sql, Object... values) {
    return all(reading, sql, values).stream().findFirst();
  }

  private boolean exists(String from, Object... values) {
    return first(row -> true, "select 1 from " + from + " limit 1", values).isPresent();
  }

  static DataAccessException failed(SQLException e) {
    return new DataAccessException(String.valueOf(e.getMessage()), e);
  }

  @Override
  protected int loadLastNumber(String line) {
    return first(row -> row.getInt(1), "select max(number) from version where line = ?", line)
        .orElse(0);
  }

  @Override
  protected boolean loadFinished(Digest action) {
    return exists("action where action = ?", action.hex());
  }

  @Override
  protected Object @Nullable [] loadRow(Relation relation, List<Object> key) {
    return first(
            row -> values(relation, row),
            BY_KEY.computeIfAbsent(relation, SqlProjections::byKey),
            key.toArray())
        .orElse(null);
  }

  private static String byKey(Relation relation) {
    return "select "
        + relation.names()
        + " from "
        + relation.name()
        + " where "
        + names(relation.key(), " and ", " = ?");
  }

  /** The columns of a relation, from an answer that holds them and nothing else. */
  static Object[] values(Relation relation, ResultSet row) throws SQLException {
    List<Field<?>> columns = relation.columns();
    Object[] values = new Object[columns.size()];
    for (int i = 0; i < values.length; i++) {
      if (columns.get(i).getType() == String.class) {
        values[i] = row.getString(i + 1);
      } else {
        long value = row.getLong(i + 1);
        values[i] = value == 0 && row.wasNull() ? null : (Long) value;
      }
    }
    return values;
  }

  @Override
  protected Optional<String> loadOpenCampaign() {
    return first(row -> row.getString(1), "select campaign from campaign where closed_idx is null");
  }

  @Override
  protected boolean loadMoved(VersionRef version, Channel channel) {
    return exists(
        "channel_move where line = ? and number = ? and channel = ?",
        version.line(),
        (long) version.number(),
        channel.label());
  }

  @Override
  protected List<String> loadDecisions(VersionRef version, Digest evidence) {
    return all(
        row -> row.getString(1),
        "select decision from verdict where line = ? and number = ? and evidence = ?"
            + " order by record_idx",
        version.line(),
        (long) version.number(),
        evidence.hex());
  }

  @Override
  protected boolean loadSettled(String campaign, String line) {
    return exists("settlement where campaign = ? and line = ?", campaign, line);
  }

  @Override
  protected Map<String, Integer> loadSettlements(String campaign) {
    Map<String, Integer> counts = new TreeMap<>();
    all(
        row -> counts.put(row.getString(1), row.getInt(2)),
        "select settlement, count(*) from settlement where campaign = ? group by settlement",
        campaign);
    return counts;
  }

  @Override
  protected Optional<String> loadSigningKey() {
    return first(
        row -> row.getString(1),
        "select verifier from signing_key order by record_idx desc limit 1");
  }

  // ------------------------------------------------------------------------------------ the log

  /**
   * What an append looks at first.
   *
   * @param note the newest checkpoint, as a signed note; empty before the first
   * @param isMoving whether anything is said about a move of the ledger; see {@link StoreState}
   */
  record Newest(String note, boolean isMoving) {}

  static Newest newest(Prepared prepared) throws SQLException {
    try (ResultSet found =
        prepared
            .statement(
                "select (select note from log_checkpoint order by size desc limit 1),"
                    + " (select count(*) from store_state)")
            .executeQuery()) {
      found.next();
      return new Newest(Objects.requireNonNullElse(found.getString(1), ""), found.getLong(2) > 0);
    }
  }

  /** Whether so much was written that it should not be remembered any longer. */
  boolean areMany() {
    return records > MANY;
  }

  void record(long index, String leaf, Digest hash) {
    records++;
    write(RECORDS, new Object[] {index, leaf, hash.hex()});
  }

  /** Takes a node of the tree, if it is of a level that is kept. */
  void node(int level, long position, Digest hash) {
    if (Tiles.hold(level)) {
      write(NODES, new Object[] {(long) level, position, hash.hex()});
    }
  }

  void checkpoint(long size, String note) {
    write(CHECKPOINTS, new Object[] {size, note});
  }
}
