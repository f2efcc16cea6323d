package dev.cambium.artifact.gguf;

/** Half precision by search among all its numbers, for tests. */
final class HalfOracle {

  private HalfOracle() {}

  /** sign · mantissa · 2^exponent. */
  static float value(short half) {
    int bits = half & 0x7fff;
    int exponent = bits / 1024;
    double magnitude =
        exponent == 0
            ? bits % 1024 * Math.pow(2, -24)
            : exponent == 31
                ? Math.pow(2, 16) // where the next number would be: what lies nearer is infinite
                : (1 + bits % 1024 / 1024.0) * Math.pow(2, exponent - 15);
    return (float) (half < 0 ? -magnitude : magnitude);
  }

  static short nearest(float value) {
    double magnitude = Math.abs((double) value);
    int low = 0;
    int high = 0x7c00;
    while (high - low > 1) {
      int middle = (low + high) / 2;
      if (value((short) middle) <= magnitude) {
        low = middle;
      } else {
        high = middle;
      }
    }
    double down = magnitude - value((short) low);
    double up = value((short) high) - magnitude;
    int best = down < up || (down == up && low % 2 == 0) ? low : high;
    boolean negative = Float.floatToRawIntBits(value) < 0;
    return (short) (negative ? best | 0x8000 : best);
  }
}
