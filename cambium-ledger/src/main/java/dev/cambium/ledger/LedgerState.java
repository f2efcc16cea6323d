package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.max;
import static org.jooq.impl.DSL.min;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.table;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.cambium.ledger.merkle.CompactRange;
import dev.cambium.ledger.merkle.NodeSource;
import dev.cambium.ledger.merkle.Tiles;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Record;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jooq.Condition;
import org.jooq.Cursor;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record1;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;
import org.jspecify.annotations.Nullable;

/**
 * What the log's records amount to. Lists are in the order of the log unless they say otherwise.
 *
 * <p>A state from {@link Ledger#state} answers every call from the newest committed records; inside
 * {@link Ledger#read} all calls see one and the same snapshot.
 */
public final class LedgerState {

  /** Where queries run. */
  interface Source {
    <T> T read(Function<DSLContext, T> query);
  }

  /**
   * A signal and what became of it.
   *
   * @param received the signal
   * @param campaign that took it up; none while it is open
   */
  public record SignalState(Recorded<Fact.SignalReceived> received, Optional<String> campaign) {}

  /**
   * A campaign and how it stands.
   *
   * @param opened its beginning
   * @param closed its end; none while it is open
   */
  public record CampaignState(
      Recorded<Fact.CampaignOpened> opened, Optional<Recorded<Fact.CampaignClosed>> closed) {}

  private final Source source;

  LedgerState(Source source) {
    this.source = source;
  }

  /** The state that a transaction sees. */
  static LedgerState in(DSLContext dsl) {
    return new LedgerState(
        new Source() {
          @Override
          public <T> T read(Function<DSLContext, T> query) {
            return query.apply(dsl);
          }
        });
  }

  // ---------------------------------------------------------------------------------- the log

  /** The number of records. */
  public long size() {
    return source.read(LedgerState::size);
  }

  static long size(DSLContext dsl) {
    Long last = dsl.select(max(IDX)).from(LOG_RECORD).fetchOne(max(IDX));
    return last == null ? 0 : last + 1;
  }

  /** The record at an index. */
  public Optional<Record> record(long index) {
    return storedLeaf(index).map(LedgerState::parse);
  }

  /** The canonical JSON of the record at an index. */
  String leaf(long index) {
    return storedLeaf(index).orElseThrow(() -> new IllegalArgumentException("no record " + index));
  }

  private Optional<String> storedLeaf(long index) {
    return source.read(
        dsl -> dsl.select(LEAF).from(LOG_RECORD).where(IDX.eq(index)).fetchOptional(LEAF));
  }

  /** The leaves of {@code count} records from one on. */
  List<String> leaves(long from, int count) {
    return source.read(
        dsl ->
            dsl.select(LEAF)
                .from(LOG_RECORD)
                .where(IDX.ge(from), IDX.lt(from + count))
                .orderBy(IDX)
                .fetch(LEAF));
  }

  /** The hashes of {@code count} complete subtrees of one height from one on. */
  List<Digest> hashes(int level, long from, int count) {
    List<String> hashes =
        source.read(
            dsl ->
                level == 0
                    ? dsl.select(HASH)
                        .from(LOG_RECORD)
                        .where(IDX.ge(from), IDX.lt(from + count))
                        .orderBy(IDX)
                        .fetch(HASH)
                    : dsl.select(HASH)
                        .from(LOG_NODE)
                        .where(LEVEL.eq(level), POSITION.ge(from), POSITION.lt(from + count))
                        .orderBy(POSITION)
                        .fetch(HASH));
    return hashes.stream().map(Digest::new).toList();
  }

  /** Up to {@code limit} records from an index on. */
  public List<Record> records(long from, int limit) {
    return source.read(
        dsl ->
            dsl
                .select(LEAF)
                .from(LOG_RECORD)
                .where(IDX.ge(from))
                .orderBy(IDX)
                .limit(limit)
                .fetch(LEAF)
                .stream()
                .map(LedgerState::parse)
                .toList());
  }

  /** The newest signed checkpoint, as a signed note; none while the log is empty. */
  public Optional<String> checkpoint() {
    return source.read(
        dsl ->
            dsl.select(NOTE)
                .from(LOG_CHECKPOINT)
                .orderBy(SIZE.desc())
                .limit(1)
                .fetchOptional(NOTE));
  }

  /** The signed checkpoint of a size, if the log was signed at that size. */
  public Optional<String> checkpoint(long size) {
    return source.read(
        dsl -> dsl.select(NOTE).from(LOG_CHECKPOINT).where(SIZE.eq(size)).fetchOptional(NOTE));
  }

  /** The key of the last rotation, in its written form; none while the first key signs. */
  Optional<String> signingKey() {
    return source.read(
        dsl ->
            dsl.select(VERIFIER)
                .from(SIGNING_KEY)
                .orderBy(RECORD_IDX.desc())
                .limit(1)
                .fetchOptional(VERIFIER));
  }

  /** How the log's key was replaced. */
  public List<Recorded<Fact.KeyRotated>> keyRotations() {
    return facts(Fact.KeyRotated.class, SIGNING_KEY, RECORD_IDX, noCondition());
  }

  /** Runs a computation over the log's Merkle tree. */
  <T> T overTree(Function<NodeSource, T> computation) {
    return source.read(
        dsl -> {
          // Asked some dozen times at once.
          try (Prepared prepared = new Prepared(dsl)) {
            return computation.apply(nodes(prepared));
          }
        });
  }

  /** Nodes of levels that are not kept are made of those below, of at most half a tile. */
  private static NodeSource nodes(Prepared prepared) {
    return (level, position) -> {
      int above = level % Tiles.HEIGHT;
      CompactRange subtree = new CompactRange();
      for (Digest hash :
          keptNodes(prepared, level - above, position << above, (position + 1) << above)) {
        subtree.append(hash, (l, p, h) -> {});
      }
      if (subtree.size() != 1L << above) {
        throw new LedgerException(
            "the ledger's tree has no node at level "
                + level
                + ", position "
                + position
                + ": the database was changed from outside; run verify");
      }
      return subtree.root();
    };
  }

  /** The hashes of a level that is kept, from a position to before another. */
  private static List<Digest> keptNodes(Prepared prepared, int level, long from, long to) {
    try (ResultSet found =
        (level == 0
                ? prepared.statement(
                    "select hash from log_record where idx >= ? and idx < ? order by idx", from, to)
                : prepared.statement(
                    "select hash from log_node where level = ? and position >= ? and position < ?"
                        + " order by position",
                    (long) level,
                    from,
                    to))
            .executeQuery()) {
      List<Digest> hashes = new ArrayList<>();
      while (found.next()) {
        hashes.add(new Digest(found.getString(1)));
      }
      return hashes;
    } catch (SQLException e) {
      throw SqlProjections.failed(e);
    }
  }

  static Record parse(String leaf) {
    try {
      return Json.read(leaf.getBytes(StandardCharsets.UTF_8), Record.class);
    } catch (IllegalArgumentException e) {
      throw unreadable(e.getMessage(), e);
    }
  }

  private static LedgerException unreadable(@Nullable String problem, Exception cause) {
    return new LedgerException(
        "a record cannot be read; the database was changed from outside, or by a newer Cambium;"
            + " run verify: "
            + problem,
        cause);
  }

  // -------------------------------------------------------------------------------- ecosystem

  /** The newest declaration. */
  public Optional<Recorded<Fact.EcosystemDeclared>> ecosystem() {
    return last(Fact.EcosystemDeclared.class, ECOSYSTEM, RECORD_IDX, noCondition());
  }

  /** The declaration in force when a record was written; none before the first one. */
  public Optional<Recorded<Fact.EcosystemDeclared>> ecosystemAt(long record) {
    return last(Fact.EcosystemDeclared.class, ECOSYSTEM, RECORD_IDX, RECORD_IDX.le(record));
  }

  /** The declarations that followed a record. */
  public List<Recorded<Fact.EcosystemDeclared>> ecosystemsSince(long record) {
    return facts(Fact.EcosystemDeclared.class, ECOSYSTEM, RECORD_IDX, RECORD_IDX.gt(record));
  }

  // --------------------------------------------------------------------------------- versions

  /** The names of the lines that have a version, in alphabetical order. */
  public List<String> lines() {
    return source.read(
        // Sorted here: each database has an alphabet of its own.
        dsl -> dsl.selectDistinct(LINE).from(VERSION_TABLE).fetch(LINE).stream().sorted().toList());
  }

  /** All versions of all lines. */
  public List<Recorded<Fact.VersionRegistered>> versions() {
    return versions(noCondition());
  }

  /** All versions of a line, by number. */
  public List<Recorded<Fact.VersionRegistered>> versions(String line) {
    return versions(LINE.eq(line));
  }

  /** A version. */
  public Optional<Recorded<Fact.VersionRegistered>> version(VersionRef version) {
    return last(Fact.VersionRegistered.class, VERSION_TABLE, RECORD_IDX, is(version));
  }

  /** The versions that have this identity. */
  public List<Recorded<Fact.VersionRegistered>> versionsByManifest(Digest manifest) {
    return versions(MANIFEST.eq(manifest.hex()));
  }

  /** The versions that a campaign made. */
  public List<Recorded<Fact.VersionRegistered>> versionsOf(String campaign) {
    return versions(CAMPAIGN.eq(campaign));
  }

  /** The versions that are built on none: foundations, as they came in. */
  public List<Recorded<Fact.VersionRegistered>> foundations() {
    return versions(PARENT_LINE.isNull());
  }

  /** The versions that are built directly on one. */
  public List<Recorded<Fact.VersionRegistered>> children(VersionRef parent) {
    return versions(PARENT_LINE.eq(parent.line()).and(PARENT_NUMBER.eq(parent.number())));
  }

  /** The versions whose training data holds this artifact. */
  public List<Recorded<Fact.VersionRegistered>> versionsWithData(Digest data) {
    return facts(Fact.VersionRegistered.class, VERSION_DATA, RECORD_IDX, DIGEST.eq(data.hex()));
  }

  /** The number that the next version of a line must have. */
  public int nextVersionNumber(String line) {
    return source.read(
        dsl -> {
          Integer last =
              dsl.select(max(NUMBER))
                  .from(VERSION_TABLE)
                  .where(LINE.eq(line))
                  .fetchOne(max(NUMBER));
          return last == null ? 1 : last + 1;
        });
  }

  /** The versions that were merged from one, among others. */
  public List<Recorded<Fact.VersionRegistered>> mergedFrom(VersionRef version) {
    return facts(Fact.VersionRegistered.class, VERSION_SOURCE, RECORD_IDX, isSource(version));
  }

  private static Condition isSource(VersionRef version) {
    return SOURCE_LINE.eq(version.line()).and(SOURCE_NUMBER.eq(version.number()));
  }

  /** Every version that is built on one or merged from it, directly or not, without itself. */
  public List<VersionRef> descendants(VersionRef ancestor) {
    Table<?> below = table(name("below"));
    Field<String> belowLine = field(name("below", "line"), SQLDataType.CLOB);
    Field<Integer> belowNumber = field(name("below", "number"), SQLDataType.INTEGER);
    Table<?> child =
        select(LINE, NUMBER, PARENT_LINE.as("up_line"), PARENT_NUMBER.as("up_number"))
            .from(VERSION_TABLE)
            .unionAll(
                select(LINE, NUMBER, SOURCE_LINE.as("up_line"), SOURCE_NUMBER.as("up_number"))
                    .from(VERSION_SOURCE))
            .asTable("child");
    Field<String> childLine = field(name("child", "line"), SQLDataType.CLOB);
    Field<Integer> childNumber = field(name("child", "number"), SQLDataType.INTEGER);
    Field<String> ofLine = field(name("child", "up_line"), SQLDataType.CLOB);
    Field<Integer> ofNumber = field(name("child", "up_number"), SQLDataType.INTEGER);
    return source.read(
        dsl ->
            dsl
                .withRecursive("below", "line", "number")
                .as(
                    select(childLine, childNumber)
                        .from(child)
                        .where(ofLine.eq(ancestor.line()), ofNumber.eq(ancestor.number()))
                        .union(
                            select(childLine, childNumber)
                                .from(child)
                                .join(below)
                                .on(ofLine.eq(belowLine), ofNumber.eq(belowNumber))))
                .select(LINE, NUMBER)
                .from(below)
                .fetch()
                .stream()
                .map(row -> new VersionRef(row.value1(), row.value2()))
                .sorted()
                .toList());
  }

  /**
   * What a version is built on and was merged from, and so on up to the foundation; nearer ones
   * first, each once.
   */
  public List<VersionRef> ancestors(VersionRef version) {
    return source.read(
        dsl -> {
          Set<VersionRef> found = new LinkedHashSet<>();
          Deque<VersionRef> next = new ArrayDeque<>(parents(dsl, version));
          while (!next.isEmpty()) {
            VersionRef above = next.remove();
            if (found.add(above)) {
              next.addAll(parents(dsl, above));
            }
          }
          return List.copyOf(found);
        });
  }

  /** What a version is built on, then what it was merged from. */
  private static List<VersionRef> parents(DSLContext dsl, VersionRef version) {
    List<VersionRef> parents = new ArrayList<>();
    dsl.select(PARENT_LINE, PARENT_NUMBER)
        .from(VERSION_TABLE)
        .where(is(version), PARENT_LINE.isNotNull())
        .forEach(row -> parents.add(new VersionRef(row.value1(), row.value2())));
    dsl.select(SOURCE_LINE, SOURCE_NUMBER).from(VERSION_SOURCE).where(is(version)).fetch().stream()
        .map(row -> new VersionRef(row.value1(), row.value2()))
        .sorted()
        .forEach(parents::add);
    return parents;
  }

  // --------------------------------------------------------------------------------- channels

  /** What a channel points at. */
  public Optional<VersionRef> channel(String line, Channel channel) {
    return source.read(
        dsl ->
            dsl.select(NUMBER)
                .from(CHANNEL_TABLE)
                .where(LINE.eq(line), CHANNEL.eq(channel.label()))
                .fetchOptional(NUMBER)
                .map(number -> new VersionRef(line, number)));
  }

  /** What a line's channels point at. */
  public Map<Channel, VersionRef> channels(String line) {
    Map<Channel, VersionRef> channels = new EnumMap<>(Channel.class);
    source.read(
        dsl ->
            dsl.select(CHANNEL, NUMBER)
                .from(CHANNEL_TABLE)
                .where(LINE.eq(line))
                .fetch(
                    row ->
                        channels.put(
                            Channel.parse(row.value1()), new VersionRef(line, row.value2()))));
    return Collections.unmodifiableMap(channels);
  }

  /** How many versions every line has that has any. */
  public SortedMap<String, Integer> versionCounts() {
    SortedMap<String, Integer> counts = new TreeMap<>();
    source.read(
        dsl ->
            dsl.select(LINE, count())
                .from(VERSION_TABLE)
                .groupBy(LINE)
                .fetch(row -> counts.put(row.value1(), row.value2())));
    return Collections.unmodifiableSortedMap(counts);
  }

  /** What every line's channel of one kind points at, by line. */
  public SortedMap<String, VersionRef> allAt(Channel channel) {
    SortedMap<String, VersionRef> all = new TreeMap<>();
    source.read(
        dsl ->
            dsl.select(LINE, NUMBER)
                .from(CHANNEL_TABLE)
                .where(CHANNEL.eq(channel.label()))
                .fetch(row -> all.put(row.value1(), new VersionRef(row.value1(), row.value2()))));
    return Collections.unmodifiableSortedMap(all);
  }

  /**
   * A version and what it was made from.
   *
   * @param parent none for what was made from nothing
   */
  public record BuiltOn(VersionRef version, @Nullable VersionRef parent) {}

  /**
   * What every line's channel of one kind points at, with its parent, by line; unlike {@link
   * #versionsAt} without reading the records, which for a large fleet takes most of the time.
   */
  public SortedMap<String, BuiltOn> builtOn(Channel channel) {
    Table<?> at = CHANNEL_TABLE.as("at");
    Field<String> atLine = field(name("at", "line"), SQLDataType.CLOB);
    Field<Integer> atNumber = field(name("at", "number"), SQLDataType.INTEGER);
    Field<String> atChannel = field(name("at", "channel"), SQLDataType.CLOB);
    Table<?> version = VERSION_TABLE.as("v");
    SortedMap<String, BuiltOn> all = new TreeMap<>();
    source.read(
        dsl ->
            dsl.select(atLine, atNumber, PARENT_LINE, PARENT_NUMBER)
                .from(at)
                .join(version)
                .on(
                    field(name("v", "line"), SQLDataType.CLOB).eq(atLine),
                    field(name("v", "number"), SQLDataType.INTEGER).eq(atNumber))
                .where(atChannel.eq(channel.label()))
                .fetch(
                    row ->
                        all.put(
                            row.value1(),
                            new BuiltOn(
                                new VersionRef(row.value1(), row.value2()),
                                row.value3() == null
                                    ? null
                                    : new VersionRef(row.value3(), row.value4())))));
    return Collections.unmodifiableSortedMap(all);
  }

  /** What the versions were merged from that a channel points at, by line; none for others. */
  public SortedMap<String, List<VersionRef>> sourcesAt(Channel channel) {
    Table<?> at = CHANNEL_TABLE.as("at");
    Field<String> atLine = field(name("at", "line"), SQLDataType.CLOB);
    Field<Integer> atNumber = field(name("at", "number"), SQLDataType.INTEGER);
    Field<String> atChannel = field(name("at", "channel"), SQLDataType.CLOB);
    Table<?> merged = VERSION_SOURCE.as("m");
    SortedMap<String, List<VersionRef>> all = new TreeMap<>();
    source.read(
        dsl ->
            dsl.select(atLine, SOURCE_LINE, SOURCE_NUMBER)
                .from(at)
                .join(merged)
                .on(
                    field(name("m", "line"), SQLDataType.CLOB).eq(atLine),
                    field(name("m", "number"), SQLDataType.INTEGER).eq(atNumber))
                .where(atChannel.eq(channel.label()))
                .fetch(
                    row ->
                        all.computeIfAbsent(row.value1(), line -> new ArrayList<>())
                            .add(new VersionRef(row.value2(), row.value3()))));
    all.values().forEach(Collections::sort);
    return Collections.unmodifiableSortedMap(all);
  }

  /** The versions that every line's channel of one kind points at, by line. */
  public SortedMap<String, Recorded<Fact.VersionRegistered>> versionsAt(Channel channel) {
    Table<?> at = CHANNEL_TABLE.as("at");
    Field<String> atLine = field(name("at", "line"), SQLDataType.CLOB);
    Field<Integer> atNumber = field(name("at", "number"), SQLDataType.INTEGER);
    Field<String> atChannel = field(name("at", "channel"), SQLDataType.CLOB);
    Table<?> version = VERSION_TABLE.as("v");
    Field<Long> registered = field(name("v", "record_idx"), SQLDataType.BIGINT);
    SortedMap<String, Recorded<Fact.VersionRegistered>> all = new TreeMap<>();
    source.read(
        dsl ->
            dsl
                .select(LEAF)
                .from(at)
                .join(version)
                .on(
                    field(name("v", "line"), SQLDataType.CLOB).eq(atLine),
                    field(name("v", "number"), SQLDataType.INTEGER).eq(atNumber))
                .join(LOG_RECORD)
                .on(IDX.eq(registered))
                .where(atChannel.eq(channel.label()))
                .fetch(LEAF)
                .stream()
                .map(leaf -> Recorded.of(parse(leaf), Fact.VersionRegistered.class))
                .collect(
                    () -> all,
                    (into, found) -> into.put(found.fact().version().line(), found),
                    SortedMap::putAll));
    return Collections.unmodifiableSortedMap(all);
  }

  /** How a channel moved. */
  public List<Recorded<Fact.ChannelMoved>> channelHistory(String line, Channel channel) {
    return facts(
        Fact.ChannelMoved.class,
        CHANNEL_MOVE,
        RECORD_IDX,
        LINE.eq(line).and(CHANNEL.eq(channel.label())));
  }

  /** The moves of any channel to a version. */
  public List<Recorded<Fact.ChannelMoved>> movesTo(VersionRef version) {
    return facts(Fact.ChannelMoved.class, CHANNEL_MOVE, RECORD_IDX, is(version));
  }

  // ------------------------------------------------------------------- signals and campaigns

  /** All signals. */
  public List<SignalState> signals() {
    return signals(noCondition());
  }

  /** The signals that no campaign has taken up. */
  public List<SignalState> openSignals() {
    return signals(CAMPAIGN.isNull());
  }

  /** A signal. */
  public Optional<SignalState> signal(String signal) {
    return signals(SIGNAL.eq(signal)).stream().findFirst();
  }

  /** The signals that a campaign took up. */
  public List<SignalState> signalsOf(String campaign) {
    return signals(CAMPAIGN.eq(campaign));
  }

  /** The signals for a line. */
  public List<SignalState> signalsFor(String line) {
    return signals(LINE.eq(line));
  }

  /** A name that no signal has yet: {@code s1}, {@code s2}, … */
  public String nextSignal() {
    return nextName(SIGNAL_TABLE, SIGNAL, "s");
  }

  /** All campaigns. */
  public List<CampaignState> campaigns() {
    return campaigns(noCondition());
  }

  /** A campaign. */
  public Optional<CampaignState> campaign(String campaign) {
    return campaigns(CAMPAIGN.eq(campaign)).stream().findFirst();
  }

  /** The campaign that is open, if one is. */
  public Optional<CampaignState> openCampaign() {
    return campaigns(CLOSED_IDX.isNull()).stream().findFirst();
  }

  /** A name that no campaign has yet: {@code c1}, {@code c2}, … */
  public String nextCampaign() {
    return nextName(CAMPAIGN_TABLE, CAMPAIGN, "c");
  }

  /** What was decided at a campaign's decision points. */
  public List<Recorded<Fact.DecisionTaken>> decisions(String campaign) {
    return facts(Fact.DecisionTaken.class, DECISION_TABLE, RECORD_IDX, CAMPAIGN.eq(campaign));
  }

  /** How a campaign left the lines that it is done with. */
  public List<Recorded<Fact.LineSettled>> settlements(String campaign) {
    return facts(Fact.LineSettled.class, SETTLEMENT_TABLE, RECORD_IDX, CAMPAIGN.eq(campaign));
  }

  /** How a campaign left a line, if it is done with it. */
  public Optional<Recorded<Fact.LineSettled>> settlement(String campaign, String line) {
    return last(
        Fact.LineSettled.class,
        SETTLEMENT_TABLE,
        RECORD_IDX,
        CAMPAIGN.eq(campaign).and(LINE.eq(line)));
  }

  /**
   * How the last campaign that was done with it left each line.
   *
   * @param lines those to tell of
   */
  public Map<String, Fact.Settlement> lastSettlements(Set<String> lines) {
    Map<String, Fact.Settlement> last = new HashMap<>();
    source.read(
        dsl -> {
          // One campaign is open at a time, so they settle in their order: mostly a few tell all.
          for (String campaign :
              dsl.select(CAMPAIGN)
                  .from(CAMPAIGN_TABLE)
                  .orderBy(OPENED_IDX.desc())
                  .fetch(CAMPAIGN)) {
            if (last.size() == lines.size()) {
              break;
            }
            dsl.select(LINE, SETTLEMENT)
                .from(SETTLEMENT_TABLE)
                .where(CAMPAIGN.eq(campaign))
                .fetch(
                    row ->
                        lines.contains(row.value1())
                            ? last.putIfAbsent(row.value1(), settlement(row.value2()))
                            : null);
          }
          return last;
        });
    return Collections.unmodifiableMap(last);
  }

  private static Fact.Settlement settlement(String label) {
    return Fact.Settlement.valueOf(label.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  /** How campaigns left a line. */
  public List<Recorded<Fact.LineSettled>> settlementsOf(String line) {
    return facts(Fact.LineSettled.class, SETTLEMENT_TABLE, RECORD_IDX, LINE.eq(line));
  }

  // --------------------------------------------------------------------- actions and verdicts

  /** The result of an action, if it was ever carried out. */
  public Optional<Recorded<Fact.ActionFinished>> action(Digest key) {
    return last(Fact.ActionFinished.class, ACTION_TABLE, RECORD_IDX, ACTION.eq(key.hex()));
  }

  /** Every action that was carried out. */
  public List<Recorded<Fact.ActionFinished>> actions() {
    return facts(Fact.ActionFinished.class, ACTION_TABLE, RECORD_IDX, noCondition());
  }

  /**
   * The newest actions carried out within a stretch of the log, the newest first.
   *
   * @param from index of the first record that counts
   * @param to one past the last
   */
  public List<Recorded<Fact.ActionFinished>> actionsWithin(long from, long to, int limit) {
    return source.read(
        dsl -> {
          List<Recorded<Fact.ActionFinished>> newest = new ArrayList<>();
          for (String kind : kinds(dsl)) { // they are filed by kind, and there are few
            newest.addAll(
                newestActions(
                    dsl, KIND.eq(kind).and(RECORD_IDX.ge(from)).and(RECORD_IDX.lt(to)), limit));
          }
          return newest.stream()
              .sorted(Comparator.comparingLong(Recorded<Fact.ActionFinished>::index).reversed())
              .limit(limit)
              .toList();
        });
  }

  private static List<String> kinds(DSLContext dsl) {
    List<String> kinds = new ArrayList<>();
    for (String kind = "";
        kind != null;
        kind = dsl.select(min(KIND)).from(ACTION_TABLE).where(KIND.gt(kind)).fetchOne(min(KIND))) {
      kinds.add(kind);
    }
    return kinds;
  }

  /** The newest actions of a kind, the newest first, for estimates. */
  public List<Recorded<Fact.ActionFinished>> recentActions(String kind, int limit) {
    return source.read(dsl -> newestActions(dsl, KIND.eq(kind), limit));
  }

  private static List<Recorded<Fact.ActionFinished>> newestActions(
      DSLContext dsl, Condition which, int limit) {
    return dsl
        .select(LEAF)
        .from(ACTION_TABLE)
        .join(LOG_RECORD)
        .on(IDX.eq(RECORD_IDX))
        .where(which)
        .orderBy(RECORD_IDX.desc())
        .limit(limit)
        .fetch(LEAF)
        .stream()
        .map(leaf -> Recorded.of(parse(leaf), Fact.ActionFinished.class))
        .toList();
  }

  /** The verdicts on a version. */
  public List<Recorded<Fact.VerdictReached>> verdicts(VersionRef candidate) {
    return facts(Fact.VerdictReached.class, VERDICT, RECORD_IDX, is(candidate));
  }

  /**
   * The scores that the newest verdicts tell of the versions that every line's channel of one kind
   * points at, by line. Lines are left out whose version has no verdict; a verdict may not tell.
   */
  public Map<String, OptionalDouble> scoresAt(Channel channel) {
    Table<?> at = CHANNEL_TABLE.as("at");
    Table<?> verdict = VERDICT.as("v");
    Field<String> line = field(name("v", "line"), SQLDataType.CLOB);
    Field<Long> record = field(name("v", "record_idx"), SQLDataType.BIGINT);
    Map<String, String> newest = new HashMap<>();
    Map<String, Long> records = new HashMap<>();
    source.read(
        dsl ->
            dsl.select(line, record, LEAF)
                .from(at)
                .crossJoin(verdict) // SQLite keeps this order, and else goes through all verdicts
                .crossJoin(LOG_RECORD)
                .where(
                    line.eq(field(name("at", "line"), SQLDataType.CLOB)),
                    field(name("v", "number"), SQLDataType.INTEGER)
                        .eq(field(name("at", "number"), SQLDataType.INTEGER)),
                    IDX.eq(record),
                    field(name("at", "channel"), SQLDataType.CLOB).eq(channel.label()))
                .fetch( // unsorted: to sort whole records takes longer than to find the newest
                    row ->
                        records.merge(row.value1(), row.value2(), Math::max).equals(row.value2())
                            ? newest.put(row.value1(), row.value3())
                            : null));
    Map<String, OptionalDouble> all = new HashMap<>();
    newest.forEach((of, leaf) -> all.put(of, score(leaf)));
    return Collections.unmodifiableMap(all);
  }

  /** The score in a record of a verdict, without reading the rest of it into a fact. */
  private static OptionalDouble score(String leaf) {
    try (JsonParser json = Json.mapper().createParser(leaf)) {
      json.nextToken();
      if (enter(json, "fact")
          && json.nextToken() == JsonToken.START_OBJECT
          && enter(json, "score")
          && json.nextToken().isNumeric()) {
        return OptionalDouble.of(json.getDoubleValue());
      }
      return OptionalDouble.empty();
    } catch (IOException e) {
      throw unreadable(e.getMessage(), e);
    }
  }

  /** Goes to a member of the object that has begun; false if it has none of that name. */
  private static boolean enter(JsonParser json, String member) throws IOException {
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      if (json.currentName().equals(member)) {
        return true;
      }
      json.nextToken();
      json.skipChildren();
    }
    return false;
  }

  /** The verdicts that a campaign reached. */
  public List<Recorded<Fact.VerdictReached>> verdictsOf(String campaign) {
    return facts(Fact.VerdictReached.class, VERDICT, RECORD_IDX, CAMPAIGN.eq(campaign));
  }

  // -------------------------------------------------------------------------------- artifacts

  /** Gives every artifact that a record names, once each, in the order of the digests. */
  public void forEachArtifact(Consumer<Digest> consumer) {
    source.read(
        dsl -> {
          try (Cursor<Record1<String>> digests =
              dsl.selectDistinct(DIGEST)
                  .from(ARTIFACT)
                  .orderBy(DIGEST)
                  .fetchSize(Verification.FETCH_SIZE)
                  .fetchLazy()) {
            digests.forEach(row -> consumer.accept(new Digest(row.value1())));
          }
          return 0;
        });
  }

  // ---------------------------------------------------------------------------------- helpers

  static Condition is(VersionRef version) {
    return LINE.eq(version.line()).and(NUMBER.eq(version.number()));
  }

  /** The written form of an enum constant of the model, as in the JSON of facts. */
  static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private List<Recorded<Fact.VersionRegistered>> versions(Condition condition) {
    return facts(Fact.VersionRegistered.class, VERSION_TABLE, RECORD_IDX, condition);
  }

  private <F extends Fact> Optional<Recorded<F>> last(
      Class<F> type, Table<?> projection, Field<Long> index, Condition condition) {
    return source.read(
        dsl ->
            dsl.select(LEAF)
                .from(projection)
                .join(LOG_RECORD)
                .on(IDX.eq(index))
                .where(condition)
                .orderBy(index.desc()) // by the log's, SQLite would go through all of it
                .limit(1)
                .fetchOptional(LEAF)
                .map(leaf -> Recorded.of(parse(leaf), type)));
  }

  private <F extends Fact> List<Recorded<F>> facts(
      Class<F> type, Table<?> projection, Field<Long> index, Condition condition) {
    return source.read(
        dsl ->
            dsl
                .select(LEAF)
                .from(projection)
                .join(LOG_RECORD)
                .on(IDX.eq(index))
                .where(condition)
                .orderBy(index)
                .fetch(LEAF)
                .stream()
                .map(leaf -> Recorded.of(parse(leaf), type))
                .toList());
  }

  private List<SignalState> signals(Condition condition) {
    return source.read(
        dsl ->
            dsl
                .select(LEAF, CAMPAIGN)
                .from(SIGNAL_TABLE)
                .join(LOG_RECORD)
                .on(IDX.eq(RECEIVED_IDX))
                .where(condition)
                .orderBy(RECEIVED_IDX)
                .fetch()
                .stream()
                .map(
                    row ->
                        new SignalState(
                            Recorded.of(parse(row.value1()), Fact.SignalReceived.class),
                            Optional.ofNullable(row.value2())))
                .toList());
  }

  private List<CampaignState> campaigns(Condition condition) {
    Table<?> opening = LOG_RECORD.as("opening");
    Table<?> closing = LOG_RECORD.as("closing");
    Field<String> openingLeaf = field(name("opening", "leaf"), SQLDataType.CLOB);
    Field<String> closingLeaf = field(name("closing", "leaf"), SQLDataType.CLOB);
    Field<Long> openingIdx = field(name("opening", "idx"), SQLDataType.BIGINT);
    Field<Long> closingIdx = field(name("closing", "idx"), SQLDataType.BIGINT);
    return source.read(
        dsl ->
            dsl
                .select(openingLeaf, closingLeaf)
                .from(CAMPAIGN_TABLE)
                .join(opening)
                .on(openingIdx.eq(OPENED_IDX))
                .leftJoin(closing)
                .on(closingIdx.eq(CLOSED_IDX))
                .where(condition)
                .orderBy(OPENED_IDX)
                .fetch()
                .stream()
                .map(
                    row ->
                        new CampaignState(
                            Recorded.of(parse(row.value1()), Fact.CampaignOpened.class),
                            Optional.ofNullable(row.value2())
                                .map(leaf -> Recorded.of(parse(leaf), Fact.CampaignClosed.class))))
                .toList());
  }

  private String nextName(Table<?> of, Field<String> column, String prefix) {
    return source.read(
        dsl -> {
          int n = dsl.fetchCount(of) + 1;
          while (dsl.fetchExists(selectOne().from(of).where(column.eq(prefix + n)))) {
            n++;
          }
          return prefix + n;
        });
  }
}
