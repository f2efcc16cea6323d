package dev.cambium.engine.transfer;

import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Logits;
import dev.cambium.engine.decoder.SplitMix64;
import java.util.Arrays;

/** What a model says to some rows of tokens that depend on its vocabulary only. */
final class ProbeLogits {

  private static final int ROWS = 3;
  private static final int LENGTH = 12;

  /** Sums run in another order where memory lies otherwise; relative to the largest logit. */
  private static final double ROUNDING = 1e-5;

  private final float[][] lines;

  private ProbeLogits(float[][] lines) {
    this.lines = lines;
  }

  static ProbeLogits of(Decoder decoder) {
    SplitMix64 random = SplitMix64.named(1, "probe");
    int[][] rows = new int[ROWS][LENGTH];
    int[][] positions = new int[ROWS][];
    for (int r = 0; r < ROWS; r++) {
      for (int t = 0; t < LENGTH; t++) {
        rows[r][t] = random.nextInt(decoder.config().vocabularySize());
      }
      positions[r] = new int[] {0, LENGTH / 2, LENGTH - 1};
    }
    try (Logits logits = decoder.logits(rows, positions)) {
      float[][] lines = new float[logits.count()][];
      Arrays.setAll(lines, logits::line);
      return new ProbeLogits(lines);
    }
  }

  /** The largest difference; not a number where a logit is not one. */
  double difference(ProbeLogits other) {
    double largest = 0;
    for (int l = 0; l < lines.length; l++) {
      for (int i = 0; i < lines[l].length; i++) {
        double one = Math.abs((double) lines[l][i] - other.lines[l][i]);
        largest = Double.isNaN(one) ? Double.NaN : Math.max(largest, one);
      }
      if (Double.isNaN(largest)) {
        return largest;
      }
    }
    return largest;
  }

  /** The root of the sum of the squared differences. */
  double distance(ProbeLogits other) {
    double sum = 0;
    for (int l = 0; l < lines.length; l++) {
      for (int i = 0; i < lines[l].length; i++) {
        double one = (double) lines[l][i] - other.lines[l][i];
        sum += one * one;
      }
    }
    return Math.sqrt(sum);
  }

  double largest() {
    double largest = 0;
    for (float[] line : lines) {
      for (float logit : line) {
        largest = Math.max(largest, Math.abs(logit));
      }
    }
    return largest;
  }

  /**
   * Compares up to rounding.
   *
   * @param what the other is, for the message
   * @throws IllegalStateException if they differ, or one is not a number
   */
  void requireSame(ProbeLogits other, String what) {
    double difference = difference(other);
    if (!(difference <= ROUNDING * largest())) {
      throw new IllegalStateException(
          what
              + " gives other logits than what was computed (largest difference "
              + difference
              + ", largest logit "
              + largest()
              + "): its file or its configuration says something else; nothing was kept");
    }
  }
}
