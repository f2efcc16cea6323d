package dev.cambium.artifact.huggingface;

import java.util.OptionalDouble;

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
   * NTK-aware scaling by the length at hand: within {@code max_position_embeddings} unchanged, and
   * beyond it the base of the frequencies grows with the length of the row so far. Keys that a
   * cache holds keep the rotation of the length at which they were read.
   */
  record Dynamic(double factor) implements RopeScaling {
    public Dynamic {
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

  /**
   * YaRN (Peng et al., 2023): frequencies that turn fewer than {@code betaSlow} times within the
   * original context are divided by {@code factor}, those that turn more than {@code betaFast}
   * times are kept, between is a ramp; queries and keys are scaled by {@link #attention()}.
   *
   * @param attentionFactor that scale itself, where a file gives it
   * @param mscale with {@code mscaleAllDim} another way to give it (DeepSeek)
   * @param truncate whether the ramp begins and ends at whole dimensions
   */
  record Yarn(
      double factor,
      int originalMaxPositions,
      OptionalDouble attentionFactor,
      OptionalDouble mscale,
      OptionalDouble mscaleAllDim,
      double betaFast,
      double betaSlow,
      boolean truncate)
      implements RopeScaling {

    /** The paper's bounds of the ramp, in turns. */
    static final double BETA_FAST = 32;

    static final double BETA_SLOW = 1;

    public Yarn {
      requirePositive("factor", factor);
      requirePositive("original_max_position_embeddings", originalMaxPositions);
      attentionFactor.ifPresent(value -> requirePositive("attention_factor", value));
      requirePositive("beta_fast", betaFast);
      requirePositive("beta_slow", betaSlow);
      if (betaFast < betaSlow) {
        throw new IllegalArgumentException(
            "rope_scaling: beta_fast " + betaFast + " must not be below beta_slow " + betaSlow);
      }
    }

    /** The factor of queries and of keys; 0.1 · ln(factor) + 1 unless the file says otherwise. */
    public double attention() {
      if (attentionFactor.isPresent()) {
        return attentionFactor.getAsDouble();
      }
      double one = mscale.orElse(0);
      double all = mscaleAllDim.orElse(0);
      return one != 0 && all != 0 ? magnitude(one) / magnitude(all) : magnitude(1);
    }

    private double magnitude(double scale) {
      return factor <= 1 ? 1 : 0.1 * scale * StrictMath.log(factor) + 1;
    }
  }

  private static void requirePositive(String name, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException("rope_scaling: " + name + " must be positive: " + value);
    }
  }
}
