package dev.cambium.ledger;

import static dev.cambium.ledger.LedgerState.label;
import static dev.cambium.ledger.Schema.*;

import dev.cambium.ledger.Schema.Relation;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Projector} asks of the projections and what it changes in them. Keeps what it was
 * told; what came before, a subclass knows. Rows are given as the columns of their relation,
 * numbers as {@link Long}.
 *
 * <p>On its own it begins with an empty log, and is what a replay needs: at most some hundred bytes
 * a record, as most facts are never asked for.
 */
class Projections {

  private static final int OPENED_AT = CAMPAIGNS.place(OPENED_IDX);
  private static final int CLOSED_AT = CAMPAIGNS.place(CLOSED_IDX);
  private static final int POINTS_AT = CHANNELS.place(NUMBER);

  private final Map<String, Integer> lastNumbers = new HashMap<>();
  private final DigestSet finished = new DigestSet();
  private final DigestSet verdicts = new DigestSet();
  private final DigestSet moves = new DigestSet();

  /** Rows that may change, by the values of their keys. */
  private final Map<Relation, Map<List<Object>, Object[]>> changing = new HashMap<>();

  /** The lines that the open campaign has settled. */
  private final Set<List<String>> settled = new HashSet<>();

  private final Map<String, Map<String, Integer>> settlements = new HashMap<>();
  private @Nullable Optional<String> openCampaign;
  private @Nullable Optional<String> signingKey;

  /** Takes a row that is new or, where the relation's rows change, in the place of another. */
  protected void write(Relation relation, Object[] row) {}

  // ------------------------------------------------------- what was before; nothing on its own

  protected int loadLastNumber(String line) {
    return 0;
  }

  protected boolean loadFinished(Digest action) {
    return false;
  }

  protected Object @Nullable [] loadRow(Relation relation, List<Object> key) {
    return null;
  }

  protected Optional<String> loadOpenCampaign() {
    return Optional.empty();
  }

  protected boolean loadMoved(VersionRef version, Channel channel) {
    return false;
  }

  protected List<String> loadDecisions(VersionRef version, Digest evidence) {
    return List.of();
  }

  protected boolean loadSettled(String campaign, String line) {
    return false;
  }

  protected Map<String, Integer> loadSettlements(String campaign) {
    return Map.of();
  }

  protected Optional<String> loadSigningKey() {
    return Optional.empty();
  }

  // --------------------------------------------------------------------------------- questions

  /** The number of a line's newest version; 0 if it has none. */
  final int lastNumber(String line) {
    Integer known = lastNumbers.get(line);
    if (known == null) {
      known = loadLastNumber(line);
      lastNumbers.put(line, known);
    }
    return known;
  }

  /** Whether there is a version: numbers have no gaps. */
  final boolean isRegistered(VersionRef version) {
    return version.number() <= lastNumber(version.line());
  }

  final boolean isFinished(Digest action) {
    return finished.contains(action) || loadFinished(action);
  }

  /** When an open campaign was opened; nothing if there is none of that name, or it is closed. */
  final Optional<Long> opened(String campaign) {
    return row(CAMPAIGNS, campaign)
        .filter(row -> row[CLOSED_AT] == null)
        .map(row -> (Long) row[OPENED_AT]);
  }

  final Optional<String> openCampaign() {
    if (openCampaign == null) {
      openCampaign = loadOpenCampaign();
    }
    return openCampaign;
  }

  /** The row of a relation whose rows change. */
  final Optional<Object[]> row(Relation relation, Object... key) {
    List<Object> at = List.of(key);
    Map<List<Object>, Object[]> rows = changing.computeIfAbsent(relation, r -> new HashMap<>());
    Object[] row = rows.get(at);
    if (row == null) {
      row = loadRow(relation, at);
      if (row != null) {
        rows.put(at, row);
      }
    }
    return Optional.ofNullable(row);
  }

  final Optional<VersionRef> channel(String line, Channel channel) {
    return row(CHANNELS, line, channel.label())
        .map(row -> new VersionRef(line, ((Long) row[POINTS_AT]).intValue()));
  }

  /** Whether a channel ever was at a version. */
  final boolean wasAt(VersionRef version, Channel channel) {
    return moves.contains(key(version, channel)) || loadMoved(version, channel);
  }

  /** What the verdicts on a version with this evidence decided, each once at least. */
  final List<String> decisions(VersionRef version, Digest evidence) {
    List<String> decisions = new ArrayList<>(loadDecisions(version, evidence));
    for (Decision decision : Decision.values()) {
      String label = label(decision);
      if (!decisions.contains(label) && verdicts.contains(key(version, evidence, label))) {
        decisions.add(label);
      }
    }
    return decisions;
  }

  final boolean isSettled(String campaign, String line) {
    return settled.contains(List.of(campaign, line)) || loadSettled(campaign, line);
  }

  /** How many lines a campaign left in which way. */
  final Map<String, Integer> settlements(String campaign) {
    return settlements.computeIfAbsent(campaign, c -> new TreeMap<>(loadSettlements(c)));
  }

  final Optional<String> signingKey() {
    if (signingKey == null) {
      signingKey = loadSigningKey();
    }
    return signingKey;
  }

  // ----------------------------------------------------------------------------------- changes

  final void registered(VersionRef version, @Nullable Object... row) {
    lastNumbers.put(version.line(), version.number());
    write(VERSIONS, row);
  }

  final void finished(Digest action, @Nullable Object... row) {
    finished.add(action);
    write(ACTIONS, row);
  }

  final void judged(
      VersionRef version, Digest evidence, Decision decision, @Nullable Object... row) {
    verdicts.add(key(version, evidence, label(decision)));
    write(VERDICTS, row);
  }

  final void moved(VersionRef to, Channel channel, @Nullable Object... row) {
    moves.add(key(to, channel));
    write(MOVES, row);
  }

  final void settled(String campaign, String line, String settlement, @Nullable Object... row) {
    settlements(campaign).merge(settlement, 1, Integer::sum);
    settled.add(List.of(campaign, line));
    write(SETTLEMENTS, row);
  }

  final void opened(String campaign, @Nullable Object... row) {
    openCampaign = Optional.of(campaign);
    put(CAMPAIGNS, row);
  }

  final void closed(String campaign, @Nullable Object... row) {
    openCampaign = Optional.empty();
    settlements.remove(campaign);
    settled.removeIf(line -> line.get(0).equals(campaign));
    put(CAMPAIGNS, row);
  }

  final void signedBy(String verifier, @Nullable Object... row) {
    signingKey = Optional.of(verifier);
    write(SIGNING_KEYS, row);
  }

  /** Takes a row of a relation whose rows change. */
  final void put(Relation relation, @Nullable Object... row) {
    changing.computeIfAbsent(relation, r -> new HashMap<>()).put(relation.keyOf(row), row);
    write(relation, row);
  }

  /** Takes a row that nobody asks for. */
  final void add(Relation relation, @Nullable Object... row) {
    write(relation, row);
  }

  /**
   * The rows of a relation whose rows change, as far as they are known, in the order of the log.
   */
  final Collection<Object[]> rows(Relation relation) {
    int index = relation.place(RECORD_IDX);
    return changing.getOrDefault(relation, Map.of()).values().stream()
        .sorted(Comparator.comparing(row -> (Long) row[index]))
        .toList();
  }

  private static Digest key(VersionRef version, Channel channel) {
    return Digest.ofText(version + " " + channel.label());
  }

  private static Digest key(VersionRef version, Digest evidence, String decision) {
    return Digest.ofText(version + " " + evidence + " " + decision);
  }
}
