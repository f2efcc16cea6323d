package dev.cambium.stats;

/** Argument checks that name the argument and the value. */
final class Check {

  private Check() {}

  static void openUnit(String name, double value) {
    if (!(value > 0 && value < 1)) {
      throw new IllegalArgumentException(name + " must lie in (0, 1), not " + value);
    }
  }

  static void count(String name, long value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " must not be negative, not " + value);
    }
  }

  static void probabilities(double[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] >= 0 && values[i] <= 1)) {
        throw new IllegalArgumentException(
            "p-value " + i + " must lie in [0, 1], not " + values[i]);
      }
    }
  }
}
