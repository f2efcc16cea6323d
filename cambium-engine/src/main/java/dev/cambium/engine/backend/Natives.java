package dev.cambium.engine.backend;

import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Java arrays to tensors on the engine's device, and back. Every tensor made belongs to the
 * caller's pointer scope.
 */
public final class Natives {

  private Natives() {}

  /** Whole numbers, as one dimension or in that shape. */
  public static Tensor longs(long[] values, long... shape) {
    Tensor tensor =
        torch.empty(
            new long[] {values.length},
            new TensorOptions(ScalarType.Long),
            new MemoryFormatOptional());
    new LongPointer(tensor.data_ptr()).put(values, 0, values.length);
    return placed(tensor, shape);
  }

  /** fp32 numbers, as one dimension or in that shape. */
  public static Tensor floats(float[] values, long... shape) {
    Tensor tensor =
        torch.empty(
            new long[] {values.length},
            new TensorOptions(ScalarType.Float),
            new MemoryFormatOptional());
    new FloatPointer(tensor.data_ptr()).put(values, 0, values.length);
    return placed(tensor, shape);
  }

  private static Tensor placed(Tensor host, long[] shape) {
    Tensor tensor = Backend.instance().toDevice(host);
    return shape.length == 0 ? tensor : tensor.view(shape);
  }

  /** A copy of a tensor of whole numbers. */
  public static long[] readLongs(Tensor tensor) {
    long[] values = new long[Math.toIntExact(tensor.numel())];
    try (PointerScope scope = new PointerScope()) {
      new LongPointer(Backend.instance().toHost(tensor).data_ptr()).get(values, 0, values.length);
    }
    return values;
  }

  /** A copy of a contiguous tensor of double precision. */
  public static double[] readDoubles(Tensor tensor) {
    double[] values = new double[Math.toIntExact(tensor.numel())];
    try (PointerScope scope = new PointerScope()) {
      new DoublePointer(Backend.instance().toHost(tensor).data_ptr()).get(values, 0, values.length);
    }
    return values;
  }

  /** Copies a contiguous fp32 tensor's first elements, from an offset. */
  public static float[] read(Tensor tensor, long offset, int count) {
    float[] values = new float[count];
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor part = Backend.instance().toHost(tensor.view(-1).narrow(0, offset, count));
      new FloatPointer(part.data_ptr()).get(values, 0, count);
    }
    return values;
  }
}
