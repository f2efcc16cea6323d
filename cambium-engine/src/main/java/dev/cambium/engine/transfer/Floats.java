package dev.cambium.engine.transfer;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.HalfPrecision;
import dev.cambium.engine.backend.Natives;
import java.nio.ByteBuffer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Elements of fp32, bf16 and fp16 buffers. Doubles are rounded once, to nearest and to even. */
final class Floats {

  private Floats() {}

  /** All elements of a tensor of any precision, row-major. */
  static float[] of(Tensor tensor) {
    Tensor plain = tensor.to(ScalarType.Float).contiguous();
    return Natives.read(plain, 0, Math.toIntExact(plain.numel()));
  }

  static double get(ByteBuffer bytes, DType type, int index) {
    return switch (type) {
      case F32 -> bytes.getFloat(bytes.position() + 4 * index);
      case BF16 -> Float.intBitsToFloat(bytes.getShort(bytes.position() + 2 * index) << 16);
      case F16 -> HalfPrecision.value(bytes.getShort(bytes.position() + 2 * index));
      default -> throw new IllegalArgumentException("not a float type: " + type);
    };
  }

  static void put(ByteBuffer bytes, DType type, int index, double value) {
    switch (type) {
      case F32 -> bytes.putFloat(4 * index, (float) value);
      case BF16 -> bytes.putShort(2 * index, (short) round(value, 8, 8));
      case F16 -> bytes.putShort(2 * index, (short) round(value, 5, 11));
      default -> throw new IllegalArgumentException("not a float type: " + type);
    }
  }

  /** Above this a value has no finite nearest neighbour in that type. */
  static double limit(DType type) {
    return switch (type) {
      case F32 -> 0x1.FFFFFFp127;
      case BF16 -> 0x1.FFp127;
      case F16 -> 65_520;
      default -> throw new IllegalArgumentException("not a float type: " + type);
    };
  }

  /**
   * The bits of the bf16 nearest to a finite value: first to an odd fp32, which keeps what rounding
   * to fewer than 23 bits must know (Boldo and Melquiond, 2008), then to nearest and to even.
   */
  static short bfloat16(double value) {
    float near = (float) value;
    int bits = Float.floatToRawIntBits(near);
    if (near != value) {
      if (Math.abs((double) near) > Math.abs(value)) {
        bits--;
      }
      bits |= 1;
    }
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }

  /**
   * The bits of the 16-bit float nearest to a value.
   *
   * @param exponentBits width of the exponent
   * @param precision significant bits, the implied one included
   */
  static int round(double value, int exponentBits, int precision) {
    int fractionBits = precision - 1;
    int sign = Double.doubleToRawLongBits(value) < 0 ? 0x8000 : 0;
    int infinity = ((1 << exponentBits) - 1) << fractionBits;
    if (Double.isNaN(value)) {
      return sign | infinity | 1 << (fractionBits - 1);
    }
    double size = Math.abs(value);
    int bias = (1 << (exponentBits - 1)) - 1;
    int exponent = Math.max(Math.getExponent(size), 1 - bias);
    if (Double.isInfinite(size) || exponent > bias) {
      return sign | infinity;
    }
    // In units of the last place this is exact, and rint rounds to even.
    long units = (long) Math.rint(Math.scalb(size, fractionBits - exponent));
    // A normal number carries its implied bit, which adds one to the exponent field below it.
    long bits = units + ((long) (exponent + bias - 1) << fractionBits);
    return sign | (int) Math.min(bits, infinity);
  }
}
