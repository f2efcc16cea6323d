package dev.cambium.engine.training;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
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

  /** With its settings and inputs, for messages and digests. */
  String name();

  /** Buffers that it carries from step to step, by name: part of a snapshot. */
  default Map<String, Tensor> state() {
    return Map.of();
  }

  /** Several, one after the other. */
  static Regularizer all(List<Regularizer> parts) {
    List<Regularizer> each = List.copyOf(parts);
    return new Regularizer() {
      @Override
      public void add(Tensor weights, Tensor start, Tensor gradients) {
        each.forEach(part -> part.add(weights, start, gradients));
      }

      @Override
      public boolean needsStart() {
        return each.stream().anyMatch(Regularizer::needsStart);
      }

      @Override
      public String name() {
        return each.stream().map(Regularizer::name).collect(Collectors.joining(" + "));
      }

      @Override
      public Map<String, Tensor> state() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        each.forEach(part -> state.putAll(part.state()));
        return state;
      }
    };
  }

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
