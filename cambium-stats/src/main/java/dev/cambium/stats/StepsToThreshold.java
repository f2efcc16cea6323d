package dev.cambium.stats;

/**
 * After how many steps a learner reached a threshold, right-censored at the horizon: one that never
 * reached it is known to need more steps than it was given, and is kept as such.
 *
 * @param steps when it was reached, or how many steps were tried in vain; from 0
 * @param reached whether it was
 */
public record StepsToThreshold(int steps, boolean reached) {

  public StepsToThreshold {
    Check.count("steps", steps);
  }

  /**
   * The first step at which a curve is at or under a threshold.
   *
   * @param losses the loss after 0, 1, 2, … steps, at least one; a value that is not finite counts
   *     as above
   */
  public static StepsToThreshold of(double[] losses, double threshold) {
    if (losses.length == 0 || Double.isNaN(threshold)) {
      throw new IllegalArgumentException(
          "a curve of " + losses.length + " losses, threshold " + threshold);
    }
    for (int i = 0; i < losses.length; i++) {
      if (losses[i] <= threshold && Double.isFinite(losses[i])) {
        return new StepsToThreshold(i, true);
      }
    }
    return new StepsToThreshold(losses.length, false);
  }
}
