package dev.cambium.stats;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.hipparchus.distribution.continuous.NormalDistribution;

/**
 * The bootstrap of a mean paired difference (Efron, 1979): items are drawn with replacement, each
 * with both its outcomes, so the pairing stays. A fixed-sample companion; its intervals hold
 * approximately, in large samples, and collapse to a point where all differences are equal.
 *
 * <p>The same differences, number of resamples and seed give the same intervals.
 */
public final class PairedBootstrap {

  private static final NormalDistribution NORMAL = new NormalDistribution();

  private final double mean;
  private final double acceleration;
  private final double[] means;

  private PairedBootstrap(double mean, double acceleration, double[] means) {
    this.mean = mean;
    this.acceleration = acceleration;
    this.means = means;
  }

  /**
   * Draws the resamples.
   *
   * @param differences one per item, finite; at least one
   * @param resamples how many, at least 100; 10,000 for reported ends
   * @param seed of the draws
   */
  public static PairedBootstrap of(double[] differences, int resamples, long seed) {
    if (differences.length == 0 || resamples < 100) {
      throw new IllegalArgumentException(
          "a bootstrap needs at least 1 item and 100 resamples, not "
              + differences.length
              + " and "
              + resamples);
    }
    double sum = 0;
    for (int i = 0; i < differences.length; i++) {
      if (!Double.isFinite(differences[i])) {
        throw new IllegalArgumentException("difference " + i + " is " + differences[i]);
      }
      sum += differences[i];
    }
    int n = differences.length;
    double mean = sum / n;
    SplittableRandom random = new SplittableRandom(seed);
    double[] means = new double[resamples];
    for (int r = 0; r < resamples; r++) {
      double total = 0;
      for (int i = 0; i < n; i++) {
        total += differences[random.nextInt(n)];
      }
      means[r] = total / n;
    }
    Arrays.sort(means);
    return new PairedBootstrap(mean, acceleration(differences, mean), means);
  }

  /** The jackknife's acceleration; for a mean it is the sample skewness / (6·√n). */
  private static double acceleration(double[] values, double mean) {
    double squares = 0;
    double cubes = 0;
    for (double value : values) {
      double deviation = value - mean;
      squares += deviation * deviation;
      cubes += deviation * deviation * deviation;
    }
    return squares == 0 ? 0 : cubes / (6 * Math.pow(squares, 1.5));
  }

  /** The observed mean difference. */
  public double mean() {
    return mean;
  }

  /** The percentile interval. */
  public Interval percentile(double level) {
    Check.openUnit("level", level);
    return new Interval(quantile((1 - level) / 2), quantile((1 + level) / 2), level);
  }

  /**
   * The bias-corrected and accelerated interval (Efron, 1987): better centred than the percentile
   * interval where the differences are skewed, as few and one-sided flips are.
   */
  public Interval bca(double level) {
    Check.openUnit("level", level);
    double below = 0;
    for (double value : means) {
      below += value < mean ? 1 : value == mean ? 0.5 : 0;
    }
    double share = below / means.length;
    if (share <= 0 || share >= 1) {
      return percentile(level);
    }
    double bias = NORMAL.inverseCumulativeProbability(share);
    return new Interval(
        quantile(corrected(bias, (1 - level) / 2)),
        quantile(corrected(bias, (1 + level) / 2)),
        level);
  }

  private double corrected(double bias, double probability) {
    double z = bias + NORMAL.inverseCumulativeProbability(probability);
    return NORMAL.cumulativeProbability(bias + z / (1 - acceleration * z));
  }

  private double quantile(double probability) {
    int index = (int) Math.ceil(probability * means.length) - 1;
    return means[Math.max(0, Math.min(means.length - 1, index))];
  }
}
