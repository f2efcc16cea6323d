package dev.cambium.engine.generation;

import dev.cambium.engine.decoder.SplitMix64;
import java.util.Arrays;

/** Draws a token from logits by temperature, top-k and top-p. */
final class TokenChooser {

  private TokenChooser() {}

  /**
   * Draws.
   *
   * @return a token, or -1 if some logit is NaN or none is finite
   */
  static int draw(float[] logits, Sampling sampling, SplitMix64 random) {
    double u = random.nextDouble();
    int[] order = sorted(logits);
    if (order.length == 0 || !Float.isFinite(logits[order[0]])) {
      return -1;
    }
    int kept = sampling.topK() == 0 ? order.length : Math.min(order.length, sampling.topK());
    double best = logits[order[0]];
    double[] weights = new double[kept];
    double total = 0;
    for (int i = 0; i < kept; i++) {
      weights[i] = StrictMath.exp((logits[order[i]] - best) / sampling.temperature());
      total += weights[i];
    }
    if (sampling.topP() < 1) {
      double sum = 0;
      int within = 0;
      while (within < kept && sum < sampling.topP() * total) {
        sum += weights[within++];
      }
      kept = within;
      total = sum;
    }
    double target = u * total;
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      sum += weights[i];
      if (target < sum) {
        return order[i];
      }
    }
    return order[kept - 1];
  }

  /** Ids by falling logit, the lower id first among equals; empty if some logit is NaN. */
  private static int[] sorted(float[] logits) {
    long[] keys = new long[logits.length];
    for (int i = 0; i < logits.length; i++) {
      if (Float.isNaN(logits[i])) {
        return new int[0];
      }
      // Adding zero makes -0 and 0 one. Bits of a float, so that greater floats are smaller ints.
      int bits = Float.floatToIntBits(logits[i] + 0f);
      int rising = bits >= 0 ? bits : bits ^ Integer.MAX_VALUE;
      keys[i] = ((long) ~rising << 32) | i;
    }
    Arrays.sort(keys);
    int[] order = new int[keys.length];
    for (int i = 0; i < order.length; i++) {
      order[i] = (int) keys[i];
    }
    return order;
  }
}
