package dev.cambium.artifact.huggingface;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.safetensors.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class NonFiniteTest {

  @Property
  void agreesWithTheJdkOnFloats(@ForAll int bits) {
    float value = Float.intBitsToFloat(bits);
    assertThat(scan(DType.F32, buffer(4).putInt(0, bits)))
        .isEqualTo(expected(Float.isNaN(value), Float.isInfinite(value)));
  }

  @Property
  void agreesWithTheJdkOnDoubles(@ForAll long bits) {
    double value = Double.longBitsToDouble(bits);
    assertThat(scan(DType.F64, buffer(8).putLong(0, bits)))
        .isEqualTo(expected(Double.isNaN(value), Double.isInfinite(value)));
  }

  /** Every bfloat16, as the float whose upper half it is. */
  @Test
  void agreesWithTheJdkOnEveryBf16() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Float.intBitsToFloat(bits << 16);
      assertThat(scan(DType.BF16, buffer(2).putShort(0, (short) bits)))
          .isEqualTo(expected(Float.isNaN(value), Float.isInfinite(value)));
    }
  }

  /** Of binary16, exponent 31 is infinite with fraction 0, else NaN (IEEE 754, 3.4). */
  @Test
  void knowsEveryF16() {
    for (int sign = 0; sign < 2; sign++) {
      for (int exponent = 0; exponent < 32; exponent++) {
        for (int fraction = 0; fraction < 1024; fraction++) {
          short bits = (short) (sign << 15 | exponent << 10 | fraction);
          assertThat(scan(DType.F16, buffer(2).putShort(0, bits)))
              .isEqualTo(
                  expected(exponent == 31 && fraction != 0, exponent == 31 && fraction == 0));
        }
      }
    }
  }

  @Test
  void countsAndSaysWhere() {
    ByteBuffer floats = buffer(20);
    floats.putFloat(8, Float.NaN).putFloat(12, Float.NEGATIVE_INFINITY).putFloat(16, Float.NaN);
    assertThat(scan(DType.F32, floats)).contains(new NonFinite(2, 1, 2));
  }

  private static Optional<NonFinite> scan(DType dtype, ByteBuffer bytes) {
    return NonFinite.in(bytes, dtype);
  }

  private static Optional<NonFinite> expected(boolean nan, boolean infinite) {
    return nan || infinite
        ? Optional.of(new NonFinite(nan ? 1 : 0, infinite ? 1 : 0, 0))
        : Optional.empty();
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
