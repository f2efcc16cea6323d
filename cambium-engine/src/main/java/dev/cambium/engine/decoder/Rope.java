package dev.cambium.engine.decoder;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.RopeScaling;

/**
 * Tables of rotary position embeddings (Su et al., 2021), in the half-split convention of the
 * published Llama checkpoints: element i is rotated together with element i + headDim / 2.
 *
 * <p>Angles are computed in fp32, as the reference implementation does: at large positions a more
 * exact angle would be a different one.
 */
final class Rope {

  private Rope() {}

  /** Whether the frequencies of a row depend on its length, and so on more than positions. */
  static boolean dependsOnLength(DecoderConfig config) {
    return config.ropeScaling() instanceof RopeScaling.Dynamic;
  }

  /** Factor of every cosine and sine, and so of queries and of keys. */
  static float attention(DecoderConfig config) {
    return config.ropeScaling() instanceof RopeScaling.Yarn yarn ? (float) yarn.attention() : 1;
  }

  /**
   * Radians per position, for each of the headDim / 2 rotated pairs.
   *
   * @param length of the row so far; matters only where {@link #dependsOnLength}
   */
  static float[] frequencies(DecoderConfig config, int length) {
    int dim = config.headDim();
    double base = config.ropeTheta();
    if (config.ropeScaling() instanceof RopeScaling.Dynamic dynamic) {
      double scale =
          dynamic.factor() * Math.max(length, config.maxPositions()) / config.maxPositions()
              - (dynamic.factor() - 1);
      base *= StrictMath.pow(scale, dim / (dim - 2.0));
    }
    float[] frequencies = new float[dim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float exponent = (float) (2 * i) / dim;
      float frequency = 1f / (float) StrictMath.pow((float) base, exponent);
      frequencies[i] = scaled(frequency, config.ropeScaling());
    }
    if (config.ropeScaling() instanceof RopeScaling.Yarn yarn) {
      interpolate(frequencies, yarn, base);
    }
    return frequencies;
  }

  private static void interpolate(float[] frequencies, RopeScaling.Yarn yarn, double base) {
    int dim = 2 * frequencies.length;
    double low = dimension(yarn.betaFast(), yarn, base, dim);
    double high = dimension(yarn.betaSlow(), yarn, base, dim);
    if (yarn.truncate()) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, dim - 1);
    double width = low == high ? 0.001 : high - low;
    for (int i = 0; i < frequencies.length; i++) {
      double slow = Math.min(1, Math.max(0, (i - low) / width));
      frequencies[i] =
          (float) (frequencies[i] / yarn.factor() * slow + frequencies[i] * (1 - slow));
    }
  }

  /** The pair, as a fraction, that turns so often within the original context. */
  private static double dimension(double turns, RopeScaling.Yarn yarn, double base, int dim) {
    return dim
        * StrictMath.log(yarn.originalMaxPositions() / (turns * 2 * StrictMath.PI))
        / (2 * StrictMath.log(base));
  }

  private static float scaled(float frequency, RopeScaling scaling) {
    if (scaling instanceof RopeScaling.Linear linear) {
      return frequency / (float) linear.factor();
    }
    if (scaling instanceof RopeScaling.Llama3 llama) {
      double wavelength = 2 * StrictMath.PI / frequency;
      double ratio = llama.originalMaxPositions() / wavelength;
      if (ratio < llama.lowFreqFactor()) {
        return (float) (frequency / llama.factor());
      }
      if (ratio > llama.highFreqFactor()) {
        return frequency;
      }
      double kept =
          (ratio - llama.lowFreqFactor()) / (llama.highFreqFactor() - llama.lowFreqFactor());
      return (float) ((1 - kept) * frequency / llama.factor() + kept * frequency);
    }
    return frequency;
  }

  /** 0, 1, … count - 1. */
  static int[] positions(int count) {
    int[] positions = new int[count];
    for (int p = 0; p < count; p++) {
      positions[p] = p;
    }
    return positions;
  }

  /** Cosines of positions, row by row, each half twice: positions × headDim. */
  static float[] cosines(float[] frequencies, int[] positions, float factor) {
    int half = frequencies.length;
    float[] table = new float[positions.length * 2 * half];
    for (int p = 0; p < positions.length; p++) {
      for (int i = 0; i < half; i++) {
        float cos = (float) StrictMath.cos(positions[p] * frequencies[i]) * factor;
        table[p * 2 * half + i] = cos;
        table[p * 2 * half + half + i] = cos;
      }
    }
    return table;
  }

  /**
   * Sines of positions, the first half negated: a rotation is then {@code x·cos + swap(x)·sin} with
   * the halves of x swapped.
   */
  static float[] signedSines(float[] frequencies, int[] positions, float factor) {
    int half = frequencies.length;
    float[] table = new float[positions.length * 2 * half];
    for (int p = 0; p < positions.length; p++) {
      for (int i = 0; i < half; i++) {
        float sin = (float) StrictMath.sin(positions[p] * frequencies[i]) * factor;
        table[p * 2 * half + i] = -sin;
        table[p * 2 * half + half + i] = sin;
      }
    }
    return table;
  }
}
