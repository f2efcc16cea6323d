package dev.cambium.artifact.huggingface;

import dev.cambium.artifact.safetensors.DType;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.Optional;

/**
 * The elements of a tensor that are not finite. A float is NaN or infinite exactly if all bits of
 * its exponent are set (IEEE 754; bfloat16 has the exponent of a float32).
 *
 * @param nan how many are NaN
 * @param infinite how many are infinite
 * @param first index of the first of either, in row-major order
 */
record NonFinite(long nan, long infinite, long first) {

  private static final int F32_EXPONENT = 0x7f800000;
  private static final int BF16_EXPONENT = 0x7f80;
  private static final int F16_EXPONENT = 0x7c00;
  private static final long F64_EXPONENT = 0x7ff0000000000000L;

  static boolean knows(DType dtype) {
    return switch (dtype) {
      case F32, F16, BF16, F64 -> true;
      default -> false;
    };
  }

  /** Empty if all are finite. */
  static Optional<NonFinite> in(ByteBuffer bytes, DType dtype) {
    return switch (dtype) {
      case F32 -> ints(bytes.asIntBuffer());
      case BF16 -> shorts(bytes.asShortBuffer(), BF16_EXPONENT);
      case F16 -> shorts(bytes.asShortBuffer(), F16_EXPONENT);
      case F64 -> longs(bytes.asLongBuffer());
      default -> throw new IllegalArgumentException("not a float type: " + dtype);
    };
  }

  private static Optional<NonFinite> ints(IntBuffer bits) {
    Count count = new Count();
    for (int i = 0; i < bits.limit(); i++) {
      int value = bits.get(i);
      if ((value & F32_EXPONENT) == F32_EXPONENT) {
        count.add(i, (value & ~F32_EXPONENT & 0x7fffffff) != 0);
      }
    }
    return count.result();
  }

  private static Optional<NonFinite> shorts(ShortBuffer bits, int exponent) {
    Count count = new Count();
    for (int i = 0; i < bits.limit(); i++) {
      int value = bits.get(i);
      if ((value & exponent) == exponent) {
        count.add(i, (value & ~exponent & 0x7fff) != 0);
      }
    }
    return count.result();
  }

  private static Optional<NonFinite> longs(LongBuffer bits) {
    Count count = new Count();
    for (int i = 0; i < bits.limit(); i++) {
      long value = bits.get(i);
      if ((value & F64_EXPONENT) == F64_EXPONENT) {
        count.add(i, (value & ~F64_EXPONENT & Long.MAX_VALUE) != 0);
      }
    }
    return count.result();
  }

  private static final class Count {
    private long nan;
    private long infinite;
    private long first = -1;

    void add(int index, boolean isNan) {
      first = first < 0 ? index : first;
      if (isNan) {
        nan++;
      } else {
        infinite++;
      }
    }

    Optional<NonFinite> result() {
      return first < 0 ? Optional.empty() : Optional.of(new NonFinite(nan, infinite, first));
    }
  }

  @Override
  public String toString() {
    return nan + " NaN and " + infinite + " infinite values, the first at index " + first;
  }
}
