package dev.cambium.engine.training;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Java arrays to tensors, tensors to arrays, matrices out of a flat buffer. */
final class Tensors {

  private Tensors() {}

  /** A tensor of one dimension; belongs to the caller's scope. */
  static Tensor floats(float[] values) {
    Tensor tensor =
        torch.empty(
            new long[] {values.length},
            new TensorOptions(ScalarType.Float),
            new MemoryFormatOptional());
    new FloatPointer(tensor.data_ptr()).put(values, 0, values.length);
    return tensor;
  }

  /** A copy of a contiguous fp32 tensor. */
  static float[] read(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.numel())];
    new FloatPointer(tensor.data_ptr()).get(values, 0, values.length);
    return values;
  }

  /** A view. */
  static Tensor matrix(Tensor flat, dev.cambium.engine.decoder.Trainable.Matrix matrix) {
    return flat.narrow(0, matrix.offset(), matrix.rows() * matrix.columns())
        .view(matrix.rows(), matrix.columns());
  }

  /** W·Wᵀ or Wᵀ·W, whichever is smaller, in double precision. */
  static Tensor gram(Tensor matrix) {
    Tensor exact = matrix.to(ScalarType.Double);
    return exact.size(0) <= exact.size(1) ? exact.mm(exact.t()) : exact.t().mm(exact);
  }
}
