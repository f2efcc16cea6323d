package dev.cambium.stats;

import java.util.OptionalInt;
import java.util.function.DoubleFunction;

/**
 * A confidence sequence for the mean of bounded observations: an interval after every observation,
 * all of which cover the mean at once with the stated probability (Waudby-Smith &amp; Ramdas, 2024,
 * section 4).
 *
 * <p>It is the collection of means that betting does not refute. On a fixed grid of nulls from the
 * lower bound upwards, "the mean is at most c" is tested for each c in turn, until one is not
 * rejected; the last rejected is the lower confidence limit, and likewise from above. Testing in
 * that fixed order needs no correction: to err, the first true null in the order must be rejected.
 */
public final class ConfidenceSequence {

  private static final int STEPS = 1000;

  private final double lower;
  private final double upper;
  private final double level;
  private final OptionalInt planned;
  private final Series observed = new Series();

  private ConfidenceSequence(double lower, double upper, double level, OptionalInt planned) {
    if (!(lower < upper) || Double.isInfinite(upper - lower)) {
      throw new IllegalArgumentException(
          "observations need a finite range, not " + lower + " to " + upper);
    }
    Check.openUnit("level", level);
    this.lower = lower;
    this.upper = upper;
    this.level = level;
    this.planned = planned;
  }

  /**
   * For any number of observations.
   *
   * @param lower the observations' lower bound
   * @param upper the observations' upper bound
   * @param level confidence level, in (0, 1)
   */
  public static ConfidenceSequence open(double lower, double upper, double level) {
    return new ConfidenceSequence(lower, upper, level, OptionalInt.empty());
  }

  /** As {@link #open}, narrower about a planned number of observations, at least 1. */
  public static ConfidenceSequence planned(double lower, double upper, double level, int items) {
    if (items < 1) {
      throw new IllegalArgumentException("planned items must be at least 1, not " + items);
    }
    return new ConfidenceSequence(lower, upper, level, OptionalInt.of(items));
  }

  /**
   * Takes one observation.
   *
   * @throws IllegalArgumentException if it is outside the range or NaN
   */
  public void observe(double x) {
    if (!(x >= lower && x <= upper)) {
      throw new IllegalArgumentException(
          "observation outside [" + lower + ", " + upper + "]: " + x);
    }
    observed.add(x);
  }

  /** The interval now: the whole range before the first observation. */
  public Interval interval() {
    double[] values = observed.values();
    double quarter = (upper - lower) * (upper - lower) / 4;
    return invert(
        mean ->
            new MeanNull(lower, mean, upper, Math.min(quarter, (mean - lower) * (upper - mean))),
        lower,
        (lower + upper) / 2,
        upper,
        values,
        values,
        (1 - level) / 2,
        planned,
        STEPS / 2);
  }

  /**
   * The means that bets do not refute at {@code alpha} on either side. The grid of nulls has {@code
   * steps} equal steps from each bound to the pivot, which is itself a null.
   */
  static Interval invert(
      DoubleFunction<MeanNull> nullsAt,
      double lower,
      double pivot,
      double upper,
      double[] lows,
      double[] highs,
      double alpha,
      OptionalInt planned,
      int steps) {
    double target = -Math.log(alpha);
    double low = lower;
    for (int i = 1; i < 2 * steps; i++) {
      MeanNull nulls = nullsAt.apply(node(lower, pivot, upper, steps, i));
      BettingProcess process = nulls.above(alpha, planned);
      if (!reaches(process, target, lows, nulls, true)) {
        break;
      }
      low = nulls.threshold();
    }
    double high = upper;
    for (int i = 2 * steps - 1; i > 0; i--) {
      MeanNull nulls = nullsAt.apply(node(lower, pivot, upper, steps, i));
      BettingProcess process = nulls.below(alpha, planned);
      if (!reaches(process, target, highs, nulls, false)) {
        break;
      }
      high = nulls.threshold();
    }
    // Both chains may pass each other with probability below 2 alpha; the interval is then a point.
    return new Interval(Math.min(low, high), Math.max(low, high), 1 - 2 * alpha);
  }

  private static double node(double lower, double pivot, double upper, int steps, int i) {
    if (i == steps) {
      return pivot;
    }
    return i < steps
        ? lower + (pivot - lower) * i / steps
        : pivot + (upper - pivot) * (i - steps) / steps;
  }

  private static boolean reaches(
      BettingProcess process, double target, double[] values, MeanNull nulls, boolean above) {
    for (double value : values) {
      process.observe(above ? nulls.gainAbove(value) : nulls.gainBelow(value));
      if (process.logWealth() >= target) {
        return true;
      }
    }
    return false;
  }
}
