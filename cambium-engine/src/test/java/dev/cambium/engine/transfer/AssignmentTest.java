package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class AssignmentTest {

  /** The greatest sum over all ways, tried one by one. */
  private static double oracle(float[] gain, int rows, int columns, int row, boolean[] taken) {
    if (row == rows) {
      return 0;
    }
    double best = Double.NEGATIVE_INFINITY;
    int free = 0;
    for (int c = 0; c < columns; c++) {
      free += taken[c] ? 0 : 1;
    }
    if (rows - row > free) {
      best = oracle(gain, rows, columns, row + 1, taken); // somebody stays alone
    }
    for (int c = 0; c < columns; c++) {
      if (!taken[c]) {
        taken[c] = true;
        best =
            Math.max(best, gain[row * columns + c] + oracle(gain, rows, columns, row + 1, taken));
        taken[c] = false;
      }
    }
    return best;
  }

  @Test
  void isAsGoodAsTheBestOfAllWays() {
    Random random = new Random(1);
    for (int run = 0; run < 400; run++) {
      int rows = 1 + random.nextInt(6);
      int columns = 1 + random.nextInt(6);
      float[] gain = new float[rows * columns];
      for (int i = 0; i < gain.length; i++) {
        gain[i] = run % 3 == 0 ? random.nextInt(3) : (float) random.nextGaussian();
      }
      int[] partners = Assignment.best(gain, rows, columns);
      double sum = 0;
      boolean[] taken = new boolean[columns];
      int matched = 0;
      for (int r = 0; r < rows; r++) {
        if (partners[r] >= 0) {
          assertThat(taken[partners[r]]).isFalse();
          taken[partners[r]] = true;
          sum += gain[r * columns + partners[r]];
          matched++;
        }
      }
      assertThat(matched).isEqualTo(Math.min(rows, columns));
      assertThat(sum).isCloseTo(oracle(gain, rows, columns, 0, new boolean[columns]), within(1e-5));
    }
  }

  @Test
  void findsAPermutationOfManyAndRefusesWhatIsNoNumber() {
    Random random = new Random(2);
    int size = 700;
    float[] gain = new float[size * size];
    for (int i = 0; i < gain.length; i++) {
      gain[i] = random.nextFloat();
    }
    int[] hidden = new int[size];
    for (int i = 0; i < size; i++) {
      hidden[i] = (i * 13 + 5) % size;
      gain[i * size + hidden[i]] = 1.5f;
    }
    assertThat(Assignment.best(gain, size, size)).isEqualTo(hidden);
    assertThatThrownBy(() -> Assignment.best(new float[] {1, Float.NaN}, 1, 2))
        .hasMessageContaining("not finite");
  }
}
