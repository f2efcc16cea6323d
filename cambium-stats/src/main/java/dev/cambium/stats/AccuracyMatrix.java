package dev.cambium.stats;

import java.util.Arrays;

/**
 * Accuracies of a stream of tasks: R[i][j] is the score on task j after learning tasks 0 to i. The
 * whole matrix is kept, so that every summary can be computed from it again.
 *
 * <p>The literature gives one name to different formulas, and libraries follow one or the other. So
 * each method here carries its formula in its name, and says where it is from:
 *
 * <ul>
 *   <li>Lopez-Paz and Ranzato (2017), Gradient episodic memory: last row, last minus diagonal,
 *       previous minus untrained;
 *   <li>Chaudhry, Dokania, Ajanthan and Torr (2018), Riemannian walk: maximum minus last,
 *       intransigence against joint training;
 *   <li>Díaz-Rodríguez, Lomonaco, Filliat and Maltoni (2018), Don't forget, there is more than
 *       forgetting: means over triangles.
 * </ul>
 *
 * <p>An entry that was not measured is NaN. A summary that needs it fails and names it: a missing
 * measurement is never taken for a good one.
 */
public final class AccuracyMatrix {

  private final double[][] values;

  private AccuracyMatrix(double[][] values) {
    this.values = values;
  }

  /**
   * Keeps a copy of a matrix.
   *
   * @param values square, at least 1 × 1, row i after learning task i; entries in [0, 1], or NaN
   *     where nothing was measured
   */
  public static AccuracyMatrix of(double[][] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("an accuracy matrix needs at least one task");
    }
    double[][] copy = new double[values.length][];
    for (int i = 0; i < values.length; i++) {
      if (values[i].length != values.length) {
        throw new IllegalArgumentException(
            "row " + i + " has " + values[i].length + " entries for " + values.length + " tasks");
      }
      for (int j = 0; j < values.length; j++) {
        double value = values[i][j];
        if (!(value >= 0 && value <= 1) && !Double.isNaN(value)) {
          throw new IllegalArgumentException(
              "entry " + i + ", " + j + " must lie in [0, 1] or be NaN, not " + value);
        }
      }
      copy[i] = values[i].clone();
    }
    return new AccuracyMatrix(copy);
  }

  /** Number of tasks T. */
  public int tasks() {
    return values.length;
  }

  /** R[i][j]; NaN where it was not measured. */
  public double at(int i, int j) {
    return values[i][j];
  }

  /** A copy of all entries. */
  public double[][] values() {
    return Arrays.stream(values).map(double[]::clone).toArray(double[][]::new);
  }

  private double known(int i, int j) {
    double value = values[i][j];
    if (Double.isNaN(value)) {
      throw new IllegalStateException(
          "the score on task " + j + " after task " + i + " was not measured");
    }
    return value;
  }

  private void requireTwo(String what) {
    if (values.length < 2) {
      throw new IllegalStateException(what + " needs at least two tasks");
    }
  }

  /** Average accuracy: (1/T) Σⱼ R[T−1][j] (Lopez-Paz and Ranzato, ACC). */
  public double averageAccuracyLastRow() {
    double sum = 0;
    for (int j = 0; j < values.length; j++) {
      sum += known(values.length - 1, j);
    }
    return sum / values.length;
  }

  /** Average accuracy: mean of R[i][j] over j ≤ i (Díaz-Rodríguez and others, A). */
  public double averageAccuracyLowerTriangle() {
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      for (int j = 0; j <= i; j++) {
        sum += known(i, j);
      }
    }
    return sum / (values.length * (values.length + 1) / 2.0);
  }

  /**
   * Backward transfer: 1/(T−1) Σ over j &lt; T−1 of R[T−1][j] − R[j][j] (Lopez-Paz and Ranzato,
   * BWT). Negative where something was forgotten.
   */
  public double backwardTransferLastMinusDiagonal() {
    requireTwo("backward transfer");
    int last = values.length - 1;
    double sum = 0;
    for (int j = 0; j < last; j++) {
      sum += known(last, j) - known(j, j);
    }
    return sum / last;
  }

  /** Backward transfer: mean of R[i][j] − R[j][j] over j &lt; i (Díaz-Rodríguez and others). */
  public double backwardTransferLowerTriangle() {
    requireTwo("backward transfer");
    double sum = 0;
    for (int i = 1; i < values.length; i++) {
      for (int j = 0; j < i; j++) {
        sum += known(i, j) - known(j, j);
      }
    }
    return sum / (values.length * (values.length - 1) / 2.0);
  }

  /**
   * Forward transfer: 1/(T−1) Σ over j ≥ 1 of R[j−1][j] − b[j] (Lopez-Paz and Ranzato, FWT).
   *
   * @param untrained b, the score on each task before any was learnt
   */
  public double forwardTransferPreviousMinusUntrained(double[] untrained) {
    requireTwo("forward transfer");
    requireScores("untrained", untrained);
    double sum = 0;
    for (int j = 1; j < values.length; j++) {
      sum += known(j - 1, j) - untrained[j];
    }
    return sum / (values.length - 1);
  }

  /** Forward transfer: mean of R[i][j] over j &gt; i (Díaz-Rodríguez and others). */
  public double forwardTransferUpperTriangle() {
    requireTwo("forward transfer");
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      for (int j = i + 1; j < values.length; j++) {
        sum += known(i, j);
      }
    }
    return sum / (values.length * (values.length - 1) / 2.0);
  }

  /**
   * Forgetting of one task: the maximum of R[i][task] over i &lt; T−1, minus R[T−1][task] (Chaudhry
   * and others). Negative where the task got better than it had ever been. What was measured
   * counts; the diagonal and the last row must have been.
   *
   * @param task not the last
   */
  public double forgettingMaxMinusLast(int task) {
    requireTwo("forgetting");
    int last = values.length - 1;
    if (task < 0 || task >= last) {
      throw new IllegalArgumentException("task must be 0 to " + (last - 1) + ", not " + task);
    }
    double most = known(task, task);
    for (int i = 0; i < last; i++) {
      if (values[i][task] > most) { // false for NaN
        most = values[i][task];
      }
    }
    return most - known(last, task);
  }

  /** The mean of {@link #forgettingMaxMinusLast(int)} over all tasks but the last. */
  public double forgettingMaxMinusLast() {
    requireTwo("forgetting");
    double sum = 0;
    for (int task = 0; task < values.length - 1; task++) {
      sum += forgettingMaxMinusLast(task);
    }
    return sum / (values.length - 1);
  }

  /**
   * Intransigence: (1/T) Σⱼ a*[j] − R[j][j], how much worse each task was learnt in the stream than
   * by joint training (Chaudhry and others). Negative where the stream learnt better.
   *
   * @param joint a*, the score on task j of a model trained on tasks 0 to j together
   */
  public double intransigenceJointMinusDiagonal(double[] joint) {
    requireScores("joint", joint);
    double sum = 0;
    for (int j = 0; j < values.length; j++) {
      sum += joint[j] - known(j, j);
    }
    return sum / values.length;
  }

  private void requireScores(String name, double[] scores) {
    if (scores.length != values.length) {
      throw new IllegalArgumentException(
          name + ": " + scores.length + " scores for " + values.length + " tasks");
    }
    for (int j = 0; j < scores.length; j++) {
      if (!(scores[j] >= 0 && scores[j] <= 1)) {
        throw new IllegalArgumentException(
            name + ": score " + j + " must lie in [0, 1], not " + scores[j]);
      }
    }
  }
}
