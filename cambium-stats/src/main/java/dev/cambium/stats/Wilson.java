package dev.cambium.stats;

import org.hipparchus.stat.interval.BinomialProportion;
import org.hipparchus.stat.interval.ConfidenceInterval;

/**
 * Wilson's score interval for a proportion (Wilson, 1927), good at small counts and at 0 and 1 (see
 * Newcombe, 1998). A fixed-sample interval: valid for one look at a sample whose size was set
 * before; for repeated looks use {@link ConfidenceSequence}.
 */
public final class Wilson {

  private Wilson() {}

  /**
   * The interval for {@code successes} of {@code trials}.
   *
   * @param trials at least 1
   * @param level confidence level in (0, 1)
   */
  public static Interval interval(int successes, int trials, double level) {
    if (trials < 1 || successes < 0 || successes > trials) {
      throw new IllegalArgumentException(
          "a proportion needs 0 <= successes <= trials and trials >= 1, not "
              + successes
              + " of "
              + trials);
    }
    Check.openUnit("level", level);
    ConfidenceInterval found =
        BinomialProportion.getWilsonScoreInterval(trials, (double) successes / trials, level);
    // Rounding may leave an end a few ulps outside [0, 1] where all or none succeeded.
    return new Interval(
        Math.max(0, found.getLowerBound()), Math.min(1, found.getUpperBound()), level);
  }
}
