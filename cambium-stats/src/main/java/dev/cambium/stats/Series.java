package dev.cambium.stats;

import java.util.Arrays;

/** A growing list of primitive doubles. */
final class Series {

  private double[] values = new double[64];
  private int size;

  void add(double value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = value;
  }

  int size() {
    return size;
  }

  double[] values() {
    return Arrays.copyOf(values, size);
  }
}
