package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.backend.Natives;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;

class LikenessTest {

  /** Linear CKA by its definition: ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖) of centered columns. */
  private static double oracle(float[][] x, float[][] y) {
    return squared(x, y) / Math.sqrt(squared(x, x) * squared(y, y));
  }

  private static double squared(float[][] x, float[][] y) {
    double sum = 0;
    for (int i = 0; i < x[0].length; i++) {
      for (int j = 0; j < y[0].length; j++) {
        double product = 0;
        for (int t = 0; t < x.length; t++) {
          product += (x[t][i] - mean(x, i)) * (y[t][j] - mean(y, j));
        }
        sum += product * product;
      }
    }
    return sum;
  }

  private static double mean(float[][] x, int column) {
    double sum = 0;
    for (float[] row : x) {
      sum += row[column];
    }
    return sum / x.length;
  }

  private static float[][] some(Random random, int tokens, int size) {
    float[][] values = new float[tokens][size];
    for (float[] row : values) {
      for (int i = 0; i < size; i++) {
        row[i] = (float) random.nextGaussian() + i;
      }
    }
    return values;
  }

  private static float[] flat(float[][] values) {
    float[] flat = new float[values.length * values[0].length];
    for (int t = 0; t < values.length; t++) {
      System.arraycopy(values[t], 0, flat, t * values[0].length, values[0].length);
    }
    return flat;
  }

  @Test
  void isLinearCka() {
    Backend.instance();
    Random random = new Random(3);
    float[][] x = some(random, 40, 5);
    float[][] y = some(random, 40, 7);
    try (PointerScope scope = new PointerScope()) {
      var a = Natives.floats(flat(x), 40, 5);
      var b = Natives.floats(flat(y), 40, 7);
      double[][] likeness = Likeness.between(List.of(a, b), List.of(b, a));
      assertThat(likeness[0][0]).isCloseTo(oracle(x, y), within(1e-4));
      assertThat(likeness[0][1]).isCloseTo(1, within(1e-5));
      assertThat(likeness[1][0]).isCloseTo(1, within(1e-5));
    }
  }

  @Test
  void partnersOfLayersKeepTheirOrder() {
    assertThat(Likeness.ascending(new double[][] {{0, 1, 0, 0}, {0, 0, 0, 1}}))
        .containsExactly(1, 3);
    assertThat(Likeness.ascending(new double[][] {{0, 0, 1}, {1, 0, 0.5}, {0, 0, 1}}))
        .containsExactly(0, 1, 2);
    assertThat(Likeness.ascending(new double[][] {{0.2, 0.9, 0.9}, {1, 0.3, 0.1}}))
        .as("1 and 0 would be best, but not in order")
        .containsExactly(1, 2);
  }

  @Test
  void headsGoWithTheirGroups() {
    double[][] likeness = new double[4][4]; // two groups of two
    likeness[0][3] = 0.9;
    likeness[1][2] = 0.8;
    likeness[2][0] = 0.7;
    likeness[3][1] = 0.6;
    likeness[2][3] = 0.95; // tempting, but of the other group
    assertThat(Likeness.heads(likeness, 2, 2)).containsExactly(3, 2, 0, 1);
    double[][] fewer = {{0.1, 0.9}, {0.8, 0.1}, {0.7, 0.1}, {0.1, 0.1}};
    assertThat(Likeness.heads(fewer, 2, 1)).containsExactly(1, 0, -1, -1);
  }
}
