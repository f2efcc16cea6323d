package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ClusteredRatioTest {

  private static StepsToThreshold at(int steps) {
    return new StepsToThreshold(steps, true);
  }

  private static StepsToThreshold never(int steps) {
    return new StepsToThreshold(steps, false);
  }

  @Test
  void geometricMeanOfTheTasksRatiosOfMeans() {
    ClusteredRatio ratio =
        ClusteredRatio.ofSteps(
            List.of(
                new ClusteredRatio.Steps("a", at(10), at(12)),
                new ClusteredRatio.Steps("a", at(14), at(12)), // a: 24 / 24
                new ClusteredRatio.Steps("b", at(10), at(40))), // b: 10 / 40
            50);
    assertThat(ratio.ratio()).isCloseTo(0.5, within(1e-12)); // √(1 · ¼)
    assertThat(ratio.tasks()).isEqualTo(2);
    assertThat(ratio.pairs()).isEqualTo(3);
    // logs 0 and −ln 4: deviation ln 4 / √2, error ln 4 / 2, t(1 df, 0.9) = 3.0777 at level 0.8
    Interval interval = ratio.interval(0.8).orElseThrow();
    double half = 3.077683537 * Math.log(4) / 2;
    assertThat(interval.lower()).isCloseTo(0.5 * Math.exp(-half), within(1e-8));
    assertThat(interval.upper()).isCloseTo(0.5 * Math.exp(half), within(1e-7));
    assertThat(ratio.statement())
        .isEqualTo("ratio of restricted mean steps, 2 tasks, 3 pairs, none censored");
  }

  @Test
  void aThresholdNeverReachedIsCensoredNotDropped() {
    ClusteredRatio ratio =
        ClusteredRatio.ofSteps(
            List.of(
                new ClusteredRatio.Steps("a", at(10), never(40)),
                new ClusteredRatio.Steps("b", at(20), at(20))),
            40);
    assertThat(ratio.ratio()).isCloseTo(0.5, within(1e-12)); // √(10/40 · 1); 1 if dropped
    assertThat(ratio.censoredSubject()).isEqualTo(1);
    assertThat(ratio.censoredReference()).isZero();
    assertThat(ratio.decisive()).isTrue();
    assertThat(ratio.statement())
        .endsWith("censored at 40 steps: 0 of the reference, 1 of the subject");
  }

  @Test
  void pairsWithoutAnyInformationDecideNothing() {
    ClusteredRatio ratio =
        ClusteredRatio.ofSteps(
            List.of(
                new ClusteredRatio.Steps("a", never(40), never(40)),
                new ClusteredRatio.Steps("b", never(40), never(40)),
                new ClusteredRatio.Steps("c", at(5), at(5))),
            40);
    assertThat(ratio.ratio()).isCloseTo(1, within(1e-12));
    assertThat(ratio.decisive()).isFalse();
  }

  @Test
  void oneTaskHasNoInterval() {
    ClusteredRatio ratio =
        ClusteredRatio.ofValues(
            List.of(new ClusteredRatio.Values("a", 1, 2), new ClusteredRatio.Values("a", 2, 2)));
    assertThat(ratio.ratio()).isCloseTo(0.75, within(1e-12));
    assertThat(ratio.interval(0.95)).isEmpty();
    assertThatThrownBy(() -> ClusteredRatio.ofValues(List.of())).hasMessageContaining("at least");
    assertThatThrownBy(() -> new ClusteredRatio.Values("a", 0, 1))
        .hasMessageContaining("positive and finite: 0.0, 1.0");
    assertThatThrownBy(
            () -> ClusteredRatio.ofSteps(List.of(new ClusteredRatio.Steps("a", at(9), at(5))), 8))
        .hasMessageContaining("9 steps are more than the horizon of 8");
  }

  @Test
  void stepsAreFoundOnACurve() {
    double[] curve = {3, 2, Double.NaN, 1.5, 1.6};
    assertThat(StepsToThreshold.of(curve, 1.5)).isEqualTo(at(3));
    assertThat(StepsToThreshold.of(curve, 3)).isEqualTo(at(0));
    assertThat(StepsToThreshold.of(curve, 1)).isEqualTo(never(5));
    assertThat(StepsToThreshold.of(new double[] {Double.NEGATIVE_INFINITY, 4}, 1))
        .isEqualTo(never(2));
  }

  @Test
  void theIntervalCoversTheTruthAboutAsOftenAsItSays() {
    SplittableRandom random = new SplittableRandom(11);
    int covered = 0;
    int runs = 2000;
    for (int run = 0; run < runs; run++) {
      List<ClusteredRatio.Values> values = new ArrayList<>();
      for (int task = 0; task < 6; task++) {
        double effect = Math.exp(0.2 * random.nextGaussian()) * 0.9;
        for (int seed = 0; seed < 3; seed++) {
          double base = 10 * Math.exp(0.05 * random.nextGaussian());
          double other = 10 * Math.exp(0.05 * random.nextGaussian()) / effect;
          values.add(new ClusteredRatio.Values("t" + task, base, other));
        }
      }
      covered += ClusteredRatio.ofValues(values).interval(0.9).orElseThrow().contains(0.9) ? 1 : 0;
    }
    // Three standard errors of a share of 0.9 in 2,000 are 0.02.
    assertThat(covered / (double) runs).isCloseTo(0.9, within(0.02));
  }

  @Property(tries = 200)
  void swappingTheSidesInvertsTheRatio(
      @ForAll @IntRange(min = 2, max = 6) int tasks, @ForAll int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<ClusteredRatio.Steps> there = new ArrayList<>();
    List<ClusteredRatio.Steps> back = new ArrayList<>();
    for (int task = 0; task < tasks; task++) {
      StepsToThreshold a = at(1 + random.nextInt(30));
      StepsToThreshold b = random.nextInt(4) == 0 ? never(30) : at(1 + random.nextInt(30));
      there.add(new ClusteredRatio.Steps("t" + task, a, b));
      back.add(new ClusteredRatio.Steps("t" + task, b, a));
    }
    ClusteredRatio one = ClusteredRatio.ofSteps(there, 30);
    ClusteredRatio other = ClusteredRatio.ofSteps(back, 30);
    assertThat(one.ratio() * other.ratio()).isCloseTo(1, within(1e-9));
    Interval interval = one.interval(0.9).orElseThrow();
    assertThat(interval.lower()).isLessThanOrEqualTo(one.ratio() * (1 + 1e-12));
    assertThat(interval.upper()).isGreaterThanOrEqualTo(one.ratio() * (1 - 1e-12));
  }
}
