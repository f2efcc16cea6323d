package dev.cambium.engine.training;

import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Trainable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Keeps a new adapter's input directions out of those of the one before it: strength × Σ ‖A·Qᵀ‖²,
 * where the rows of Q are an orthonormal basis of the earlier A's. The gradient is 2 · strength ×
 * A·Qᵀ·Q.
 *
 * <p>O-LoRA (Wang et al., 2023) uses the earlier A itself; with a basis of the same subspace the
 * pull does not depend on how large the earlier adapter happened to be.
 */
final class Orthogonality implements Regularizer, AutoCloseable {

  private final double strength;
  private final Map<Trainable.Matrix, Tensor> bases;
  private final String origin;

  private Orthogonality(double strength, Map<Trainable.Matrix, Tensor> bases, String origin) {
    this.strength = strength;
    this.bases = bases;
    this.origin = origin;
  }

  /**
   * Against an adapter on the same targets.
   *
   * @param trainable the new adapter's weights
   */
  static Orthogonality to(LoraAdapter earlier, Trainable trainable, double strength) {
    Map<Trainable.Matrix, Tensor> bases = new LinkedHashMap<>();
    StringBuilder origin = new StringBuilder();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (Trainable.Matrix matrix : trainable.matrices().values()) {
        List<Long> shape = earlier.shapes().get(matrix.name());
        if (matrix.name().endsWith(".lora_A.weight") && shape != null) {
          float[] values = earlier.read(matrix.name());
          Tensor rows = Natives.floats(values, shape.get(0), shape.get(1));
          Tensor basis = torch.linalg_qr(rows.t()).get0().t().contiguous();
          basis.retainReference();
          bases.put(matrix, basis);
          origin.append(java.util.Arrays.hashCode(values)).append(' ');
        }
      }
    }
    return new Orthogonality(
        strength, bases, dev.cambium.model.Digest.ofText(origin.toString()).brief());
  }

  @Override
  public void add(Tensor weights, Tensor start, Tensor gradients) {
    bases.forEach(
        (matrix, basis) -> {
          try (PointerScope scope = new PointerScope()) {
            Tensor overlap = Tensors.matrix(weights, matrix).mm(basis.t());
            Tensors.matrix(gradients, matrix)
                .addmm_(overlap, basis, new Scalar(1.0), new Scalar(2 * strength));
          }
        });
  }

  @Override
  public boolean needsStart() {
    return false;
  }

  @Override
  public String name() {
    return "orthogonal-" + strength + " (" + origin + ")";
  }

  @Override
  public void close() {
    bases.values().forEach(Tensor::close);
  }
}
