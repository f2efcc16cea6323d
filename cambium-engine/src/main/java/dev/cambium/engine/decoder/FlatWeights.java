package dev.cambium.engine.decoder;

import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.backend.Memory;
import dev.cambium.engine.backend.Natives;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** One fp32 buffer that holds all weights of something, with copies in and out. */
final class FlatWeights implements AutoCloseable {

  private final Tensor buffer;
  private final long size;

  FlatWeights(long size) {
    this.size = size;
    Backend backend = Backend.instance();
    if (backend.device().equals("cpu")) {
      Memory.require(
          Math.multiplyExact(size, Float.BYTES), size + " weights, gradients or moments in fp32");
    }
    Tensor zeros = torch.zeros(new long[] {size}, backend.options(ScalarType.Float));
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

  float[] read(long offset, int count) {
    return Natives.read(buffer, offset, count);
  }

  void write(long offset, float[] values) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      buffer.narrow(0, offset, values.length).copy_(Natives.floats(values));
    }
  }

  @Override
  public void close() {
    buffer.close();
  }
}
