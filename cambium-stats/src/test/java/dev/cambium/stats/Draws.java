package dev.cambium.stats;

import java.util.SplittableRandom;

/** A distribution of paired right/wrong differences. */
record Draws(double better, double worse) {

  static Draws of(double discordant, double mean) {
    return new Draws((discordant + mean) / 2, (discordant - mean) / 2);
  }

  double next(SplittableRandom random) {
    double u = random.nextDouble();
    return u < worse ? -1 : u < worse + better ? 1 : 0;
  }
}
