package dev.cambium.loop.plan;

import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * How often each rung has passed the gates in the latest campaigns of this ecosystem, and the order
 * of trying that follows from it.
 *
 * <p>Where ways are tried one after the other until one passes, the expected cost is least in the
 * order of cost / P(pass) (Smith, 1956, for this exchange argument). A rung's probability is
 * (passed + 1) / (tried + 2), which says a half where nothing is known (Laplace). Without any
 * history the order is the ladder's own.
 */
final class RungHistory {

  private static final int CAMPAIGNS = 20;

  /** Versions that tell all there is to know of a rate: no campaign before those is read. */
  private static final int ENOUGH = 2_000;

  private final Map<Rung, Integer> tried = new EnumMap<>(Rung.class);
  private final Map<Rung, Integer> passed = new EnumMap<>(Rung.class);

  /** Of nothing. */
  RungHistory() {}

  /** Reads the latest campaigns. */
  static RungHistory of(LedgerState state) {
    RungHistory history = new RungHistory();
    List<LedgerState.CampaignState> campaigns = state.campaigns();
    int seen = 0;
    for (int back = 1; back <= Math.min(CAMPAIGNS, campaigns.size()) && seen < ENOUGH; back++) {
      String id = campaigns.get(campaigns.size() - back).opened().fact().campaign();
      Map<VersionRef, Decision> decisions = new HashMap<>();
      for (Recorded<Fact.VerdictReached> verdict : state.verdictsOf(id)) {
        decisions.put(verdict.fact().candidate(), verdict.fact().decision());
      }
      for (Recorded<Fact.VersionRegistered> version : state.versionsOf(id)) {
        Rung rung = version.fact().rung();
        Decision decision = decisions.get(version.fact().version());
        if (rung != null && decision != null) {
          history.add(rung, decision == Decision.PASS);
          seen++;
        }
      }
    }
    return history;
  }

  void add(Rung rung, boolean pass) {
    tried.merge(rung, 1, Integer::sum);
    passed.merge(rung, pass ? 1 : 0, Integer::sum);
  }

  /** How likely a rung is to pass, from 0 to 1. */
  double passes(Rung rung) {
    return (passed.getOrDefault(rung, 0) + 1.0) / (tried.getOrDefault(rung, 0) + 2.0);
  }

  /**
   * The rungs in the order in which they should be tried.
   *
   * @param rungs in the ladder's order
   * @param cost seconds of a rung, its evaluation included
   */
  List<Rung> ordered(List<Rung> rungs, ToDoubleFunction<Rung> cost) {
    if (rungs.stream().noneMatch(tried::containsKey)) {
      return rungs;
    }
    List<Rung> ordered = new ArrayList<>(rungs);
    Map<Rung, Double> price = new EnumMap<>(Rung.class);
    rungs.forEach(rung -> price.put(rung, cost.applyAsDouble(rung) / passes(rung)));
    ordered.sort(java.util.Comparator.comparing(price::get)); // stable: the ladder's order on ties
    return ordered;
  }

  /**
   * Seconds until one passes, or all have been tried, on average.
   *
   * @param rungs in the order in which they are tried
   */
  double expected(List<Rung> rungs, ToDoubleFunction<Rung> cost) {
    double seconds = 0;
    double reached = 1;
    for (Rung rung : rungs) {
      seconds += reached * cost.applyAsDouble(rung);
      reached *= 1 - passes(rung);
    }
    return seconds;
  }
}
