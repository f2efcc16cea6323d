package dev.cambium.stats;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.DoubleFunction;
import java.util.function.DoubleUnaryOperator;

/**
 * An anytime-valid test of a requirement on a mean: "at least the threshold". Two gamblers bet, one
 * against "it is not met" and one against "it is met"; whichever wealth first reaches 1/alpha
 * decides, for good. Each error has probability at most alpha, however often one looks and whenever
 * one stops. How and why: {@link BettingProcess}.
 *
 * <p>Mutable, not thread-safe; the same observations in the same order give the same bits.
 */
public abstract sealed class SequentialTest permits NonInferiorityTest, FloorTest {

  /** Null means tried on each side of the range by {@link #interval()}. */
  private static final int INTERVAL_STEPS = 400;

  private static final double BOLDEST = 0.999;

  private final MeanNull nulls;
  private final DoubleFunction<MeanNull> nullsAt;
  private final double alpha;
  private final OptionalInt planned;
  private final BettingProcess holds;
  private final BettingProcess broken;
  private final Series lows = new Series();
  private final Series highs = new Series();
  private final Series holdsPath = new Series();
  private final Series brokenPath = new Series();
  private Finding finding = Finding.UNDECIDED;
  private int decidedAt = -1;
  private int exact;
  private int undecidable;
  private double sum;

  SequentialTest(
      DoubleFunction<MeanNull> nullsAt, double threshold, double alpha, OptionalInt planned) {
    Check.openUnit("alpha", alpha);
    if (planned.isPresent() && planned.getAsInt() < 1) {
      throw new IllegalArgumentException(
          "planned items must be at least 1, not " + planned.getAsInt());
    }
    this.nullsAt = nullsAt;
    this.nulls = nullsAt.apply(threshold);
    this.alpha = alpha;
    this.planned = planned;
    this.holds = nulls.above(alpha, planned);
    this.broken = nulls.below(alpha, planned);
  }

  /**
   * The evidence for one of the two findings.
   *
   * @param eValue the wealth now: how many times a gambler against the opposite multiplied the
   *     stake
   * @param largest the largest wealth so far
   * @param pValue anytime-valid p-value, min(1, 1/largest)
   */
  public record Evidence(double eValue, double largest, double pValue) {}

  /**
   * Takes one observation. NaN is an undecidable item: it is counted and moves nothing.
   *
   * @throws IllegalArgumentException if it is outside the test's range
   */
  public void observe(double x) {
    if (Double.isNaN(x)) {
      undecidable++;
      return;
    }
    checkRange(x);
    exact++;
    sum += x;
    bet(x, x);
  }

  /**
   * Takes an item whose observation is only known to lie in [low, high] (a candidate's answer was
   * undecidable, a worker failed). Each finding sees it at its worst, so a version gains nothing by
   * being undecidable; it counts as undecidable.
   *
   * @throws IllegalArgumentException if an end is outside the test's range or low is above high
   */
  public void observeWithin(double low, double high) {
    checkRange(low);
    checkRange(high);
    if (low > high) {
      throw new IllegalArgumentException("low end " + low + " above high end " + high);
    }
    undecidable++;
    bet(low, high);
  }

  private void checkRange(double x) {
    if (!(x >= nulls.lower() && x <= nulls.upper())) {
      throw new IllegalArgumentException(
          "observation outside [" + nulls.lower() + ", " + nulls.upper() + "]: " + x);
    }
  }

  private void bet(double low, double high) {
    holds.observe(nulls.gainAbove(low));
    broken.observe(nulls.gainBelow(high));
    lows.add(low);
    highs.add(high);
    holdsPath.add(holds.logWealth());
    brokenPath.add(broken.logWealth());
    if (finding == Finding.UNDECIDED) {
      double target = -Math.log(alpha);
      if (holds.logWealth() >= target) {
        finding = Finding.HOLDS;
        decidedAt = lows.size();
      } else if (broken.logWealth() >= target) {
        finding = Finding.BROKEN;
        decidedAt = lows.size();
      }
    }
  }

  /** What is found; once decided it stays. */
  public Finding finding() {
    return finding;
  }

  /** After how many bets it was decided; empty while it is not. */
  public OptionalInt decidedAt() {
    return decidedAt < 0 ? OptionalInt.empty() : OptionalInt.of(decidedAt);
  }

  /** Items bet on: exact observations and those known within bounds. */
  public int count() {
    return lows.size();
  }

  /** Items that were undecidable, whether bet on at their worst or left out (NaN). */
  public int undecidable() {
    return undecidable;
  }

  /** Mean of the exact observations; empty without any. */
  public OptionalDouble mean() {
    return exact == 0 ? OptionalDouble.empty() : OptionalDouble.of(sum / exact);
  }

  /** The mean that the requirement asks for at least. */
  public double threshold() {
    return nulls.threshold();
  }

  /** The error probability of each of the two findings. */
  public double alpha() {
    return alpha;
  }

  /** Evidence that the requirement holds. */
  public Evidence holding() {
    return evidence(holds);
  }

  /** Evidence that the requirement is broken. */
  public Evidence breaking() {
    return evidence(broken);
  }

  private static Evidence evidence(BettingProcess process) {
    return new Evidence(
        Math.exp(process.logWealth()),
        Math.exp(process.largestLogWealth()),
        Math.exp(-process.largestLogWealth()));
  }

  /**
   * The course of the evidence that the requirement holds: element i is the natural logarithm of
   * the e-value after i + 1 bets. It decides at ln(1/alpha).
   */
  public double[] holdingLogEValues() {
    return holdsPath.values();
  }

  /** The course of the evidence that the requirement is broken, as {@link #holdingLogEValues}. */
  public double[] breakingLogEValues() {
    return brokenPath.values();
  }

  /**
   * A confidence interval for the mean at level 1 − 2·alpha, valid at any time: the means that the
   * same bets do not refute at alpha on either side, so it agrees with the finding. Where items
   * were known within bounds only, it covers what the mean could be.
   */
  public Interval interval() {
    return ConfidenceSequence.invert(
        nullsAt,
        nulls.lower(),
        nulls.threshold(),
        nulls.upper(),
        lows.values(),
        highs.values(),
        alpha,
        planned,
        INTERVAL_STEPS);
  }

  /**
   * About how many more items would decide, if they came out as those so far did: the wealth still
   * to win divided by the largest mean log-growth that any constant bet had on the observations so
   * far. Even odds rather than a promise: half of such continuations take longer, and with few
   * items the rates are themselves uncertain. 0 when decided; empty when nothing was observed or
   * the observations favour neither side at all.
   */
  public OptionalLong itemsToDecide() {
    if (finding != Finding.UNDECIDED) {
      return OptionalLong.of(0);
    }
    double holding = itemsToDecide(holds, gains(lows, nulls::gainAbove));
    double breaking = itemsToDecide(broken, gains(highs, nulls::gainBelow));
    double items = Math.ceil(Math.min(holding, breaking));
    return items < Long.MAX_VALUE ? OptionalLong.of((long) items) : OptionalLong.empty();
  }

  private static double[] gains(Series observed, DoubleUnaryOperator gain) {
    return Arrays.stream(observed.values()).map(gain).toArray();
  }

  private double itemsToDecide(BettingProcess process, double[] gains) {
    double mean = Arrays.stream(gains).average().orElse(0);
    if (mean <= 0) {
      return Double.POSITIVE_INFINITY;
    }
    // The mean log-growth is concave in the share: bisect its slope.
    double low = 0;
    double high = BOLDEST;
    for (int step = 0; step < 50; step++) {
      double share = (low + high) / 2;
      double slope = 0;
      for (double gain : gains) {
        slope += gain / (1 + share * gain);
      }
      if (slope > 0) {
        low = share;
      } else {
        high = share;
      }
    }
    double growth = 0;
    for (double gain : gains) {
      growth += Math.log1p(low * gain);
    }
    return (-Math.log(alpha) - process.logWealth()) / (growth / gains.length);
  }
}
