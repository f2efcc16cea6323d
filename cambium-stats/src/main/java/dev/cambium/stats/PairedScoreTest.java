package dev.cambium.stats;

import org.hipparchus.distribution.continuous.NormalDistribution;
import org.hipparchus.distribution.discrete.BinomialDistribution;

/**
 * The fixed-sample non-inferiority test for paired right/wrong outcomes: the score test of Tango
 * (1998) and Nam (1997), whose variance is estimated under the null. It is the yardstick that the
 * sequential test is compared with, and valid for one look at a number of items set before.
 *
 * <p>Asymptotic: with few discordant pairs its true error can exceed the nominal one.
 *
 * @param negativeFlips items right before and wrong now
 * @param positiveFlips items wrong before and right now
 * @param items all items, discordant or not, at least 1
 */
public record PairedScoreTest(int negativeFlips, int positiveFlips, int items) {

  private static final NormalDistribution NORMAL = new NormalDistribution();

  public PairedScoreTest {
    Check.count("negativeFlips", negativeFlips);
    Check.count("positiveFlips", positiveFlips);
    if (items < 1 || (long) negativeFlips + positiveFlips > items) {
      throw new IllegalArgumentException(
          "items must be at least 1 and at least the flips: "
              + items
              + " items, "
              + negativeFlips
              + " negative and "
              + positiveFlips
              + " positive flips");
    }
  }

  /** Observed mean difference, now minus before. */
  public double difference() {
    return (double) (positiveFlips - negativeFlips) / items;
  }

  /**
   * Tango's statistic for "the mean difference is delta": about standard normal if so, larger where
   * the difference is larger.
   *
   * @param delta in (-1, 1)
   */
  public double statistic(double delta) {
    if (!(delta > -1 && delta < 1)) {
      throw new IllegalArgumentException("delta must lie in (-1, 1), not " + delta);
    }
    double n = items;
    double excess = positiveFlips - negativeFlips - n * delta;
    // The negative flips' probability q, estimated under the null: the larger root of a·q² + b·q +
    // c.
    double a = 2 * n;
    double b = -positiveFlips - negativeFlips + (2 * n - positiveFlips + negativeFlips) * delta;
    double c = -negativeFlips * delta * (1 - delta);
    double q = (Math.sqrt(Math.max(0, b * b - 4 * a * c)) - b) / (2 * a);
    double variance = n * (2 * q + delta * (1 - delta));
    if (variance <= 0) {
      return excess == 0 ? 0 : Math.copySign(Double.POSITIVE_INFINITY, excess);
    }
    return excess / Math.sqrt(variance);
  }

  /**
   * One-sided p-value for "worse by the margin or more": small where now is not inferior.
   *
   * @param margin in [0, 1)
   */
  public double notInferior(double margin) {
    return tail(statistic(-margin));
  }

  /**
   * One-sided p-value for "worse by the margin at most": small where now is inferior.
   *
   * @param margin in [0, 1)
   */
  public double inferior(double margin) {
    return tail(-statistic(-margin));
  }

  private static double tail(double z) {
    return z == Double.POSITIVE_INFINITY ? 0 : NORMAL.cumulativeProbability(-z);
  }

  /** Tango's score interval for the mean difference. */
  public Interval interval(double level) {
    Check.openUnit("level", level);
    double z = NORMAL.inverseCumulativeProbability((1 + level) / 2);
    return new Interval(solve(-1, difference(), z), solve(difference(), 1, -z), level);
  }

  /** The delta between two bounds whose statistic, falling in delta, is z. */
  private double solve(double low, double high, double z) {
    for (int step = 0; step < 60; step++) {
      double middle = (low + high) / 2;
      if (middle <= -1 || middle >= 1 || middle == low || middle == high) {
        break;
      }
      if (statistic(middle) > z) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return (low + high) / 2;
  }

  /**
   * The test's exact probability of finding "not inferior", summed over all outcomes.
   *
   * @param items number of items
   * @param worse true probability of a negative flip
   * @param better true probability of a positive flip
   * @param margin in [0, 1)
   * @param alpha the test's nominal level
   */
  public static double probabilityNotInferior(
      int items, double worse, double better, double margin, double alpha) {
    return probability(items, worse, better, margin, alpha, 1);
  }

  /** The test's exact probability of finding "inferior"; as {@link #probabilityNotInferior}. */
  public static double probabilityInferior(
      int items, double worse, double better, double margin, double alpha) {
    return probability(items, worse, better, margin, alpha, -1);
  }

  private static double probability(
      int items, double worse, double better, double margin, double alpha, int sign) {
    Check.openUnit("alpha", alpha);
    if (!(worse >= 0 && better >= 0 && worse + better <= 1)) {
      throw new IllegalArgumentException(
          "no probabilities of flips: worse " + worse + ", better " + better);
    }
    double critical = NORMAL.inverseCumulativeProbability(1 - alpha);
    double flip = worse + better;
    BinomialDistribution flips = new BinomialDistribution(items, flip);
    double total = 0;
    for (int discordant = 0; discordant <= items; discordant++) {
      double weight = flips.probability(discordant);
      if (weight < 1e-12) {
        continue;
      }
      BinomialDistribution losses =
          new BinomialDistribution(discordant, flip == 0 ? 0 : worse / flip);
      for (int lost = 0; lost <= discordant; lost++) {
        PairedScoreTest outcome = new PairedScoreTest(lost, discordant - lost, items);
        if (sign * outcome.statistic(-margin) >= critical) {
          total += weight * losses.probability(lost);
        }
      }
    }
    return total;
  }
}
