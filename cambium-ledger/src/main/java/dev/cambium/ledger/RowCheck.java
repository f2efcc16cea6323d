package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;

import dev.cambium.ledger.Schema.Relation;
import dev.cambium.ledger.merkle.Tiles;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Holds the rows that follow from the records against those that a database has. Rows that no later
 * record changes are read in the order of the log, beside the replay, and so never held; the tree's
 * nodes level by level, because on each they come in their order. Few rows change, and they are
 * compared when the replay is done.
 */
final class RowCheck implements AutoCloseable {

  /** A row that is not as it should be. */
  static final class Difference {
    final Relation relation;
    Object @Nullable [] expected;
    Object @Nullable [] found;

    private Difference(Relation relation) {
      this.relation = relation;
    }
  }

  /** More than is ever told. */
  private static final int MAX_DIFFERENCES = 10 * Verification.MAX_FINDINGS;

  /** The rows of one table, or of one level of the tree, as they are read. */
  private static final class Rows {
    private final Relation relation;
    private final ResultSet rows;
    private final int index;
    private final List<Object[]> expected = new ArrayList<>(2);
    private Object @Nullable [] head;

    private Rows(Relation relation, ResultSet rows, int index) throws SQLException {
      this.relation = relation;
      this.rows = rows;
      this.index = index;
      advance();
    }

    private void advance() throws SQLException {
      head = rows.next() ? SqlProjections.values(relation, rows) : null;
    }

    private long headIndex() {
      return head == null || !(head[index] instanceof Long at) ? Long.MAX_VALUE : at;
    }
  }

  private final Connection live;
  private final List<PreparedStatement> statements = new ArrayList<>();
  private final Map<Relation, Rows> tables = new HashMap<>();
  private final List<Rows> levels = new ArrayList<>();
  private final List<Rows> touched = new ArrayList<>();
  private final Map<Relation, Map<List<Object>, Difference>> differences = new LinkedHashMap<>();
  private int different;
  private long rows;

  RowCheck(Connection live) throws SQLException {
    this.live = live;
    for (Relation relation : DERIVED) {
      differences.put(relation, new LinkedHashMap<>());
      if (!relation.equals(NODES) && !relation.changes()) {
        tables.put(
            relation,
            new Rows(
                relation,
                query(
                    "select "
                        + relation.names()
                        + " from "
                        + relation.name()
                        + " order by record_idx"),
                relation.place(RECORD_IDX)));
      }
    }
  }

  private ResultSet query(String sql, Object... values) throws SQLException {
    PreparedStatement statement = live.prepareStatement(sql);
    statements.add(statement);
    statement.setFetchSize(Verification.FETCH_SIZE);
    Prepared.bind(statement, 1, values);
    return statement.executeQuery();
  }

  /** A row of the record that is being replayed. Rows that may change come with {@link #end}. */
  void expect(Relation relation, Object[] row) {
    Rows table = tables.get(relation);
    if (table != null) {
      if (table.expected.isEmpty()) {
        touched.add(table);
      }
      table.expected.add(row);
    }
  }

  /** All rows of a record are told. */
  void settle(long record) throws SQLException {
    for (Rows table : touched) {
      settle(table, record);
    }
    touched.clear();
  }

  private void settle(Rows table, long at) throws SQLException {
    while (table.headIndex() < at) {
      surplus(table);
    }
    List<Object[]> expected = table.expected;
    while (table.headIndex() == at) {
      Object[] found = Objects.requireNonNull(table.head);
      if (!remove(expected, found)) {
        difference(table.relation, found).found = found;
      }
      rows++;
      table.advance();
    }
    for (Object[] missing : expected) {
      difference(table.relation, missing).expected = missing;
    }
    expected.clear();
  }

  private static boolean remove(List<Object[]> rows, Object[] row) {
    for (int i = 0; i < rows.size(); i++) {
      if (Arrays.equals(rows.get(i), row)) {
        rows.remove(i);
        return true;
      }
    }
    return false;
  }

  private void surplus(Rows table) throws SQLException {
    Object[] found = Objects.requireNonNull(table.head);
    difference(table.relation, found).found = found;
    rows++;
    table.advance();
  }

  private void rest(Rows table) throws SQLException {
    while (table.head != null) {
      surplus(table);
    }
  }

  private Difference difference(Relation relation, Object[] row) {
    Map<List<Object>, Difference> known =
        differences.computeIfAbsent(relation, r -> new LinkedHashMap<>());
    List<Object> key = key(relation, row);
    Difference difference = known.get(key);
    if (difference == null) {
      difference = new Difference(relation);
      if (different < MAX_DIFFERENCES) {
        known.put(key, difference);
      }
      different++;
    }
    return difference;
  }

  /** As {@link Relation#keyOf}, also of a damaged row, in which any value may be null. */
  private static List<Object> key(Relation relation, Object[] row) {
    return Arrays.asList(Arrays.copyOf(row, relation.key().size()));
  }

  /** A node of the tree that is kept, in the order in which they are complete. */
  void expectNode(int level, long position, String hash) throws SQLException {
    while (levels.size() < level / Tiles.HEIGHT) {
      levels.add(
          new Rows(
              NODES,
              query(
                  "select " + NODES.names() + " from log_node where level = ? order by position",
                  Tiles.HEIGHT * (levels.size() + 1L)),
              NODES.place(POSITION)));
    }
    Rows nodes = levels.get(level / Tiles.HEIGHT - 1);
    nodes.expected.add(new Object[] {(long) level, position, hash});
    settle(nodes, position);
  }

  /**
   * The replay is done.
   *
   * @param state what it came to
   * @param nodes whether all nodes of the tree were expected
   */
  void end(Projections state, boolean nodes) throws SQLException {
    for (Rows table : tables.values()) {
      rest(table);
    }
    if (nodes) {
      for (Rows level : levels) {
        rest(level);
      }
      rest(
          new Rows(
              NODES,
              query(
                  "select "
                      + NODES.names()
                      + " from log_node where level > ? or level < 1 or level % ? <> 0",
                  (long) Tiles.HEIGHT * levels.size(),
                  (long) Tiles.HEIGHT),
              NODES.place(POSITION)));
    } else {
      differences.remove(NODES);
    }
    for (Relation relation : DERIVED) {
      if (relation.changes()) {
        compare(relation, state.rows(relation));
      }
    }
  }

  private void compare(Relation relation, Collection<Object[]> expected) throws SQLException {
    Map<List<Object>, Object[]> missing = new LinkedHashMap<>();
    for (Object[] row : expected) {
      missing.put(relation.keyOf(row), row);
    }
    Rows found =
        new Rows(
            relation,
            query("select " + relation.names() + " from " + relation.name()),
            relation.place(RECORD_IDX));
    for (; found.head != null; found.advance()) {
      rows++;
      Object[] row = found.head;
      Object[] should = missing.remove(key(relation, row));
      if (!Arrays.equals(should, row)) {
        Difference difference = difference(relation, row);
        difference.expected = should;
        difference.found = row;
      }
    }
    for (Object[] row : missing.values()) {
      difference(relation, row).expected = row;
    }
  }

  /** How many rows were compared. */
  long rows() {
    return rows;
  }

  /** What differs, table by table. */
  List<Difference> differences() {
    return DERIVED.stream()
        .flatMap(relation -> differences.getOrDefault(relation, Map.of()).values().stream())
        .toList();
  }

  @Override
  public void close() throws SQLException {
    for (PreparedStatement statement : statements) {
      statement.close();
    }
  }
}
