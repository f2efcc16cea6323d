package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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
}
