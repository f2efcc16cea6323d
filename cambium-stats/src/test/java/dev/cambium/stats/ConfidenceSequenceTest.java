package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfidenceSequenceTest {

  @ParameterizedTest
  @ValueSource(doubles = {0.02, 0.5, 0.9})
  void coversTheMeanAtEveryLookAtOnce(double mean) {
    SplittableRandom random = new SplittableRandom(1);
    int missed = 0;
    int runs = 150;
    for (int run = 0; run < runs; run++) {
      ConfidenceSequence sequence = ConfidenceSequence.planned(0, 1, 0.9, 60);
      boolean covered = true;
      for (int i = 1; i <= 90; i++) {
        sequence.observe(random.nextDouble() < mean ? 1 : 0);
        covered &= i % 15 != 0 || sequence.interval().contains(mean);
      }
      missed += covered ? 0 : 1;
    }
    assertThat((double) missed / runs).isLessThan(0.1 + 3 * Math.sqrt(0.09 / runs));
  }

  @Test
  void narrowsTowardsTheMean() {
    SplittableRandom random = new SplittableRandom(2);
    ConfidenceSequence sequence = ConfidenceSequence.open(0, 1, 0.95);
    assertThat(sequence.interval()).isEqualTo(new Interval(0, 1, 0.95));
    int right = 0;
    double width = 1;
    for (int i = 1; i <= 1200; i++) {
      int x = random.nextDouble() < 0.8 ? 1 : 0;
      right += x;
      sequence.observe(x);
      if (i == 75 || i == 300 || i == 1200) {
        Interval interval = sequence.interval();
        assertThat(interval.contains((double) right / i)).isTrue();
        assertThat(interval.width()).isLessThan(0.75 * width);
        width = interval.width();
        // A price for looking at will, but a bounded one.
        assertThat(width).isLessThan(2.2 * Wilson.interval(right, i, 0.95).width());
      }
    }
  }

  @Test
  void servesAnyRange() {
    SplittableRandom random = new SplittableRandom(3);
    ConfidenceSequence unit = ConfidenceSequence.open(0, 1, 0.9);
    ConfidenceSequence wide = ConfidenceSequence.open(-10, 30, 0.9);
    for (int i = 0; i < 100; i++) {
      double x = random.nextDouble();
      unit.observe(x);
      wide.observe(40 * x - 10);
    }
    assertThat(wide.interval().lower())
        .isCloseTo(40 * unit.interval().lower() - 10, within(0.0801));
    assertThat(wide.interval().upper())
        .isCloseTo(40 * unit.interval().upper() - 10, within(0.0801));
    assertThatThrownBy(() -> unit.observe(1.5)).hasMessageContaining("1.5");
    assertThatThrownBy(() -> unit.observe(Double.NaN)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> ConfidenceSequence.open(1, 1, 0.9)).hasMessageContaining("range");
  }
}
