package dev.cambium.stats;

import org.hipparchus.distribution.discrete.BinomialDistribution;

/**
 * McNemar's exact test for paired right/wrong outcomes (McNemar, 1947; the exact form conditions on
 * the discordant pairs, which under equality fall either way like a fair coin).
 *
 * <p>It asks whether two versions differ at all. It is reported beside a non-inferiority verdict
 * and does not decide it: "no significant difference" is not "not worse".
 *
 * @param negativeFlips items right before and wrong now
 * @param positiveFlips items wrong before and right now
 */
public record McNemar(int negativeFlips, int positiveFlips) {

  public McNemar {
    Check.count("negativeFlips", negativeFlips);
    Check.count("positiveFlips", positiveFlips);
  }

  /** Counts the flips in paired outcomes: {@code before[i]} and {@code now[i]} are item i's. */
  public static McNemar of(boolean[] before, boolean[] now) {
    if (before.length != now.length) {
      throw new IllegalArgumentException(
          "paired outcomes need one of each per item, not " + before.length + " and " + now.length);
    }
    int negative = 0;
    int positive = 0;
    for (int i = 0; i < before.length; i++) {
      if (before[i] && !now[i]) {
        negative++;
      } else if (!before[i] && now[i]) {
        positive++;
      }
    }
    return new McNemar(negative, positive);
  }

  /** Pairs that carry information. */
  public int discordant() {
    return negativeFlips + positiveFlips;
  }

  /** Exact two-sided p-value: twice the smaller tail, at most 1. Conservative. */
  public double twoSided() {
    return Math.min(1, 2 * tail(Math.max(negativeFlips, positiveFlips)));
  }

  /**
   * Two-sided mid-p value (Lancaster, 1961; recommended by Fagerland, Lydersen &amp; Laake, 2013):
   * the observed table counts half. Less conservative; its level can exceed the nominal one
   * slightly.
   */
  public double twoSidedMidP() {
    return Math.min(1, 2 * midTail(Math.max(negativeFlips, positiveFlips)));
  }

  /** Exact one-sided p-value against "not worse": small where now is worse than before. */
  public double worse() {
    return tail(negativeFlips);
  }

  /** One-sided mid-p value against "not worse". */
  public double worseMidP() {
    return midTail(negativeFlips);
  }

  /** P(X >= k) for X binomial over the discordant pairs with a fair coin. */
  private double tail(int k) {
    return k == 0 ? 1 : 1 - coin().cumulativeProbability(k - 1);
  }

  private double midTail(int k) {
    return tail(k) - 0.5 * coin().probability(k);
  }

  private BinomialDistribution coin() {
    return new BinomialDistribution(discordant(), 0.5);
  }
}
