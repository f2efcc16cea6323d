package dev.cambium.engine.training;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** A pull on the weights besides the objective's, added to the gradient before clipping. */
public interface Regularizer {

  /** None. */
  Regularizer NONE =
      new Regularizer() {
        @Override
        public void add(Tensor weights, Tensor start, Tensor gradients) {}

        @Override
        public String name() {
          return "none";
        }

        @Override
        public boolean needsStart() {
          return false;
        }
      };

  /**
   * Adds the pull's gradient in place.
   *
   * @param weights as they are now, one dimension
   * @param start as they were before the first step; empty unless {@link #needsStart()}
   * @param gradients to add to
   */
  void add(Tensor weights, Tensor start, Tensor gradients);

  /** Whether a copy of the weights at the start must be kept. */
  boolean needsStart();

  /** With its settings, for messages and digests. */
  String name();

  /**
   * Strength / 2 × the squared distance to the weights at the start (L2-SP; Li et al., 2018): the
   * gradient is strength × (weights − start).
   */
  static Regularizer towardsStart(double strength) {
    if (!(strength > 0)) {
      throw new IllegalArgumentException("strength must be positive: " + strength);
    }
    return new Regularizer() {
      @Override
      public void add(Tensor weights, Tensor start, Tensor gradients) {
        gradients.add_(weights, new Scalar(strength)).sub_(start, new Scalar(strength));
      }

      @Override
      public boolean needsStart() {
        return true;
      }

      @Override
      public String name() {
        return "towards-start-" + strength;
      }
    };
  }
}
