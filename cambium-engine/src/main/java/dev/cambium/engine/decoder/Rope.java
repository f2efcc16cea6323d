package dev.cambium.engine.decoder;

/**
 * Tables of rotary position embeddings (Su et al., 2021), in the half-split convention of the
 * published Llama checkpoints: element i is rotated together with element i + headDim / 2.
 *
 * <p>Angles are computed in fp32, as the reference implementation does: at large positions a more
 * exact angle would be a different one.
 */
final class Rope {

  private Rope() {}

  /** Radians per position, for each of the headDim / 2 rotated pairs. */
  static float[] frequencies(DecoderConfig config) {
    int half = config.headDim() / 2;
    float[] frequencies = new float[half];
    for (int i = 0; i < half; i++) {
      float exponent = (float) (2 * i) / config.headDim();
      float frequency = 1f / (float) StrictMath.pow((float) config.ropeTheta(), exponent);
      frequencies[i] = scaled(frequency, config.ropeScaling());
    }
    return frequencies;
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

  /** Cosines of positions [0, count), row by row, each half twice: count × headDim. */
  static float[] cosines(float[] frequencies, int count) {
    int half = frequencies.length;
    float[] table = new float[count * 2 * half];
    for (int p = 0; p < count; p++) {
      for (int i = 0; i < half; i++) {
        float cos = (float) StrictMath.cos(p * frequencies[i]);
        table[p * 2 * half + i] = cos;
        table[p * 2 * half + half + i] = cos;
      }
    }
    return table;
  }

  /**
   * Sines of positions [0, count), the first half negated: a rotation is then {@code x·cos +
   * swap(x)·sin} with the halves of x swapped.
   */
  static float[] signedSines(float[] frequencies, int count) {
    int half = frequencies.length;
    float[] table = new float[count * 2 * half];
    for (int p = 0; p < count; p++) {
      for (int i = 0; i < half; i++) {
        float sin = (float) StrictMath.sin(p * frequencies[i]);
        table[p * 2 * half + i] = -sin;
        table[p * 2 * half + half + i] = sin;
      }
    }
    return table;
  }
}
