package dev.cambium.cli;

import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Every line as it stands.
 *
 * @param lines parents before children
 */
record Fleet(String name, List<Standing> lines) {

  /**
   * One line.
   *
   * @param channels what its channels point to
   * @param score mean score over the contract when its stable version was last judged by
   *     measurement, if it ever was
   * @param builtOn the version that the stable one is built on
   * @param mergedFrom the lines that it is merged from
   * @param behind whether that, or what it is merged from, is not what these lines have stable now
   * @param settlement how the last campaign that was done with it left it
   */
  record Standing(
      String line,
      Tier tier,
      @Nullable String parent,
      List<String> mergedFrom,
      Map<Channel, VersionRef> channels,
      int versions,
      @Nullable Double score,
      @Nullable VersionRef builtOn,
      boolean behind,
      Fact.@Nullable Settlement settlement) {

    @Nullable VersionRef stable() {
      return channels.get(Channel.STABLE);
    }
  }

  static Fleet of(Cambium cambium, Declaration declaration) {
    LedgerState state = cambium.state();
    Map<VersionRef, VersionRef> earlier = cambium.builtOnEarlier();
    // A few questions about all lines, not a few about each.
    Map<String, Recorded<Fact.LineSettled>> settled = state.lastSettlements();
    Map<String, List<Recorded<Fact.VerdictReached>>> verdicts = state.verdictsAt(Channel.STABLE);
    Map<String, Integer> versions = state.versionCounts();
    Map<String, LedgerState.BuiltOn> stables = state.builtOn(Channel.STABLE);
    Map<Channel, SortedMap<String, VersionRef>> at = new TreeMap<>();
    for (Channel channel : Channel.values()) {
      at.put(channel, state.allAt(channel));
    }
    List<Standing> lines = new ArrayList<>();
    for (Line line : declaration.lines().values()) {
      Map<Channel, VersionRef> channels = new TreeMap<>();
      at.forEach(
          (channel, lineVersions) -> {
            VersionRef version = lineVersions.get(line.name());
            if (version != null) {
              channels.put(channel, version);
            }
          });
      VersionRef stable = channels.get(Channel.STABLE);
      LedgerState.BuiltOn released = stables.get(line.name());
      OptionalDouble score = score(cambium, verdicts.getOrDefault(line.name(), List.of()));
      lines.add(
          new Standing(
              line.name(),
              line.tier(),
              line.parent(),
              line.merge() == null ? List.of() : line.merge().from(),
              channels,
              versions.getOrDefault(line.name(), 0),
              score.isPresent() ? score.getAsDouble() : null,
              released == null ? null : released.parent(),
              stable != null && earlier.containsKey(stable),
              settled.containsKey(line.name())
                  ? settled.get(line.name()).fact().settlement()
                  : null));
    }
    return new Fleet(declaration.name(), lines);
  }

  /** The newest score; older records do not tell it, so that the evidence must. */
  private static OptionalDouble score(
      Cambium cambium, List<Recorded<Fact.VerdictReached>> verdicts) {
    for (int i = verdicts.size() - 1; i >= 0; i--) {
      Fact.VerdictReached fact = verdicts.get(i).fact();
      if (fact.score() != null) {
        return OptionalDouble.of(fact.score());
      }
      Verdict verdict = cambium.evidence(fact.evidence());
      if (verdict.inherited() != null && verdict.reference() != null) {
        return score(cambium, cambium.state().verdicts(verdict.reference()));
      }
      OptionalDouble score = verdict.measured();
      if (score.isPresent()) {
        return score;
      }
    }
    return OptionalDouble.empty();
  }

  /** The line of a name. */
  Standing line(String name) {
    return lines.stream().filter(l -> l.line().equals(name)).findFirst().orElseThrow();
  }

  List<Standing> roots() {
    return lines.stream().filter(l -> l.parent() == null).toList();
  }

  List<Standing> children(String line) {
    return lines.stream().filter(l -> line.equals(l.parent())).toList();
  }
}
