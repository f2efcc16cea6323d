package dev.cambium.engine.training;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019) over one flat buffer.
 *
 * <p>With m and v the moving means of the gradient and its square, and t the step from 1,
 *
 * <pre>
 * w ← w · (1 − rate · decay)                       matrices only
 * w ← w − rate / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)
 * </pre>
 *
 * computed as rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε · √(1 − β₂ᵗ)), which is the same with one
 * pass over memory less.
 */
final class AdamW implements AutoCloseable {

  static final double BETA1 = 0.9;
  static final double BETA2 = 0.95;
  static final double EPSILON = 1e-8;

  private final Tensor weights;
  private final Tensor mean;
  private final Tensor square;
  private final Tensor scratch;
  private final long matrixEnd;
  private final double decay;

  AdamW(Tensor weights, long matrixEnd, double decay) {
    this.weights = weights;
    this.matrixEnd = matrixEnd;
    this.decay = decay;
    this.mean = buffer(weights);
    this.square = buffer(weights);
    this.scratch = buffer(weights);
  }

  private static Tensor buffer(Tensor like) {
    Tensor buffer = torch.zeros_like(like);
    buffer.retainReference();
    return buffer;
  }

  /** Moving mean of the gradients. */
  Tensor mean() {
    return mean;
  }

  /** Moving mean of their squares. */
  Tensor square() {
    return square;
  }

  /** One update; step counts from 1. */
  void update(Tensor gradients, double rate, long step) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      double first = 1 - StrictMath.pow(BETA1, step);
      double second = StrictMath.sqrt(1 - StrictMath.pow(BETA2, step));
      mean.lerp_(gradients, new Scalar(1 - BETA1));
      square.mul_(new Scalar(BETA2)).addcmul_(gradients, gradients, new Scalar(1 - BETA2));
      if (decay > 0) {
        weights.narrow(0, 0, matrixEnd).mul_(new Scalar(1 - rate * decay));
      }
      Tensor denominator = torch.sqrt_out(scratch, square).add_(new Scalar(EPSILON * second));
      weights.addcdiv_(mean, denominator, new Scalar(-rate * second / first));
    }
  }

  @Override
  public void close() {
    mean.close();
    square.close();
    scratch.close();
  }
}
