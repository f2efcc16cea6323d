package dev.cambium.engine.transfer;

import java.util.List;

/**
 * The loss on the straight line from one base to another.
 *
 * @param losses mean over the text's tokens, in nats, at equal distances from the old base to the
 *     new one
 * @param tokens that were predicted
 */
public record CrossingReport(List<Double> losses, int tokens) {

  public CrossingReport {
    losses = List.copyOf(losses);
    if (losses.size() < 2) {
      throw new IllegalArgumentException("a line has two ends: " + losses);
    }
  }

  /**
   * How far the loss rises above the straight line between its ends, in nats; 0 where it does not
   * (the error barrier; Frankle et al., 2020).
   */
  public double barrier() {
    double most = 0;
    int last = losses.size() - 1;
    for (int i = 1; i < last; i++) {
      double share = (double) i / last;
      double chord = (1 - share) * losses.get(0) + share * losses.get(last);
      most = Math.max(most, losses.get(i) - chord);
    }
    return most;
  }
}
