package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;

/**
 * How several models of one shape become one. Arithmetic is in double precision; the result is
 * rounded once, to nearest and to even.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "method")
@JsonSubTypes({
  @JsonSubTypes.Type(value = MergeMethod.Linear.class, name = "linear"),
  @JsonSubTypes.Type(value = MergeMethod.Slerp.class, name = "slerp"),
  @JsonSubTypes.Type(value = MergeMethod.TaskArithmetic.class, name = "task"),
  @JsonSubTypes.Type(value = MergeMethod.Ties.class, name = "ties"),
  @JsonSubTypes.Type(value = MergeMethod.Dare.class, name = "dare"),
  @JsonSubTypes.Type(value = MergeMethod.RegMean.class, name = "regmean")
})
public sealed interface MergeMethod {

  /** Whether the models are seen as changes of a common base. */
  boolean needsBase();

  /** Whether it looks at what goes into the models' layers on texts of their own. */
  default boolean needsCalibration() {
    return false;
  }

  /** A weight for each model; for how many models the method is. */
  List<Double> weights();

  /**
   * The mean Σ wᵢ θᵢ / Σ wᵢ (model soup; Wortsman et al., 2022).
   *
   * @param weights one for each model, their sum not zero
   */
  record Linear(List<Double> weights) implements MergeMethod {
    public Linear {
      weights = checked(weights);
      double sum = weights.stream().mapToDouble(Double::doubleValue).sum();
      if (Math.abs(sum) < 1e-12) {
        throw new IllegalArgumentException("weights must not add up to zero: " + weights);
      }
    }

    @Override
    public boolean needsBase() {
      return false;
    }
  }

  /**
   * From the first model to the second along the arc between them, tensor by tensor (Shoemake,
   * 1985). Where two tensors point the same way, or opposite ways, or one is zero, along the line.
   *
   * @param share 0 gives the first model, 1 the second
   */
  record Slerp(double share) implements MergeMethod {
    public Slerp {
      if (!(share >= 0 && share <= 1)) {
        throw new IllegalArgumentException("the share must be from 0 to 1, not " + share);
      }
    }

    @Override
    public boolean needsBase() {
      return false;
    }

    @Override
    public List<Double> weights() {
      return List.of(1 - share, share);
    }
  }

  /**
   * base + Σ wᵢ (θᵢ − base) (Ilharco et al., 2023).
   *
   * @param weights one for each model
   */
  record TaskArithmetic(List<Double> weights) implements MergeMethod {
    public TaskArithmetic {
      weights = checked(weights);
    }

    @Override
    public boolean needsBase() {
      return true;
    }
  }

  /**
   * Trim, elect sign, merge (Yadav et al., 2023): of each change only the largest elements of each
   * tensor are kept; each element takes the sign of the weighted sum of what was kept, and the
   * weighted mean of the changes of that sign.
   *
   * @param weights one for each model, positive
   * @param density share of each tensor's elements kept, in (0, 1]; equal ones at the edge are all
   *     kept
   * @param scale of the merged change; the paper's λ
   */
  record Ties(List<Double> weights, double density, double scale) implements MergeMethod {
    public Ties {
      weights = positive(weights);
      requireShare(density);
      requireFinite("scale", scale);
    }

    @Override
    public boolean needsBase() {
      return true;
    }
  }

  /**
   * Drop and rescale (Yu et al., 2024): base + Σ wᵢ mᵢ (θᵢ − base) / density, where mᵢ keeps each
   * element with probability density. What is kept depends on the seed, the model's place, the
   * tensor's name and the element only.
   *
   * @param weights one for each model
   * @param density share of elements kept, in (0, 1]
   */
  record Dare(List<Double> weights, double density, long seed) implements MergeMethod {
    public Dare {
      weights = checked(weights);
      requireShare(density);
    }

    @Override
    public boolean needsBase() {
      return true;
    }
  }

  /**
   * Regression mean (Jin et al., 2023): each matrix W minimises Σ wᵢ ‖W Xᵢ − Wᵢ Xᵢ‖² over what goes
   * into it in each model on texts of that model, W = (Σ wᵢ Wᵢ Gᵢ) (Σ wᵢ Gᵢ)⁻¹ with Gᵢ the mean
   * over tokens of x xᵀ, its elements off the diagonal times {@code offDiagonal}. What is no matrix
   * with an input of its own (norms, biases, the embedding and a head tied to it) becomes the
   * weighted mean.
   *
   * @param weights one for each model, positive
   * @param offDiagonal from 0 (each input by itself) to 1 (plain least squares); the paper's α
   * @param tokens of each model's text that are looked at, at most
   */
  record RegMean(List<Double> weights, double offDiagonal, int tokens) implements MergeMethod {
    /** What the paper found good for most models. */
    public static final double DEFAULT_OFF_DIAGONAL = 0.9;

    /** Several times the width of a layer of a small model. */
    public static final int DEFAULT_TOKENS = 16_384;

    public RegMean {
      weights = positive(weights);
      if (!(offDiagonal >= 0 && offDiagonal <= 1)) {
        throw new IllegalArgumentException("off-diagonal must be from 0 to 1, not " + offDiagonal);
      }
      if (tokens < 1) {
        throw new IllegalArgumentException("tokens must be at least 1, not " + tokens);
      }
    }

    @Override
    public boolean needsBase() {
      return false;
    }

    @Override
    public boolean needsCalibration() {
      return true;
    }
  }

  private static List<Double> positive(List<Double> weights) {
    List<Double> checked = checked(weights);
    if (checked.stream().anyMatch(w -> w <= 0)) {
      throw new IllegalArgumentException("weights must be positive: " + weights);
    }
    return checked;
  }

  private static List<Double> checked(List<Double> weights) {
    if (weights.isEmpty()) {
      throw new IllegalArgumentException("nothing to merge: no weights");
    }
    weights.forEach(w -> requireFinite("weight", w));
    return List.copyOf(weights);
  }

  private static void requireShare(double density) {
    if (!(density > 0 && density <= 1)) {
      throw new IllegalArgumentException("density must be above 0 and at most 1, not " + density);
    }
  }

  private static void requireFinite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(name + " must be a finite number, not " + value);
    }
  }
}
