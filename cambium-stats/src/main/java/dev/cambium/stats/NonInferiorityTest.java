package dev.cambium.stats;

import java.util.OptionalInt;
import java.util.function.DoubleFunction;

/**
 * Is the candidate not worse than its reference by the margin or more? Anytime-valid, on paired
 * differences d = candidate's score − reference's score on the same item, in [−1, 1].
 *
 * <p>{@link Finding#HOLDS} (not inferior) rejects E[d] ≤ −margin; {@link Finding#BROKEN} (inferior)
 * rejects E[d] ≥ −margin. Each error has probability at most alpha. Items must come in an order
 * that does not depend on their outcomes.
 *
 * <p>Most pairs agree (d = 0), so evidence for "not inferior" mostly grows by small steps, and each
 * negative flip takes a share of it back. With no disagreement at all about 3/margin items decide
 * at alpha = 0.05, as in the rule of three.
 */
public final class NonInferiorityTest extends SequentialTest {

  /** Prior guess of E[(d + margin)²], about the share of discordant pairs. Affects power only. */
  private static final double SPREAD = 0.25;

  private final double margin;

  private NonInferiorityTest(double margin, double alpha, OptionalInt planned) {
    super(nulls(), threshold(margin), alpha, planned);
    this.margin = margin;
  }

  /**
   * A test without a planned end: a canary, an audit.
   *
   * @param margin the loss that must be excluded, in [0, 1)
   * @param alpha error probability of each finding, in (0, 1)
   */
  public static NonInferiorityTest open(double margin, double alpha) {
    return new NonInferiorityTest(margin, alpha, OptionalInt.empty());
  }

  /**
   * A test on a suite of known size: as valid, and more powerful within that many items. It may
   * stop before and go on after.
   *
   * @param margin the loss that must be excluded, in [0, 1)
   * @param alpha error probability of each finding, in (0, 1)
   * @param items how many items there are to look at, at least 1
   */
  public static NonInferiorityTest planned(double margin, double alpha, int items) {
    return new NonInferiorityTest(margin, alpha, OptionalInt.of(items));
  }

  private static double threshold(double margin) {
    if (!(margin >= 0 && margin < 1)) {
      throw new IllegalArgumentException("margin must lie in [0, 1), not " + margin);
    }
    return margin == 0 ? 0 : -margin;
  }

  private static DoubleFunction<MeanNull> nulls() {
    return mean -> new MeanNull(-1, mean, 1, SPREAD);
  }

  /** The loss that must be excluded. */
  public double margin() {
    return margin;
  }
}
