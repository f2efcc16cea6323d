package dev.cambium.stats;

import java.util.OptionalInt;
import java.util.function.DoubleFunction;

/**
 * Is a mean score above its floor? Anytime-valid, on scores in [0, 1].
 *
 * <p>{@link Finding#HOLDS} rejects E[x] ≤ floor; {@link Finding#BROKEN} rejects E[x] ≥ floor. Each
 * error has probability at most alpha.
 */
public final class FloorTest extends SequentialTest {

  private FloorTest(double floor, double alpha, OptionalInt planned) {
    super(nulls(), checked(floor), alpha, planned);
  }

  /**
   * A test without a planned end.
   *
   * @param floor in (0, 1)
   * @param alpha error probability of each finding, in (0, 1)
   */
  public static FloorTest open(double floor, double alpha) {
    return new FloorTest(floor, alpha, OptionalInt.empty());
  }

  /**
   * A test on a suite of known size, more powerful within that many items.
   *
   * @param floor in (0, 1)
   * @param alpha error probability of each finding, in (0, 1)
   * @param items how many items there are to look at, at least 1
   */
  public static FloorTest planned(double floor, double alpha, int items) {
    return new FloorTest(floor, alpha, OptionalInt.of(items));
  }

  private static double checked(double floor) {
    Check.openUnit("floor", floor);
    return floor;
  }

  /** Prior spread of right-or-wrong scores with that mean, the widest that scores can have. */
  private static DoubleFunction<MeanNull> nulls() {
    return mean -> new MeanNull(0, mean, 1, mean * (1 - mean));
  }
}
