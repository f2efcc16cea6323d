package dev.cambium.loop.explain;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.plan.CostModel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Recipe;
import dev.cambium.model.Rung;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an upgrade of a base did to a fleet: for every line how it was carried, what it kept, and
 * what that cost against retraining it.
 *
 * @param campaign its id
 * @param lines in the order in which they were settled
 * @param making seconds of all that made candidates, the failed ones included
 * @param measuring seconds of all evaluations, probes and crossings
 * @param retraining seconds that retraining every carried line that has a recipe would take, from
 *     what trainings of that kind took so far, evaluations not counted
 * @param measured whether such trainings are on record for all of them; otherwise it is a guess
 */
public record Wave(
    String campaign,
    List<OfLine> lines,
    double making,
    double measuring,
    double retraining,
    boolean measured) {

  public Wave {
    lines = List.copyOf(lines);
  }

  /**
   * One line.
   *
   * @param before its stable version before; none if it had none
   * @param after its stable version at the end
   * @param rung that carried it; none where nothing did
   * @param attempts every candidate that was judged, in order
   * @param retraining seconds that retraining it would take; none without a recipe
   */
  public record OfLine(
      String line,
      Tier tier,
      @Nullable VersionRef before,
      @Nullable VersionRef after,
      Fact.Settlement settlement,
      @Nullable Rung rung,
      List<Attempt> attempts,
      @Nullable Double retraining,
      String reason) {
    public OfLine {
      attempts = List.copyOf(attempts);
    }

    /** The candidate that was released; none where none was. */
    public @Nullable Attempt released() {
      return attempts.stream().filter(a -> a.version().equals(after)).findFirst().orElse(null);
    }
  }

  /**
   * One candidate.
   *
   * @param score its mean over the contract's capabilities; none where nothing was evaluated
   * @param reference the same of the version before
   * @param negativeFlips items that were right before and are wrong now
   * @param seconds to make it; 0 where nothing was run
   * @param note how it came about
   */
  public record Attempt(
      VersionRef version,
      @Nullable Rung rung,
      Decision decision,
      @Nullable Double score,
      @Nullable Double reference,
      int negativeFlips,
      double seconds,
      String note) {

    /** Share of the capability kept: its score by that of the version before, at most 1. */
    public @Nullable Double kept() {
      return score == null || reference == null || reference <= 0
          ? null
          : Double.valueOf(Math.min(1, score / reference));
    }
  }

  /** Reads a campaign's records. */
  public static Wave of(
      String campaign, LedgerState state, ArtifactStore store, Declaration declaration) {
    CostModel costs = CostModel.of(state, store);
    long from = state.campaign(campaign).orElseThrow().opened().index();
    long to =
        state
            .campaign(campaign)
            .flatMap(LedgerState.CampaignState::closed)
            .map(Recorded::index)
            .orElse(state.size());
    Map<Digest, Double> seconds = new HashMap<>();
    double making = 0;
    double measuring = 0;
    for (Recorded<Fact.ActionFinished> action : state.actionsWithin(from, to, Integer.MAX_VALUE)) {
      seconds.put(action.fact().action(), action.fact().seconds());
      if (action.fact().kind().equals("prompt")) {
        continue; // its seconds are those of its evaluations
      }
      if (List.of("evaluate", "probe", "crossing").contains(action.fact().kind())) {
        measuring += action.fact().seconds();
      } else {
        making += action.fact().seconds();
      }
    }
    Map<VersionRef, Verdict> verdicts = new HashMap<>();
    for (Recorded<Fact.VerdictReached> verdict : state.verdictsOf(campaign)) {
      verdicts.put(
          verdict.fact().candidate(),
          Json.read(store.bytes(verdict.fact().evidence()), Verdict.class));
    }
    List<OfLine> lines = new ArrayList<>();
    double retraining = 0;
    boolean measured = true;
    for (Recorded<Fact.LineSettled> recorded : state.settlements(campaign)) {
      Fact.LineSettled settled = recorded.fact();
      List<Attempt> attempts = new ArrayList<>();
      VersionRef before = null;
      for (Recorded<Fact.VersionRegistered> version : state.versionsOf(campaign)) {
        Fact.VersionRegistered fact = version.fact();
        Verdict verdict = verdicts.get(fact.version());
        if (fact.version().line().equals(settled.line()) && verdict != null) {
          before = fact.predecessor();
          attempts.add(attempt(fact, verdict, seconds));
        }
      }
      Recipe recipe = declaration.recipe(settled.line()).orElse(null);
      boolean carried = attempts.stream().anyMatch(a -> a.rung() != null);
      Double again = recipe == null || !carried ? null : Double.valueOf(costs.training(recipe));
      if (again != null && recipe != null) {
        retraining += again;
        measured &= costs.knows(recipe);
      }
      lines.add(
          new OfLine(
              settled.line(),
              declaration.line(settled.line()).tier(),
              before,
              settled.version(),
              settled.settlement(),
              settled.rung(),
              attempts,
              again,
              settled.reason()));
    }
    return new Wave(campaign, lines, making, measuring, retraining, measured);
  }

  private static Attempt attempt(
      Fact.VersionRegistered fact, Verdict verdict, Map<Digest, Double> seconds) {
    List<Verdict.OfCapability> evaluated =
        verdict.capabilities().stream()
            .filter(c -> c.evaluated() > 0 && c.referenceScore() != null)
            .toList();
    Double reference =
        evaluated.isEmpty()
            ? null
            : Double.valueOf(
                evaluated.stream()
                    .mapToDouble(c -> c.referenceScore() == null ? 0 : c.referenceScore())
                    .average()
                    .orElse(0));
    Double score =
        verdict.measured().isPresent() ? Double.valueOf(verdict.measured().getAsDouble()) : null;
    return new Attempt(
        fact.version(),
        fact.rung(),
        verdict.decision(),
        score,
        reference,
        verdict.negativeFlips(),
        fact.action() == null ? 0 : seconds.getOrDefault(fact.action(), 0.0),
        fact.note());
  }
}
