package dev.cambium.stats;

import java.util.Locale;

/**
 * A confidence interval.
 *
 * @param lower its lower end
 * @param upper its upper end, not below the lower
 * @param level the confidence level, in (0, 1), for example 0.95
 */
public record Interval(double lower, double upper, double level) {

  public Interval {
    if (!(lower <= upper)) {
      throw new IllegalArgumentException("interval upside down: " + lower + " to " + upper);
    }
    Check.openUnit("level", level);
  }

  /** Whether a value lies in the interval, ends included. */
  public boolean contains(double value) {
    return lower <= value && value <= upper;
  }

  /** Upper end minus lower end. */
  public double width() {
    return upper - lower;
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "[%.4f, %.4f] (%.4g %%)", lower, upper, 100 * level);
  }
}
