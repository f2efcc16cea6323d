package dev.cambium.engine.transfer;

import dev.cambium.engine.decoder.Decoder;
import java.util.Arrays;
import java.util.Random;

/** Weights made loud, or moved a little. */
final class Disturbed {

  private Disturbed() {}

  /** Random weights that make heads and units differ, norms that are not one. */
  static void loud(Decoder decoder, long seed) {
    Random random = new Random(seed);
    decoder
        .shapes()
        .forEach(
            (name, shape) -> {
              float[] values = decoder.read(name);
              for (int i = 0; i < values.length; i++) {
                values[i] =
                    shape.size() == 1 && name.endsWith("norm.weight")
                        ? 0.5f + random.nextFloat()
                        : (float) (0.3 * random.nextGaussian());
              }
              decoder.write(name, values);
            });
  }

  /** The same decoder, every weight moved a little. */
  static void nudge(Decoder decoder, long seed) {
    Random random = new Random(seed);
    decoder
        .shapes()
        .keySet()
        .forEach(
            name -> {
              float[] values = decoder.read(name);
              for (int i = 0; i < values.length; i++) {
                values[i] += (float) (0.05 * random.nextGaussian());
              }
              decoder.write(name, values);
            });
  }

  static int[] identity(int size) {
    int[] all = new int[size];
    Arrays.setAll(all, i -> i);
    return all;
  }
}
