package dev.cambium.engine.training;

import static dev.cambium.engine.backend.NativeOperator.list;
import static dev.cambium.engine.backend.NativeOperator.noTensors;

import dev.cambium.engine.backend.NativeOperator;
import dev.cambium.engine.backend.Natives;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.NoGradGuard;
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
 * in one pass over memory, by the tensor library's own kernel.
 */
final class AdamW implements AutoCloseable {

  static final double BETA1 = 0.9;
  static final double BETA2 = 0.95;
  static final double EPSILON = 1e-8;

  private static final NativeOperator KERNEL = new NativeOperator("aten::_fused_adamw_");

  private final Tensor weights;
  private final Tensor mean;
  private final Tensor square;
  private final long matrixEnd;
  private final double decay;

  AdamW(Tensor weights, long matrixEnd, double decay) {
    this.weights = weights;
    this.matrixEnd = matrixEnd;
    this.decay = decay;
    this.mean = buffer(weights);
    this.square = buffer(weights);
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
    update(gradients, rate, step, 0, matrixEnd, decay);
    update(gradients, rate, step, matrixEnd, weights.numel(), 0);
  }

  private void update(Tensor gradients, double rate, long step, long from, long to, double decay) {
    if (from == to) {
      return;
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      long count = to - from;
      KERNEL.run(
          list(weights.narrow(0, from, count)),
          list(gradients.narrow(0, from, count)),
          list(mean.narrow(0, from, count)),
          list(square.narrow(0, from, count)),
          noTensors(), // greatest squares, of another variant
          list(Natives.floats(new float[] {step})),
          new IValue(rate),
          new IValue(BETA1),
          new IValue(BETA2),
          new IValue(decay),
          new IValue(EPSILON),
          new IValue(false), // that variant
          new IValue(false), // maximise
          new IValue(), // scale of the gradients
          new IValue()); // where to note infinities
    }
  }

  @Override
  public void close() {
    mean.close();
    square.close();
  }
}
