package dev.cambium.engine.decoder;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Java arrays to tensors and back. Every tensor made belongs to the caller's pointer scope. */
final class Natives {

  private Natives() {}

  static Tensor longs(long[] values, long... shape) {
    Tensor tensor =
        torch.empty(
            new long[] {values.length},
            new TensorOptions(ScalarType.Long),
            new MemoryFormatOptional());
    new LongPointer(tensor.data_ptr()).put(values, 0, values.length);
    return shape.length == 0 ? tensor : tensor.view(shape);
  }

  static Tensor floats(float[] values, long... shape) {
    Tensor tensor =
        torch.empty(
            new long[] {values.length},
            new TensorOptions(ScalarType.Float),
            new MemoryFormatOptional());
    new FloatPointer(tensor.data_ptr()).put(values, 0, values.length);
    return shape.length == 0 ? tensor : tensor.view(shape);
  }

  /** Copies a contiguous fp32 tensor's first elements, from an offset. */
  static float[] read(Tensor tensor, long offset, int count) {
    float[] values = new float[count];
    new FloatPointer(tensor.data_ptr()).position(offset).get(values, 0, count);
    return values;
  }
}
