package dev.cambium.loop.campaign;

import dev.cambium.model.ModuleGroup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * The search for how much of an old change serves a new base: one share for all first, then, if
 * none is good enough, more or less of one group of modules after the other. Every look costs an
 * evaluation, so there are nine at most, and none after one that is good enough.
 */
final class ShareSearch {

  /** Shares of the whole change, the likeliest first. */
  private static final List<Double> ALL = List.of(1.0, 0.75, 1.25);

  private static final double STEP = 0.25;

  /** A share that keeps this much of the old version's score ends the search. */
  private static final double GOOD_ENOUGH = 0.98;

  /**
   * Below this part of the old score no group by itself will make up for the rest (on SmolLM2 0.80
   * of 0.93 became 0.82), and each look costs an evaluation.
   */
  private static final double HOPELESS = 0.9;

  /**
   * Shares of a change.
   *
   * @param all of what {@code groups} does not name
   * @param groups by their {@link ModuleGroup#label}
   */
  record Shares(double all, Map<String, Double> groups) {
    Shares {
      groups = Map.copyOf(groups);
    }

    double of(ModuleGroup group) {
      return groups.getOrDefault(group.label(), all);
    }

    Shares with(ModuleGroup group, double share) {
      Map<String, Double> changed = new TreeMap<>(groups);
      changed.put(group.label(), share);
      return new Shares(all, changed);
    }

    /** Whether it is the change as it was. */
    boolean isWhole() {
      return all == 1 && groups.isEmpty();
    }

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%.2f", all));
      new TreeMap<>(groups)
          .forEach(
              (group, share) -> text.append(String.format(Locale.ROOT, " %s %.2f", group, share)));
      return text.toString();
    }
  }

  private final double target;
  private final List<ModuleGroup> groups;
  private final boolean wholeSettles;
  private final Map<Shares, Double> looked = new LinkedHashMap<>();

  /**
   * A search.
   *
   * @param target score of the old version
   * @param groups that there are weights of
   * @param wholeSettles whether the search may end with the whole change; not so where that was
   *     tried already
   */
  ShareSearch(double target, List<ModuleGroup> groups, boolean wholeSettles) {
    this.target = target;
    this.groups = List.copyOf(groups);
    this.wholeSettles = wholeSettles;
  }

  /**
   * The best shares; of equally good ones those that were looked at first.
   *
   * @param score of the change taken with some shares
   */
  Shares best(ToDoubleFunction<Shares> score) {
    Shares best = new Shares(ALL.get(0), Map.of());
    for (double all : ALL) {
      best = better(best, new Shares(all, Map.of()), score);
      if (done(best)) {
        return best;
      }
    }
    if (score(best, score) < HOPELESS * target) {
      return best;
    }
    for (ModuleGroup group : groups) {
      double from = best.of(group);
      for (double step : new double[] {-STEP, STEP}) {
        best = better(best, best.with(group, from + step), score);
        if (done(best)) {
          return best;
        }
      }
    }
    return best;
  }

  /** What was looked at, with its score, in order. */
  List<String> looks() {
    List<String> looks = new ArrayList<>();
    looked.forEach(
        (shares, score) -> looks.add(String.format(Locale.ROOT, "%s: %.3f", shares, score)));
    return looks;
  }

  private boolean done(Shares best) {
    return looked.getOrDefault(best, 0.0) >= GOOD_ENOUGH * target
        && (wholeSettles || !best.isWhole());
  }

  private Shares better(Shares best, Shares other, ToDoubleFunction<Shares> score) {
    double before = score(best, score);
    return score(other, score) > before ? other : best;
  }

  private double score(Shares shares, ToDoubleFunction<Shares> score) {
    Double known = looked.get(shares);
    if (known == null) {
      known = score.applyAsDouble(shares);
      looked.put(shares, known);
    }
    return known;
  }
}
