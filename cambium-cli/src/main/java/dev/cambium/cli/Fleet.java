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
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * Every line as it stands.
 *
 * @param lines parents before children
 */
record Fleet(Declaration declaration, List<Standing> lines) {

  /**
   * One line.
   *
   * @param channels what its channels point to
   * @param score mean score over the contract when its stable version was last judged by
   *     measurement, if it ever was
   * @param builtOn the version that the stable one is built on
   * @param mergedFrom the lines that it is merged from
   * @param behind whether that, or what it is merged from, is not what these lines have stable now
   * @param settlement how the last campaign that was done with it left it; see {@link #settled}
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

    private Standing settled(Fact.@Nullable Settlement left) {
      return new Standing(
          line, tier, parent, mergedFrom, channels, versions, score, builtOn, behind, left);
    }
  }

  /** What the records say of all lines: a few questions, not a few about each. */
  private record Known(
      Map<VersionRef, VersionRef> earlier,
      Map<String, OptionalDouble> scores,
      Map<String, Integer> versions,
      Map<String, LedgerState.BuiltOn> stables,
      Map<Channel, Map<String, VersionRef>> at) {

    static Known of(Cambium cambium) {
      LedgerState state = cambium.state();
      Map<String, LedgerState.BuiltOn> stables = state.builtOn(Channel.STABLE);
      Map<Channel, Map<String, VersionRef>> at = new TreeMap<>();
      for (Channel channel : Channel.values()) {
        if (channel != Channel.STABLE) {
          at.put(channel, state.allAt(channel));
        }
      }
      return new Known(
          cambium.builtOnEarlier(stables),
          state.scoresAt(Channel.STABLE),
          state.versionCounts(),
          stables,
          at);
    }
  }

  /**
   * Declares an ecosystem and looks at its records, one beside the other: for a large fleet both
   * take a while.
   */
  static Fleet of(Cambium cambium) {
    FutureTask<Known> known = new FutureTask<>(() -> Known.of(cambium));
    ForkJoinPool.commonPool().execute(known);
    Declaration declaration;
    try {
      declaration = cambium.declare();
    } catch (RuntimeException e) {
      await(known); // or the ledger is closed while it is read
      throw e;
    }
    return of(cambium, declaration, await(known));
  }

  private static Known await(FutureTask<Known> known) {
    known.run(); // unless another thread has begun it
    try {
      return known.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the records were read", e);
    }
  }

  private static Fleet of(Cambium cambium, Declaration declaration, Known known) {
    List<Standing> lines = new ArrayList<>();
    for (Line line : declaration.lines().values()) {
      Map<Channel, VersionRef> channels = new TreeMap<>();
      known.at.forEach(
          (channel, lineVersions) -> {
            VersionRef version = lineVersions.get(line.name());
            if (version != null) {
              channels.put(channel, version);
            }
          });
      LedgerState.BuiltOn released = known.stables.get(line.name());
      VersionRef stable = released == null ? null : released.version();
      if (stable != null) {
        channels.put(Channel.STABLE, stable);
      }
      OptionalDouble score = score(cambium, line.name(), stable, known);
      lines.add(
          new Standing(
              line.name(),
              line.tier(),
              line.parent(),
              line.merge() == null ? List.of() : line.merge().from(),
              channels,
              known.versions.getOrDefault(line.name(), 0),
              score.isPresent() ? score.getAsDouble() : null,
              released == null ? null : released.parent(),
              stable != null && known.earlier.containsKey(stable),
              null));
    }
    return new Fleet(declaration, lines);
  }

  private static OptionalDouble score(
      Cambium cambium, String line, @Nullable VersionRef stable, Known known) {
    OptionalDouble told = known.scores.get(line);
    return told == null || told.isPresent() || stable == null
        ? Objects.requireNonNullElse(told, OptionalDouble.empty())
        : score(cambium, cambium.state().verdicts(stable));
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

  String name() {
    return declaration.name();
  }

  /** With how campaigns left the lines, which a person is not told. */
  Fleet settled(Cambium cambium) {
    Map<String, Fact.Settlement> settled =
        cambium.state().lastSettlements(declaration.lines().keySet());
    return new Fleet(
        declaration, lines.stream().map(line -> line.settled(settled.get(line.line()))).toList());
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
