package dev.cambium.engine.training;

import dev.cambium.engine.decoder.Trainable;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Matrices out of a flat buffer, and products of them. */
final class Tensors {

  private Tensors() {}

  /** A view. */
  static Tensor matrix(Tensor flat, Trainable.Matrix matrix) {
    return flat.narrow(0, matrix.offset(), matrix.rows() * matrix.columns())
        .view(matrix.rows(), matrix.columns());
  }

  /** W·Wᵀ or Wᵀ·W, whichever is smaller, in double precision. */
  static Tensor gram(Tensor matrix) {
    Tensor exact = matrix.to(ScalarType.Double);
    return exact.size(0) <= exact.size(1) ? exact.mm(exact.t()) : exact.t().mm(exact);
  }
}
