package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class AccuracyMatrixTest {

  private static final double NONE = Double.NaN;

  /** Every expected number below is computed by hand from this one. */
  private static final AccuracyMatrix THREE =
      AccuracyMatrix.of(new double[][] {{0.8, 0.2, 0.1}, {0.9, 0.7, 0.3}, {0.5, 0.6, 1.0}});

  @Test
  void averageAccuracies() {
    assertThat(THREE.averageAccuracyLastRow()).isCloseTo(0.7, within(1e-12)); // 2.1 / 3
    assertThat(THREE.averageAccuracyLowerTriangle()).isCloseTo(0.75, within(1e-12)); // 4.5 / 6
  }

  @Test
  void backwardTransfers() {
    // (0.5 − 0.8 + 0.6 − 0.7) / 2
    assertThat(THREE.backwardTransferLastMinusDiagonal()).isCloseTo(-0.2, within(1e-12));
    // (0.9 − 0.8 + 0.5 − 0.8 + 0.6 − 0.7) / 3
    assertThat(THREE.backwardTransferLowerTriangle()).isCloseTo(-0.1, within(1e-12));
  }

  @Test
  void forwardTransfers() {
    // (0.2 − 0.1 + 0.3 − 0.05) / 2
    assertThat(THREE.forwardTransferPreviousMinusUntrained(new double[] {0, 0.1, 0.05}))
        .isCloseTo(0.175, within(1e-12));
    assertThat(THREE.forwardTransferUpperTriangle()).isCloseTo(0.2, within(1e-12)); // 0.6 / 3
  }

  @Test
  void forgettingTakesTheBestEverSeen() {
    assertThat(THREE.forgettingMaxMinusLast(0)).isCloseTo(0.4, within(1e-12)); // 0.9 − 0.5
    assertThat(THREE.forgettingMaxMinusLast(1)).isCloseTo(0.1, within(1e-12)); // 0.7 − 0.6
    assertThat(THREE.forgettingMaxMinusLast()).isCloseTo(0.25, within(1e-12));
    assertThatThrownBy(() -> THREE.forgettingMaxMinusLast(2)).hasMessageContaining("0 to 1, not 2");
  }

  @Test
  void intransigenceAgainstJointTraining() {
    // (0.9 − 0.8 + 0.9 − 0.7 + 0.9 − 1.0) / 3
    assertThat(THREE.intransigenceJointMinusDiagonal(new double[] {0.9, 0.9, 0.9}))
        .isCloseTo(0.2 / 3, within(1e-12));
  }

  @Test
  void whatWasNotMeasuredIsNamedAndNeverGuessed() {
    AccuracyMatrix matrix = AccuracyMatrix.of(new double[][] {{0.8, NONE}, {0.6, 0.9}});
    assertThat(matrix.averageAccuracyLastRow()).isCloseTo(0.75, within(1e-12));
    assertThat(matrix.forgettingMaxMinusLast()).isCloseTo(0.2, within(1e-12));
    assertThatThrownBy(matrix::forwardTransferUpperTriangle)
        .hasMessage("the score on task 1 after task 0 was not measured");
    assertThatThrownBy(() -> AccuracyMatrix.of(new double[][] {{1.2}}))
        .hasMessageContaining("entry 0, 0 must lie in [0, 1] or be NaN, not 1.2");
    assertThatThrownBy(() -> AccuracyMatrix.of(new double[][] {{1, 1}}))
        .hasMessageContaining("row 0 has 2 entries for 1 tasks");
    assertThatThrownBy(AccuracyMatrix.of(new double[][] {{1}})::forgettingMaxMinusLast)
        .hasMessage("forgetting needs at least two tasks");
  }

  @Property(tries = 200)
  void summariesAgreeOnAnyMatrix(@ForAll @IntRange(min = 2, max = 8) int tasks, @ForAll int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] values = new double[tasks][tasks];
    for (double[] row : values) {
      for (int j = 0; j < tasks; j++) {
        row[j] = random.nextDouble();
      }
    }
    AccuracyMatrix matrix = AccuracyMatrix.of(values);
    // The best ever seen is at least the score right after learning.
    assertThat(matrix.forgettingMaxMinusLast())
        .isGreaterThanOrEqualTo(-matrix.backwardTransferLastMinusDiagonal() - 1e-12);
    double diagonal = 0;
    for (int j = 0; j < tasks; j++) {
      diagonal += values[j][j] / tasks;
    }
    // Last row = diagonal + what came or went since; the last task's is zero.
    assertThat(matrix.averageAccuracyLastRow())
        .isCloseTo(
            diagonal + matrix.backwardTransferLastMinusDiagonal() * (tasks - 1) / tasks,
            within(1e-9));
    assertThat(matrix.intransigenceJointMinusDiagonal(new double[tasks]))
        .isCloseTo(-diagonal, within(1e-9));
    assertThat(matrix.values()).isEqualTo(values).isNotSameAs(values);
  }
}
