package dev.cambium.stats;

import java.util.Arrays;

/**
 * Bets for a test without a planned end: many gamblers, each with a constant share, start with
 * equal capital, and the process is their sum (a Kelly mixture; Cover's universal portfolio in one
 * dimension, 1991; Waudby-Smith &amp; Ramdas, 2024, section 5). Nobody needs to know the best
 * share: the wealth is within a factor of about the number of gamblers of the best one's in
 * hindsight. The sum does not depend on the order of the observations.
 */
final class MixedBets implements Bets {

  private static final int GAMBLERS = 32;
  private static final double RESCALE = 1e100;
  private static final double[] SHARES = new double[GAMBLERS];

  static {
    for (int i = 0; i < GAMBLERS; i++) {
      SHARES[i] = (i + 0.5) / GAMBLERS;
    }
  }

  /** Each gambler's wealth, all in one common unit that is changed before it leaves the range. */
  private final double[] wealth = new double[GAMBLERS];

  private double share = 0.5;

  MixedBets() {
    Arrays.fill(wealth, 1);
  }

  @Override
  public double share() {
    return share;
  }

  @Override
  public void observe(double gain) {
    double sum = 0;
    double atRisk = 0;
    for (int i = 0; i < GAMBLERS; i++) {
      double w = wealth[i] * (1 + SHARES[i] * gain);
      wealth[i] = w;
      sum += w;
      atRisk += SHARES[i] * w;
    }
    share = atRisk / sum;
    if (sum > RESCALE || sum < 1 / RESCALE) {
      for (int i = 0; i < GAMBLERS; i++) {
        wealth[i] /= sum;
      }
    }
  }
}
