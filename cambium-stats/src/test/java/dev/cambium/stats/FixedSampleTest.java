package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fixed-sample companions against published worked examples. */
class FixedSampleTest {

  /**
   * Agresti, Categorical Data Analysis (3rd ed.), table 11.1: approval of the prime minister, 1,600
   * asked twice, 150 and 86 changed their minds. R's exact2x2 prints p = 3.716e-05.
   */
  @Test
  void mcNemarOnApprovalRatings() {
    McNemar test = new McNemar(150, 86);
    assertThat(test.discordant()).isEqualTo(236);
    assertThat(test.twoSided()).isCloseTo(3.716e-5, within(5e-9));
    assertThat(test.worse()).isCloseTo(3.716e-5 / 2, within(5e-9));
  }

  /**
   * Fagerland, Lydersen and Laake (2013), BMC Med Res Methodol 13:91, airway hyper-responsiveness
   * of 21 children (Bentur et al.): 1 and 7 discordant; exact p = 0.070, mid-p = 0.039.
   */
  @Test
  void mcNemarMidPOnAirwayResponsiveness() {
    McNemar test = new McNemar(7, 1);
    assertThat(test.twoSided()).isCloseTo(0.0703125, within(1e-12));
    assertThat(test.twoSidedMidP()).isCloseTo(0.0390625, within(1e-12));
    assertThat(test.worse()).isCloseTo(9.0 / 256, within(1e-12));
    assertThat(new McNemar(1, 7).worse()).isCloseTo(255.0 / 256, within(1e-12));
    assertThat(new McNemar(1, 7).twoSided()).isEqualTo(test.twoSided());
    assertThat(test.worseMidP()).isCloseTo(5.0 / 256, within(1e-12));
  }

  @Test
  void mcNemarWithoutDiscordantPairsSaysNothing() {
    assertThat(new McNemar(0, 0).twoSided()).isEqualTo(1);
    assertThat(new McNemar(0, 0).worse()).isEqualTo(1);
  }

  @Test
  void mcNemarCountsFlips() {
    assertThat(
            McNemar.of(
                new boolean[] {true, true, false, false, true},
                new boolean[] {true, false, true, false, false}))
        .isEqualTo(new McNemar(2, 1));
    assertThatThrownBy(() -> McNemar.of(new boolean[2], new boolean[3]))
        .hasMessageContaining("2 and 3");
  }

  /** Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3. */
  @ParameterizedTest
  @CsvSource({
    "81, 263, 0.2553, 0.3662",
    "15, 148, 0.0624, 0.1605",
    "0, 20, 0.0000, 0.1611",
    "1, 29, 0.0061, 0.1718"
  })
  void wilsonOnNewcombesExamples(int successes, int trials, double lower, double upper) {
    Interval interval = Wilson.interval(successes, trials, 0.95);
    assertThat(interval.lower()).isCloseTo(lower, within(5e-5));
    assertThat(interval.upper()).isCloseTo(upper, within(5e-5));
    Interval mirrored = Wilson.interval(trials - successes, trials, 0.95);
    assertThat(mirrored.lower()).isCloseTo(1 - interval.upper(), within(1e-12));
    assertThat(mirrored.upper()).isCloseTo(1 - interval.lower(), within(1e-12));
  }

  @Test
  void wilsonRefusesNothingObserved() {
    assertThatThrownBy(() -> Wilson.interval(0, 0, 0.95)).hasMessageContaining("0 of 0");
    assertThatThrownBy(() -> Wilson.interval(3, 2, 0.95)).hasMessageContaining("3 of 2");
  }

  /**
   * The textbook example with four hypotheses (p = 0.01, 0.04, 0.03, 0.005 at 0.05): the fourth and
   * the first are rejected, then the procedure stops. R: p.adjust(p, "holm").
   */
  @Test
  void holmOnFourHypotheses() {
    double[] p = {0.01, 0.04, 0.03, 0.005};
    assertThat(Holm.adjust(p))
        .containsExactly(new double[] {0.03, 0.06, 0.06, 0.02}, within(1e-12));
    assertThat(Holm.rejected(0.05, p)).containsExactly(true, false, false, true);
    assertThat(Holm.adjustEValues(100, 25, 100.0 / 3, 200))
        .containsExactly(new double[] {0.03, 0.06, 0.06, 0.02}, within(1e-12));
  }

  @Test
  void holmRefusesWhatIsNoPValue() {
    assertThatThrownBy(() -> Holm.adjust(0.5, Double.NaN)).hasMessageContaining("p-value 1");
    assertThatThrownBy(() -> Holm.adjustEValues(-1)).hasMessageContaining("e-value 0");
    assertThat(Holm.adjust()).isEmpty();
  }

  /**
   * Tango (1998), Statistics in Medicine 17:891-908: two lens disinfection treatments, 44 patients,
   * 43 succeed with both and one with the standard only; margin 0.1 gives Z = 1.709.
   */
  @Test
  void scoreTestOnLensDisinfection() {
    PairedScoreTest test = new PairedScoreTest(1, 0, 44);
    assertThat(test.statistic(-0.1)).isCloseTo(1.709, within(5e-4));
    assertThat(test.notInferior(0.1)).isCloseTo(0.0437, within(5e-4));
    assertThat(test.inferior(0.1)).isCloseTo(1 - test.notInferior(0.1), within(1e-12));
  }

  /** Fagerland, Lydersen and Laake (2014), airway hyper-responsiveness: Tango's interval. */
  @Test
  void scoreIntervalOnAirwayResponsiveness() {
    Interval interval = new PairedScoreTest(7, 1, 21).interval(0.95);
    assertThat(interval.lower()).isCloseTo(-0.517, within(5e-4));
    assertThat(interval.upper()).isCloseTo(-0.026, within(5e-4));
  }

  /** Without a margin the score test is McNemar's: (b − c)/√(b + c). */
  @Test
  void scoreTestWithoutMarginIsMcNemars() {
    assertThat(new PairedScoreTest(86, 150, 1600).statistic(0))
        .isCloseTo(64 / Math.sqrt(236), within(1e-9));
    assertThat(new PairedScoreTest(0, 0, 30).statistic(0)).isZero();
    assertThat(new PairedScoreTest(0, 0, 30).notInferior(0.1)).isBetween(0.0, 0.05);
  }

  @Test
  void exactPowerAgreesWithSimulation() {
    double exact = PairedScoreTest.probabilityNotInferior(100, 0.04, 0.06, 0.05, 0.05);
    SplittableRandom random = new SplittableRandom(8);
    int found = 0;
    int runs = 20_000;
    Draws draws = new Draws(0.06, 0.04);
    for (int run = 0; run < runs; run++) {
      int worse = 0;
      int better = 0;
      for (int i = 0; i < 100; i++) {
        double d = draws.next(random);
        worse += d < 0 ? 1 : 0;
        better += d > 0 ? 1 : 0;
      }
      found += new PairedScoreTest(worse, better, 100).notInferior(0.05) <= 0.05 ? 1 : 0;
    }
    assertThat((double) found / runs)
        .isCloseTo(exact, within(4 * Math.sqrt(exact * (1 - exact) / runs)));
    assertThat(PairedScoreTest.probabilityInferior(100, 0.04, 0.06, 0.05, 0.05)).isLessThan(0.01);
  }

  /** Three items have 27 equally likely resamples; the bootstrap's quantiles are theirs. */
  @Test
  void bootstrapOfThreeItemsAgreesWithEnumeration() {
    double[] d = {0, 0.3, 0.9};
    double[] all = new double[27];
    for (int i = 0; i < 27; i++) {
      all[i] = (d[i / 9] + d[i / 3 % 3] + d[i % 3]) / 3;
    }
    Arrays.sort(all);
    // Levels whose ends lie in the middle of a step of the exact distribution.
    Interval interval = PairedBootstrap.of(d, 50_000, 1).percentile(1 - 2 * 5.5 / 27);
    assertThat(interval.lower()).isCloseTo(all[5], within(1e-9));
    assertThat(interval.upper()).isCloseTo(all[21], within(1e-9));
  }

  @Test
  void bootstrapIntervalsAreReproducibleAndFollowTheSkew() {
    double[] d = new double[100];
    Arrays.fill(d, 0, 6, -1);
    PairedBootstrap bootstrap = PairedBootstrap.of(d, 20_000, 1);
    assertThat(bootstrap.mean()).isCloseTo(-0.06, within(1e-12));
    Interval percentile = bootstrap.percentile(0.95);
    Interval bca = bootstrap.bca(0.95);
    assertThat(PairedBootstrap.of(d, 20_000, 1).bca(0.95)).isEqualTo(bca);
    // Binomial(100, 0.06): 2.5 % and 97.5 % quantiles are 2 and 11.
    assertThat(percentile.lower()).isCloseTo(-0.11, within(1e-9));
    assertThat(percentile.upper()).isCloseTo(-0.02, within(1e-9));
    // The tail of more losses is the long one: the correction moves both ends into it.
    assertThat(bca.lower()).isLessThan(percentile.lower());
    assertThat(bca.upper()).isLessThanOrEqualTo(percentile.upper());
    assertThat(PairedBootstrap.of(new double[] {0, 0, 0}, 100, 1).bca(0.9))
        .isEqualTo(new Interval(0, 0, 0.9));
    assertThatThrownBy(() -> PairedBootstrap.of(new double[] {0, Double.NaN}, 100, 1))
        .hasMessageContaining("difference 1");
  }
}
