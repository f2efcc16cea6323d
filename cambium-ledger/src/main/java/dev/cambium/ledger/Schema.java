package dev.cambium.ledger;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;

import java.util.List;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;

/** The tables and columns of the migration scripts, for queries. */
final class Schema {

  /** The newest migration script; see {@code V*.sql} beside this package's classes. */
  static final int VERSION = 3;

  static final Table<Record> LOG_RECORD = table(name("log_record"));
  static final Table<Record> LOG_NODE = table(name("log_node"));
  static final Table<Record> LOG_CHECKPOINT = table(name("log_checkpoint"));
  static final Table<Record> ECOSYSTEM = table(name("ecosystem"));
  static final Table<Record> VERSION_TABLE = table(name("version"));
  static final Table<Record> VERSION_DATA = table(name("version_data"));
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
   * A table that follows from the records alone.
   *
   * @param key columns of its primary key
   * @param values the other columns
   */
  record Derived(String name, Table<Record> table, List<Field<?>> key, List<Field<?>> values) {}

  /** Every derived table, in an order in which each comes after those that it refers to. */
  static final List<Derived> DERIVED =
      List.of(
          derived("log_node", LOG_NODE, List.of(LEVEL, POSITION), List.of(HASH)),
          derived("ecosystem", ECOSYSTEM, List.of(RECORD_IDX), List.of(NAME)),
          derived(
              "version",
              VERSION_TABLE,
              List.of(LINE, NUMBER),
              List.of(MANIFEST, PARENT_LINE, PARENT_NUMBER, CAMPAIGN, RECORD_IDX)),
          derived("version_data", VERSION_DATA, List.of(LINE, NUMBER, DIGEST), List.of(RECORD_IDX)),
          derived(
              "campaign",
              CAMPAIGN_TABLE,
              List.of(CAMPAIGN),
              List.of(OPENED_IDX, CLOSED_IDX, OUTCOME, RECORD_IDX)),
          derived(
              "signal",
              SIGNAL_TABLE,
              List.of(SIGNAL),
              List.of(LINE, RECEIVED_IDX, CAMPAIGN, RECORD_IDX)),
          derived("decision", DECISION_TABLE, List.of(RECORD_IDX), List.of(CAMPAIGN, POINT)),
          derived("action", ACTION_TABLE, List.of(ACTION), List.of(KIND, RECORD_IDX)),
          derived(
              "verdict",
              VERDICT,
              List.of(RECORD_IDX),
              List.of(LINE, NUMBER, DECISION, EVIDENCE, CAMPAIGN)),
          derived("channel", CHANNEL_TABLE, List.of(LINE, CHANNEL), List.of(NUMBER, RECORD_IDX)),
          derived(
              "channel_move", CHANNEL_MOVE, List.of(RECORD_IDX), List.of(LINE, CHANNEL, NUMBER)),
          derived(
              "settlement",
              SETTLEMENT_TABLE,
              List.of(CAMPAIGN, LINE),
              List.of(SETTLEMENT, RECORD_IDX)),
          derived("artifact", ARTIFACT, List.of(DIGEST, RECORD_IDX), List.of()),
          derived("signing_key", SIGNING_KEY, List.of(RECORD_IDX), List.of(FORMER, VERIFIER)));

  private Schema() {}

  private static Derived derived(
      String name, Table<Record> table, List<Field<?>> key, List<Field<?>> values) {
    return new Derived(name, table, key, values);
  }

  private static Field<String> text(String column) {
    return field(name(column), SQLDataType.CLOB);
  }

  private static Field<Long> number(String column) {
    return field(name(column), SQLDataType.BIGINT);
  }
}
