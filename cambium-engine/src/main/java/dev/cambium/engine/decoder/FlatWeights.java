package dev.cambium.engine.decoder;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** One fp32 buffer that holds all weights of something, with copies in and out. */
final class FlatWeights implements AutoCloseable {

  private final Tensor buffer;
  private final long size;

  FlatWeights(long size) {
    this.size = size;
    Tensor zeros = torch.zeros(new long[] {size}, new TensorOptions(ScalarType.Float));
    zeros.retainReference();
    this.buffer = zeros;
  }

  Tensor buffer() {
    return buffer;
  }

  long size() {
    return size;
  }

  /** A view of part of the buffer; belongs to the caller's scope. */
  Tensor view(long offset, long... shape) {
    long count = 1;
    for (long dimension : shape) {
      count *= dimension;
    }
    return buffer.narrow(0, offset, count).view(shape);
  }

  /** Where an element lies in memory. Valid while this object is open. */
  FloatPointer pointer(long offset) {
    return new FloatPointer(buffer.data_ptr()).position(offset);
  }

  float[] read(long offset, int count) {
    float[] values = new float[count];
    pointer(offset).get(values, 0, count);
    return values;
  }

  void write(long offset, float[] values) {
    pointer(offset).put(values, 0, values.length);
  }

  @Override
  public void close() {
    buffer.close();
  }
}
