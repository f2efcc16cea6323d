package dev.cambium.loop.headroom;

import dev.cambium.engine.ProbeResult;
import dev.cambium.stats.ClusteredRatio;
import dev.cambium.stats.StepsToThreshold;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares the curves of two probes, run by run.
 *
 * <p><b>The threshold</b> of a run is taken from the foundation's curve, so that it suits models of
 * every size: three quarters of the way, in logarithms, from the loss that the foundation began
 * with to its best. The same absolute loss then counts for the version. A run in which the
 * foundation's own loss fell by less than a quarter says nothing, and counts as never reached on
 * both sides.
 *
 * <p><b>The area</b> is the mean of the losses over the looks. Runs that diverged on either side
 * have none.
 */
final class Curves {

  private static final double WAY = 0.75;
  private static final double LEARNT = 0.75;

  /** Below this a loss is nothing; logarithms need more than 0. */
  private static final double NOTHING = 1e-4;

  private final List<ProbeResult.Run> foundation;
  private final List<ProbeResult.Run> version;
  private final int horizon;

  /**
   * @param horizon steps that every run was given
   * @throws IllegalArgumentException if the two did not learn the same tasks
   */
  Curves(ProbeResult foundation, ProbeResult version, int horizon) {
    this.foundation = foundation.runs();
    this.version = version.runs();
    this.horizon = horizon;
    if (this.foundation.size() != this.version.size()) {
      throw new IllegalArgumentException(
          "probes of " + this.foundation.size() + " and " + this.version.size() + " runs");
    }
    for (int i = 0; i < this.foundation.size(); i++) {
      ProbeResult.Run one = this.foundation.get(i);
      ProbeResult.Run other = this.version.get(i);
      if (!one.task().equals(other.task())
          || one.seed() != other.seed()
          || one.every() != other.every()) {
        throw new IllegalArgumentException(
            "run " + i + " is " + one.task() + " in one probe, " + other.task() + " in the other");
      }
    }
  }

  /** Steps of both sides, in every run. */
  ClusteredRatio steps() {
    List<ClusteredRatio.Steps> pairs = new ArrayList<>();
    for (int i = 0; i < foundation.size(); i++) {
      double threshold = threshold(foundation.get(i));
      pairs.add(
          new ClusteredRatio.Steps(
              foundation.get(i).task(),
              steps(foundation.get(i), threshold),
              steps(version.get(i), threshold)));
    }
    return ClusteredRatio.ofSteps(pairs, horizon);
  }

  /** Areas of both sides, in every run in which both have one; none if no two tasks are left. */
  Optional<ClusteredRatio> area() {
    List<ClusteredRatio.Values> pairs = new ArrayList<>();
    for (int i = 0; i < foundation.size(); i++) {
      if (foundation.get(i).divergedAt() == null && version.get(i).divergedAt() == null) {
        pairs.add(
            new ClusteredRatio.Values(
                foundation.get(i).task(), area(foundation.get(i)), area(version.get(i))));
      }
    }
    return pairs.stream().map(ClusteredRatio.Values::task).distinct().count() < 2
        ? Optional.empty()
        : Optional.of(ClusteredRatio.ofValues(pairs));
  }

  /** Mean losses of each kind, over the looks that all its runs have. */
  List<Headroom.Curve> means() {
    Map<String, List<Integer>> kinds = new LinkedHashMap<>();
    for (int i = 0; i < foundation.size(); i++) {
      kinds.computeIfAbsent(foundation.get(i).kind(), k -> new ArrayList<>()).add(i);
    }
    List<Headroom.Curve> means = new ArrayList<>();
    kinds.forEach(
        (kind, runs) ->
            means.add(
                new Headroom.Curve(
                    kind,
                    foundation.get(runs.get(0)).every(),
                    mean(runs.stream().map(version::get).toList()),
                    mean(runs.stream().map(foundation::get).toList()))));
    return means;
  }

  private static List<Double> mean(List<ProbeResult.Run> runs) {
    int looks = runs.stream().mapToInt(run -> run.losses().size()).min().orElse(0);
    List<Double> mean = new ArrayList<>();
    for (int look = 0; look < looks; look++) {
      double sum = 0;
      for (ProbeResult.Run run : runs) {
        sum += run.losses().get(look);
      }
      mean.add(Math.rint(1e4 * sum / runs.size()) / 1e4);
    }
    return mean;
  }

  static int diverged(ProbeResult probe) {
    return (int) probe.runs().stream().filter(run -> run.divergedAt() != null).count();
  }

  private static double at(ProbeResult.Run run, int look) {
    return Math.max(NOTHING, run.losses().get(look));
  }

  /** Negative, so that it is never reached, where the foundation learnt nothing. */
  private static double threshold(ProbeResult.Run run) {
    if (run.losses().isEmpty()) {
      return -1;
    }
    double start = at(run, 0);
    double best = start;
    for (int look = 1; look < run.losses().size(); look++) {
      best = Math.min(best, at(run, look));
    }
    return best > LEARNT * start
        ? -1
        : Math.exp((1 - WAY) * Math.log(start) + WAY * Math.log(best));
  }

  private StepsToThreshold steps(ProbeResult.Run run, double threshold) {
    if (run.losses().isEmpty()) {
      return new StepsToThreshold(horizon, false);
    }
    double[] losses = run.losses().stream().mapToDouble(Double::doubleValue).toArray();
    StepsToThreshold looks = StepsToThreshold.of(losses, threshold);
    return looks.reached()
        ? new StepsToThreshold(looks.steps() * run.every(), true)
        : new StepsToThreshold(horizon, false);
  }

  private static double area(ProbeResult.Run run) {
    double sum = 0;
    for (int look = 0; look < run.losses().size(); look++) {
      sum += at(run, look);
    }
    return sum / run.losses().size();
  }
}
