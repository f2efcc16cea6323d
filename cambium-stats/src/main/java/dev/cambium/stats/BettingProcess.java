package dev.cambium.stats;

/**
 * The wealth of a gambler who bets against "the mean gain is at most 0".
 *
 * <p>This is the one mechanism behind every sequential statement here. Observations x lie in a
 * known range and the null hypothesis bounds their mean: E[x] ≤ c, say. Call g = (x − c)/(c −
 * lower) the gain: it is at least −1, and its mean is at most 0 under the null. Start with wealth 1
 * and, before each observation, choose a share s ∈ [0, 1) of the wealth to put at risk; the wealth
 * is multiplied by 1 + s·g. (In the usual notation λ = s/(c − lower); for paired differences and
 * margin m, c = −m and λ ∈ [0, 1/(1 − m)).) Under the null no strategy can expect to win: the
 * wealth is a non-negative supermartingale, and by Ville's inequality (1939) the probability that
 * it <em>ever</em> reaches 1/α is at most α. So one may look after every item, stop when it is
 * decided, or go on when it is not, and the error stays at most α. That is what a p-value computed
 * after each item does not give.
 *
 * <p>The wealth is an e-value at any stopping time; 1/(largest wealth so far) is an anytime-valid
 * p-value. Independence is not needed, only that each observation's mean given the past obeys the
 * null; no distribution is assumed, only the range.
 *
 * <p>Which population is it about? The one that the suite's items are a sample of. A suite can be
 * evaluated to its last item, and a test for sampling without replacement would then know the
 * suite's mean exactly (Waudby-Smith &amp; Ramdas, 2020) and always decide. That would be a
 * statement about these items. A release is a statement about the traffic that they stand for, so
 * items are treated as draws from it, and evaluating the whole suite leaves honest uncertainty.
 *
 * <p>Sources: Waudby-Smith &amp; Ramdas, "Estimating means of bounded random variables by betting",
 * JRSS B 86 (2024); Ramdas, Grünwald, Vovk &amp; Shafer, "Game-theoretic statistics and safe
 * anytime- valid inference", Statistical Science 38 (2023). The strategies were chosen by
 * simulation in the regime of paired model outcomes (most differences 0, margins 0.02 to 0.1, 25 to
 * 500 items): without a plan the mixture of {@link MixedBets} beat aGRAPA, the predictable plug-in
 * and online Newton steps; with a plan {@link PlannedBets} needs about a third fewer items for the
 * same power than the mixture.
 */
final class BettingProcess {

  private final Bets bets;
  private double logWealth;
  private double largest;

  BettingProcess(Bets bets) {
    this.bets = bets;
  }

  /** Multiplies the wealth by 1 + share · gain; the gain is at least -1. */
  void observe(double gain) {
    logWealth += Math.log1p(bets.share() * gain);
    bets.observe(gain);
    largest = Math.max(largest, logWealth);
  }

  /** Natural logarithm of the wealth now. */
  double logWealth() {
    return logWealth;
  }

  /** Natural logarithm of the largest wealth so far, at least 0. */
  double largestLogWealth() {
    return largest;
  }
}
