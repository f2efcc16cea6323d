package dev.cambium.artifact.safetensors;

/** Half-precision numbers (IEEE 754 binary16), by their bits. */
public final class HalfPrecision {

  private HalfPrecision() {}

  /**
   * The nearest half-precision number, ties to even; infinite from 65,520 on.
   *
   * @return its bits
   */
  public static short of(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      return (short) (sign | 0x7e00); // NaN
    }
    if (magnitude >= 0x477ff000) {
      return (short) (sign | 0x7c00);
    }
    if (magnitude >= 0x38800000) {
      // Normal: 13 bits fall off, the exponent's bias shrinks by 112.
      int rounded = magnitude + 0xfff + (magnitude >>> 13 & 1);
      return (short) (sign | (rounded >>> 13) - (112 << 10));
    }
    if (magnitude < 0x33000000) {
      return (short) sign; // below half of the smallest
    }
    // Subnormal: in units of 2^-24.
    int exponent = magnitude >>> 23;
    int mantissa = magnitude & 0x7fffff | 0x800000;
    int shift = 126 - exponent;
    int kept = mantissa >>> shift;
    int rest = mantissa & (1 << shift) - 1;
    int tie = 1 << shift - 1;
    if (rest > tie || (rest == tie && (kept & 1) == 1)) {
      kept++;
    }
    return (short) (sign | kept);
  }

  /** The value of a half-precision number. */
  public static float value(short half) {
    int exponent = half >>> 10 & 0x1f;
    int mantissa = half & 0x3ff;
    float magnitude =
        exponent == 0
            ? Math.scalb((float) mantissa, -24)
            : exponent == 31
                ? (mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN)
                : Math.scalb((float) (mantissa | 0x400), exponent - 25);
    return half < 0 ? -magnitude : magnitude;
  }
}
