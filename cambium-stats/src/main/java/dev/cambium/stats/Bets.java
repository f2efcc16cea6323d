package dev.cambium.stats;

/**
 * A betting strategy: which share of the wealth to put at risk on the next observation. It may look
 * at everything seen so far and at nothing else (predictable); that alone makes the test valid, the
 * choice only makes it powerful.
 */
sealed interface Bets permits MixedBets, PlannedBets {

  /** The share at risk now, in [0, 1): the worst possible observation loses exactly this share. */
  double share();

  /**
   * Takes note of an observation.
   *
   * @param gain what a unit share would have won: at least -1, and -1 the worst possible
   */
  void observe(double gain);
}
