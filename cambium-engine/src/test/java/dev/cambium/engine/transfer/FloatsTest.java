package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.safetensors.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class FloatsTest {

  private static final DType[] HALVES = {DType.BF16, DType.F16};

  private static ByteBuffer of(int bits) {
    return ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort(0, (short) bits);
  }

  private static double value(DType type, int bits) {
    return Floats.get(of(bits), type, 0);
  }

  private static int bits(DType type, double value) {
    ByteBuffer bytes = of(0);
    Floats.put(bytes, type, 0, value);
    return bytes.getShort(0) & 0xffff;
  }

  @Test
  void everySixteenBitFloatComesBack() {
    for (DType type : HALVES) {
      for (int b = 0; b < 1 << 16; b++) {
        double value = value(type, b);
        if (Double.isNaN(value)) {
          assertThat(value(type, bits(type, value))).isNaN();
        } else {
          assertThat(bits(type, value)).as("%s %x", type, b).isEqualTo(b);
        }
      }
    }
  }

  @Test
  void halfwayGoesToTheEvenNeighbour() {
    for (DType type : HALVES) {
      int infinity = type == DType.BF16 ? 0x7f80 : 0x7c00;
      for (int b = 0; b + 1 < infinity; b++) {
        double low = value(type, b);
        double high = value(type, b + 1);
        double middle = (low + high) / 2;
        assertThat(bits(type, middle)).isEqualTo((b & 1) == 0 ? b : b + 1);
        assertThat(bits(type, Math.nextDown(middle))).isEqualTo(b);
        assertThat(bits(type, Math.nextUp(middle))).isEqualTo(b + 1);
        assertThat(bits(type, -middle)).isEqualTo(((b & 1) == 0 ? b : b + 1) | 0x8000);
      }
    }
  }

  @Test
  void largeNumbersBecomeInfinite() {
    assertThat(bits(DType.F16, 65_519.9)).isEqualTo(0x7bff);
    assertThat(bits(DType.F16, 65_520)).isEqualTo(0x7c00);
    assertThat(bits(DType.BF16, 1e300)).isEqualTo(0x7f80);
    assertThat(bits(DType.BF16, Double.NEGATIVE_INFINITY)).isEqualTo(0xff80);
  }

  @Property(tries = 2000)
  void halfAgreesWithArithmeticOnTheDefinition(@ForAll float any) {
    // Nearest by exhaustive distance is too slow; the neighbours of the result suffice.
    double value = any % 65_504;
    if (Double.isNaN(value)) {
      return;
    }
    int found = bits(DType.F16, Math.abs(value));
    double distance = Math.abs(value(DType.F16, found) - Math.abs(value));
    if (found > 0) {
      assertThat(distance)
          .isLessThanOrEqualTo(Math.abs(value(DType.F16, found - 1) - Math.abs(value)));
    }
    if (found < 0x7bff) {
      assertThat(distance)
          .isLessThanOrEqualTo(Math.abs(value(DType.F16, found + 1) - Math.abs(value)));
    }
  }
}
