package dev.cambium.engine.decoder;

/** How rotary frequencies are changed for contexts longer than those first trained on. */
public sealed interface RopeScaling {

  /** Unchanged. */
  RopeScaling NONE = new None();

  /** Unchanged. */
  record None() implements RopeScaling {}

  /** Every position divided by a factor (Chen et al., 2023). */
  record Linear(double factor) implements RopeScaling {
    public Linear {
      requirePositive("factor", factor);
    }
  }

  /**
   * Llama 3.1: waves longer than the original context over {@code lowFreqFactor} are divided by
   * {@code factor}, those shorter than it over {@code highFreqFactor} are kept, between is a blend.
   */
  record Llama3(
      double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositions)
      implements RopeScaling {
    public Llama3 {
      requirePositive("factor", factor);
      requirePositive("low_freq_factor", lowFreqFactor);
      requirePositive("original_max_position_embeddings", originalMaxPositions);
      if (!(highFreqFactor > lowFreqFactor)) {
        throw new IllegalArgumentException(
            "rope_scaling: high_freq_factor "
                + highFreqFactor
                + " must exceed low_freq_factor "
                + lowFreqFactor);
      }
    }
  }

  private static void requirePositive(String name, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException("rope_scaling: " + name + " must be positive: " + value);
    }
  }
}
