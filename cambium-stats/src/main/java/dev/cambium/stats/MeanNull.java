package dev.cambium.stats;

import java.util.OptionalInt;

/**
 * The two composite nulls around a threshold for the mean of observations in [lower, upper], and
 * the bets against them.
 *
 * @param lower the observations' lower bound
 * @param threshold strictly between the bounds
 * @param upper the observations' upper bound
 * @param spread prior guess of the mean squared distance of an observation from the threshold
 */
record MeanNull(double lower, double threshold, double upper, double spread) {

  /** A process against "the mean is at most the threshold". */
  BettingProcess above(double alpha, OptionalInt planned) {
    return process(alpha, planned, threshold - lower);
  }

  /** A process against "the mean is at least the threshold". */
  BettingProcess below(double alpha, OptionalInt planned) {
    return process(alpha, planned, upper - threshold);
  }

  double gainAbove(double x) {
    return (x - threshold) / (threshold - lower);
  }

  double gainBelow(double x) {
    return (threshold - x) / (upper - threshold);
  }

  private BettingProcess process(double alpha, OptionalInt planned, double unit) {
    return new BettingProcess(
        planned.isPresent()
            ? new PlannedBets(planned.getAsInt(), -Math.log(alpha), spread / (unit * unit))
            : new MixedBets());
  }
}
