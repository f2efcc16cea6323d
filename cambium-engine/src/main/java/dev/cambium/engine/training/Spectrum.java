package dev.cambium.engine.training;

import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Trainable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Spectral regularization: strength / 2 × Σ (σ₁(W) − σ₁(W₀))² over all matrices of the layers, with
 * W₀ the foundation's. After Lewandowski et al. (2024), who hold the top singular value of a
 * network that learns from nothing near 1; a pre-trained one has values of its own to stay near.
 *
 * <p>With unit vectors W·v = σ₁·u the gradient is strength × (σ₁(W) − σ₁(W₀)) · u·vᵀ. v starts
 * exact and follows by one power iteration a step, since a step moves it little; it is part of
 * snapshots.
 */
final class Spectrum implements Regularizer, AutoCloseable {

  private final double strength;
  private final List<Trainable.Matrix> matrices;
  private final Tensor vectors;
  private final double[] targets;
  private final String origin;

  private Spectrum(
      double strength,
      List<Trainable.Matrix> matrices,
      Tensor vectors,
      double[] targets,
      String origin) {
    this.strength = strength;
    this.matrices = matrices;
    this.vectors = vectors;
    this.targets = targets;
    this.origin = origin;
  }

  /**
   * Starts from the weights as they are.
   *
   * @param foundation whose singular values to stay near; none for those of the start
   */
  static Spectrum of(Trainable trainable, Optional<Decoder> foundation, double strength) {
    List<Trainable.Matrix> matrices =
        trainable.matrices().values().stream()
            .filter(m -> m.name().startsWith("model.layers."))
            .toList();
    long size = matrices.stream().mapToLong(Trainable.Matrix::columns).sum();
    double[] targets = new double[matrices.size()];
    StringBuilder origin = new StringBuilder();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      List<Tensor> starts = new ArrayList<>();
      for (int i = 0; i < targets.length; i++) {
        Trainable.Matrix matrix = matrices.get(i);
        Top now = Top.of(Tensors.matrix(trainable.weights(), matrix));
        targets[i] = now.value;
        if (foundation.isPresent()) {
          float[] values = foundation.get().read(matrix.name());
          if (values.length != matrix.rows() * matrix.columns()) {
            throw new IllegalArgumentException(
                "the foundation's "
                    + matrix.name()
                    + " has "
                    + values.length
                    + " elements, the model's "
                    + matrix.rows()
                    + " × "
                    + matrix.columns());
          }
          targets[i] = Top.of(Natives.floats(values, matrix.rows(), matrix.columns())).value;
        }
        starts.add(now.right);
        origin.append(' ').append(targets[i]);
      }
      Tensor vectors = torch.empty(size);
      vectors.retainReference();
      Spectrum spectrum =
          new Spectrum(
              strength,
              matrices,
              vectors,
              targets,
              dev.cambium.model.Digest.ofText(origin.toString()).brief());
      for (int i = 0; i < targets.length; i++) {
        spectrum.vector(i).copy_(starts.get(i));
      }
      return spectrum;
    }
  }

  /** A matrix' top singular value and right vector, from its smaller Gram matrix. */
  private record Top(double value, Tensor right) {
    static Top of(Tensor matrix) {
      T_TensorTensor_T eigen = torch.linalg_eigh(Tensors.gram(matrix));
      long last = eigen.get0().size(0) - 1;
      double value =
          Math.sqrt(Math.max(0, eigen.get0().narrow(0, last, 1).contiguous().item_double()));
      Tensor vector = eigen.get1().narrow(1, last, 1);
      Tensor exact = matrix.to(ScalarType.Double);
      Tensor right = matrix.size(0) <= matrix.size(1) ? exact.t().mm(vector) : vector;
      Tensor flat = right.reshape(-1);
      return new Top(value, flat.div(flat.norm()).to(ScalarType.Float));
    }
  }

  private Tensor vector(int index) {
    long start = 0;
    for (int i = 0; i < index; i++) {
      start += matrices.get(i).columns();
    }
    return vectors.narrow(0, start, matrices.get(index).columns());
  }

  @Override
  public void add(Tensor weights, Tensor start, Tensor gradients) {
    for (int i = 0; i < matrices.size(); i++) {
      try (PointerScope scope = new PointerScope()) {
        Tensor w = Tensors.matrix(weights, matrices.get(i));
        Tensor v = vector(i);
        Tensor next = w.t().mv(w.mv(v));
        v.copy_(next.div(next.norm()));
        Tensor image = w.mv(v);
        Tensor value = image.norm();
        Tensor left = image.mul(value.sub(new Scalar(targets[i])).div(value));
        Tensors.matrix(gradients, matrices.get(i))
            .addr_(left, v, new Scalar(1.0), new Scalar(strength));
      }
    }
  }

  @Override
  public boolean needsStart() {
    return false;
  }

  @Override
  public String name() {
    return "spectral-" + strength + " (" + origin + ")";
  }

  @Override
  public Map<String, Tensor> state() {
    return Map.of("singular-vectors", vectors);
  }

  @Override
  public void close() {
    vectors.close();
  }
}
