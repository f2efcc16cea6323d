package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class StatisticsPropertiesTest {

  private static double[] doubles(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  @Property(tries = 300)
  void holmNeverLowersAndKeepsTheOrder(
      @ForAll @Size(max = 20) List<@DoubleRange(min = 0, max = 1) Double> values) {
    double[] p = doubles(values);
    double[] adjusted = Holm.adjust(p);
    for (int i = 0; i < p.length; i++) {
      assertThat(adjusted[i]).isBetween(p[i], Math.min(1, p.length * p[i]));
      for (int j = 0; j < p.length; j++) {
        if (p[i] <= p[j]) {
          assertThat(adjusted[i]).isLessThanOrEqualTo(adjusted[j]);
        }
      }
    }
  }

  @Property(tries = 300)
  void mcNemarTailsFitTogether(
      @ForAll @IntRange(max = 200) int negative, @ForAll @IntRange(max = 200) int positive) {
    McNemar test = new McNemar(negative, positive);
    McNemar swapped = new McNemar(positive, negative);
    assertThat(test.twoSided()).isEqualTo(swapped.twoSided()).isBetween(0.0, 1.0);
    assertThat(test.worseMidP()).isLessThanOrEqualTo(test.worse());
    assertThat(test.worseMidP() + swapped.worseMidP()).isCloseTo(1, within(1e-9));
    assertThat(test.twoSidedMidP()).isLessThanOrEqualTo(test.twoSided() + 1e-12);
  }

  @Property(tries = 300)
  void wilsonContainsTheProportion(
      @ForAll @IntRange(min = 1, max = 5000) int trials,
      @ForAll @DoubleRange(min = 0, max = 1) double share,
      @ForAll @DoubleRange(min = 0.5, max = 0.99) double level) {
    int successes = (int) (trials * share);
    Interval interval = Wilson.interval(successes, trials, level);
    assertThat(interval.lower()).isGreaterThanOrEqualTo(0);
    assertThat(interval.upper()).isLessThanOrEqualTo(1);
    double proportion = (double) successes / trials;
    assertThat(proportion).isBetween(interval.lower() - 1e-12, interval.upper() + 1e-12);
  }

  @Property(tries = 200)
  void scoreTestMirrorsWhenTheVersionsAreExchanged(
      @ForAll @IntRange(max = 50) int negative,
      @ForAll @IntRange(max = 50) int positive,
      @ForAll @IntRange(min = 100, max = 300) int items,
      @ForAll @DoubleRange(min = -0.5, max = 0.5) double delta) {
    double forwards = new PairedScoreTest(negative, positive, items).statistic(delta);
    double backwards = new PairedScoreTest(positive, negative, items).statistic(-delta);
    if (Double.isFinite(forwards)) {
      assertThat(backwards).isCloseTo(-forwards, within(1e-6 * (1 + Math.abs(forwards))));
    }
  }

  /** Wealth is a product of the bets' factors: nothing observed can make it negative or NaN. */
  @Property(tries = 200)
  void wealthStaysFinite(
      @ForAll @Size(max = 300) List<@DoubleRange(min = -1, max = 1) Double> differences,
      @ForAll @DoubleRange(min = 0, max = 0.5) double margin,
      @ForAll @IntRange(min = 1, max = 400) int planned) {
    for (NonInferiorityTest test :
        List.of(
            NonInferiorityTest.planned(margin, 0.05, planned),
            NonInferiorityTest.open(margin, 0.05))) {
      for (double d : differences) {
        test.observe(d);
      }
      assertThat(test.holding().eValue()).isNotNaN().isNotNegative();
      assertThat(test.breaking().eValue()).isNotNaN().isNotNegative();
      assertThat(test.holding().pValue()).isBetween(0.0, 1.0);
      assertThat(test.holding().largest()).isGreaterThanOrEqualTo(test.holding().eValue());
      assertThat(test.count()).isEqualTo(differences.size());
    }
  }

  @Property(tries = 100)
  void openBetsIgnoreTheOrder(
      @ForAll @Size(max = 200) List<@DoubleRange(min = -1, max = 1) Double> differences) {
    NonInferiorityTest test = NonInferiorityTest.open(0.1, 0.05);
    NonInferiorityTest reversed = NonInferiorityTest.open(0.1, 0.05);
    differences.forEach(test::observe);
    Collections.reverse(differences);
    differences.forEach(reversed::observe);
    assertThat(Math.log(reversed.holding().eValue()))
        .isCloseTo(Math.log(test.holding().eValue()), within(1e-6));
  }

  /** A better item never makes the evidence for "holds" smaller, at the next step. */
  @Property(tries = 200)
  void betterItemsAreBetterEvidence(
      @ForAll @Size(max = 60) List<@DoubleRange(min = -1, max = 1) Double> past,
      @ForAll @DoubleRange(min = -1, max = 1) double one,
      @ForAll @DoubleRange(min = -1, max = 1) double other) {
    NonInferiorityTest first = NonInferiorityTest.planned(0.05, 0.05, 100);
    NonInferiorityTest second = NonInferiorityTest.planned(0.05, 0.05, 100);
    past.forEach(first::observe);
    past.forEach(second::observe);
    first.observe(Math.min(one, other));
    second.observe(Math.max(one, other));
    assertThat(first.holding().eValue()).isLessThanOrEqualTo(second.holding().eValue());
    assertThat(first.breaking().eValue()).isGreaterThanOrEqualTo(second.breaking().eValue());
  }

  /** The interval and the finding are the same bets: they agree. */
  @Property(tries = 60)
  void theIntervalAgreesWithTheFinding(
      @ForAll @Size(min = 1, max = 200) List<@IntRange(min = -6, max = 6) Integer> coarse,
      @ForAll @DoubleRange(min = 0.01, max = 0.3) double margin) {
    // Most items agree, as in paired outcomes.
    double[] d = coarse.stream().mapToDouble(c -> c == 6 ? 1 : c == -6 ? -1 : 0).toArray();
    NonInferiorityTest test = NonInferiorityTest.planned(margin, 0.05, d.length);
    Arrays.stream(d).forEach(test::observe);
    Interval interval = test.interval();
    if (interval.lower() >= -margin) {
      assertThat(test.holding().largest()).isGreaterThanOrEqualTo(20 * (1 - 1e-12));
    }
    if (interval.upper() <= -margin) {
      assertThat(test.breaking().largest()).isGreaterThanOrEqualTo(20 * (1 - 1e-12));
    }
    if (test.finding() == Finding.HOLDS) {
      assertThat(interval.lower()).isGreaterThanOrEqualTo(-margin - 0.01);
    }
  }
}
