package dev.cambium.stats;

import java.util.Arrays;
import java.util.Comparator;

/**
 * Holm's step-down procedure (Holm, 1979): controls the probability of any false rejection among
 * several hypotheses, whatever their dependence.
 *
 * <p>It also takes p-values derived from e-values, 1/e (Markov's inequality), and the anytime-valid
 * {@link SequentialTest.Evidence#pValue()}, at any stopping time.
 *
 * <p>Which direction needs it: a release that must hold <em>every</em> capability rejects "some
 * capability is inferior" only when each single test does, so its false-release probability is at
 * most alpha without correction (intersection-union; Berger, 1982). Claims of the kind "<em>at
 * least one of these</em> broke" (a slice among forty) do need it. A planned test plays for its own
 * 1/alpha: one of K that are to be corrected should be made with alpha/K, or it has little reason
 * to win more.
 */
public final class Holm {

  private Holm() {}

  /**
   * Adjusted p-values in the order given: hypothesis i is rejected at level alpha where {@code
   * adjusted[i] <= alpha}.
   */
  public static double[] adjust(double... pValues) {
    Check.probabilities(pValues);
    int count = pValues.length;
    Integer[] order = new Integer[count];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> pValues[i]));
    double[] adjusted = new double[count];
    double largest = 0;
    for (int rank = 0; rank < count; rank++) {
      int i = order[rank];
      largest = Math.max(largest, Math.min(1, (count - rank) * pValues[i]));
      adjusted[i] = largest;
    }
    return adjusted;
  }

  /** Adjusted p-values of e-values (each at least 0): p = min(1, 1/e), then {@link #adjust}. */
  public static double[] adjustEValues(double... eValues) {
    double[] pValues = new double[eValues.length];
    for (int i = 0; i < eValues.length; i++) {
      if (!(eValues[i] >= 0)) {
        throw new IllegalArgumentException(
            "e-value " + i + " must not be negative, not " + eValues[i]);
      }
      pValues[i] = Math.min(1, 1 / eValues[i]);
    }
    return adjust(pValues);
  }

  /** Which hypotheses are rejected at level alpha, in the order given. */
  public static boolean[] rejected(double alpha, double... pValues) {
    Check.openUnit("alpha", alpha);
    double[] adjusted = adjust(pValues);
    boolean[] rejected = new boolean[adjusted.length];
    for (int i = 0; i < adjusted.length; i++) {
      rejected[i] = adjusted[i] <= alpha;
    }
    return rejected;
  }
}
