package dev.cambium.ledger;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/** The tables and columns of the migration scripts, for queries. */
final class Schema {

  /** The newest migration script; see {@code V*.sql} beside this package's classes. */
  static final int VERSION = 6;

  static final Table<Record> LOG_RECORD = table(name("log_record"));
  static final Table<Record> LOG_NODE = table(name("log_node"));
  static final Table<Record> LOG_CHECKPOINT = table(name("log_checkpoint"));
  static final Table<Record> ECOSYSTEM = table(name("ecosystem"));
  static final Table<Record> VERSION_TABLE = table(name("version"));
  static final Table<Record> VERSION_DATA = table(name("version_data"));
  static final Table<Record> VERSION_SOURCE = table(name("version_source"));
  static final Table<Record> CAMPAIGN_TABLE = table(name("campaign"));
  static final Table<Record> SIGNAL_TABLE = table(name("signal"));
  static final Table<Record> DECISION_TABLE = table(name("decision"));
  static final Table<Record> ACTION_TABLE = table(name("action"));
  static final Table<Record> VERDICT = table(name("verdict"));
  static final Table<Record> CHANNEL_TABLE = table(name("channel"));
  static final Table<Record> CHANNEL_MOVE = table(name("channel_move"));
  static final Table<Record> SETTLEMENT_TABLE = table(name("settlement"));
  static final Table<Record> ARTIFACT = table(name("artifact"));
  static final Table<Record> SIGNING_KEY = table(name("signing_key"));

  static final Table<Record> STORE_STATE = table(name("store_state"));

  static final Field<Integer> STATE_ID = field(name("id"), SQLDataType.INTEGER);
  static final Field<String> STATE = text("state");
  static final Field<String> PEER = text("peer");

  static final Field<Long> IDX = number("idx");
  static final Field<String> LEAF = text("leaf");
  static final Field<String> HASH = text("hash");
  static final Field<Integer> LEVEL = field(name("level"), SQLDataType.INTEGER);
  static final Field<Long> POSITION = number("position");
  static final Field<Long> SIZE = number("size");
  static final Field<String> NOTE = text("note");

  static final Field<Long> RECORD_IDX = number("record_idx");
  static final Field<String> NAME = text("name");
  static final Field<String> LINE = text("line");
  static final Field<Integer> NUMBER = field(name("number"), SQLDataType.INTEGER);
  static final Field<String> MANIFEST = text("manifest");
  static final Field<String> PARENT_LINE = text("parent_line");
  static final Field<Integer> PARENT_NUMBER = field(name("parent_number"), SQLDataType.INTEGER);
  static final Field<String> SOURCE_LINE = text("source_line");
  static final Field<Integer> SOURCE_NUMBER = field(name("source_number"), SQLDataType.INTEGER);
  static final Field<String> CAMPAIGN = text("campaign");
  static final Field<String> DIGEST = text("digest");
  static final Field<String> SIGNAL = text("signal");
  static final Field<Long> RECEIVED_IDX = number("received_idx");
  static final Field<Long> OPENED_IDX = number("opened_idx");
  static final Field<Long> CLOSED_IDX = number("closed_idx");
  static final Field<String> OUTCOME = text("outcome");
  static final Field<String> POINT = text("point");
  static final Field<String> ACTION = text("action");
  static final Field<String> KIND = text("kind");
  static final Field<String> DECISION = text("decision");
  static final Field<String> EVIDENCE = text("evidence");
  static final Field<String> CHANNEL = text("channel");
  static final Field<String> SETTLEMENT = text("settlement");
  static final Field<String> FORMER = text("former");
  static final Field<String> VERIFIER = text("verifier");

  /**
   * A table, its columns in their order.
   *
   * @param key columns of its primary key
   * @param columns all of them, those of the key first
   * @param changes whether a record may change a row that an earlier one made
   */
  record Relation(
      String name,
      Table<Record> table,
      List<Field<?>> key,
      List<Field<?>> columns,
      boolean changes) {

    /** The columns beside the key. */
    List<Field<?>> values() {
      return columns.subList(key.size(), columns.size());
    }

    /** The columns' names, for SQL. */
    String names() {
      return columns.stream().map(Field::getName).collect(Collectors.joining(", "));
    }

    /** The place of a column among all. */
    int place(Field<?> column) {
      return columns.indexOf(column);
    }

    /** The values of the key. */
    List<Object> keyOf(Object[] row) {
      return List.of(Arrays.copyOf(row, key.size()));
    }

    /**
     * There is one of each name. It is looked up for every row, and its columns are slow to hash.
     */
    @Override
    public int hashCode() {
      return name.hashCode();
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Relation relation && name.equals(relation.name);
    }
  }

  static final Relation RECORDS =
      fixed("log_record", LOG_RECORD, List.of(IDX), List.of(LEAF, HASH));
  static final Relation CHECKPOINTS =
      fixed("log_checkpoint", LOG_CHECKPOINT, List.of(SIZE), List.of(NOTE));
  static final Relation NODES =
      fixed("log_node", LOG_NODE, List.of(LEVEL, POSITION), List.of(HASH));
  static final Relation ECOSYSTEMS =
      fixed("ecosystem", ECOSYSTEM, List.of(RECORD_IDX), List.of(NAME));
  static final Relation VERSIONS =
      fixed(
          "version",
          VERSION_TABLE,
          List.of(LINE, NUMBER),
          List.of(MANIFEST, PARENT_LINE, PARENT_NUMBER, CAMPAIGN, RECORD_IDX));
  static final Relation VERSIONS_DATA =
      fixed("version_data", VERSION_DATA, List.of(LINE, NUMBER, DIGEST), List.of(RECORD_IDX));
  static final Relation VERSIONS_SOURCES =
      fixed(
          "version_source",
          VERSION_SOURCE,
          List.of(LINE, NUMBER, SOURCE_LINE, SOURCE_NUMBER),
          List.of(RECORD_IDX));
  static final Relation CAMPAIGNS =
      changing(
          "campaign",
          CAMPAIGN_TABLE,
          List.of(CAMPAIGN),
          List.of(OPENED_IDX, CLOSED_IDX, OUTCOME, RECORD_IDX));
  static final Relation SIGNALS =
      changing(
          "signal",
          SIGNAL_TABLE,
          List.of(SIGNAL),
          List.of(LINE, RECEIVED_IDX, CAMPAIGN, RECORD_IDX));
  static final Relation DECISIONS =
      fixed("decision", DECISION_TABLE, List.of(RECORD_IDX), List.of(CAMPAIGN, POINT));
  static final Relation ACTIONS =
      fixed("action", ACTION_TABLE, List.of(ACTION), List.of(KIND, RECORD_IDX));
  static final Relation VERDICTS =
      fixed(
          "verdict",
          VERDICT,
          List.of(RECORD_IDX),
          List.of(LINE, NUMBER, DECISION, EVIDENCE, CAMPAIGN));
  static final Relation CHANNELS =
      changing("channel", CHANNEL_TABLE, List.of(LINE, CHANNEL), List.of(NUMBER, RECORD_IDX));
  static final Relation MOVES =
      fixed("channel_move", CHANNEL_MOVE, List.of(RECORD_IDX), List.of(LINE, CHANNEL, NUMBER));
  static final Relation SETTLEMENTS =
      fixed(
          "settlement", SETTLEMENT_TABLE, List.of(CAMPAIGN, LINE), List.of(SETTLEMENT, RECORD_IDX));
  static final Relation ARTIFACTS =
      fixed("artifact", ARTIFACT, List.of(RECORD_IDX, DIGEST), List.of());
  static final Relation SIGNING_KEYS =
      fixed("signing_key", SIGNING_KEY, List.of(RECORD_IDX), List.of(FORMER, VERIFIER));

  /**
   * Every table that follows from the records alone, in an order in which each comes after those
   * that it refers to.
   */
  static final List<Relation> DERIVED =
      List.of(
          NODES,
          ECOSYSTEMS,
          VERSIONS,
          VERSIONS_DATA,
          VERSIONS_SOURCES,
          CAMPAIGNS,
          SIGNALS,
          DECISIONS,
          ACTIONS,
          VERDICTS,
          CHANNELS,
          MOVES,
          SETTLEMENTS,
          ARTIFACTS,
          SIGNING_KEYS);

  private Schema() {}

  private static Relation fixed(
      String name, Table<Record> table, List<Field<?>> key, List<Field<?>> values) {
    return relation(name, table, key, values, false);
  }

  private static Relation changing(
      String name, Table<Record> table, List<Field<?>> key, List<Field<?>> values) {
    return relation(name, table, key, values, true);
  }

  private static Relation relation(
      String name,
      Table<Record> table,
      List<Field<?>> key,
      List<Field<?>> values,
      boolean changes) {
    List<Field<?>> columns = Stream.concat(key.stream(), values.stream()).toList();
    return new Relation(name, table, key, columns, changes);
  }

  private static Field<String> text(String column) {
    return field(name(column), SQLDataType.CLOB);
  }

  private static Field<Long> number(String column) {
    return field(name(column), SQLDataType.BIGINT);
  }
}
