package dev.cambium.engine.training;

import java.util.Arrays;

/** Singular values and right singular vectors by one-sided Jacobi rotations (Hestenes, 1958). */
final class ScalarSvd {

  private static final int SWEEPS = 60;

  /** The largest first. */
  final double[] values;

  /** One vector a value. */
  final double[][] right;

  ScalarSvd(double[][] matrix) {
    int rows = matrix.length;
    int columns = matrix[0].length;
    double[][] a = new double[rows][];
    for (int i = 0; i < rows; i++) {
      a[i] = matrix[i].clone();
    }
    double[][] v = new double[columns][columns];
    for (int i = 0; i < columns; i++) {
      v[i][i] = 1;
    }
    boolean turned = true;
    for (int sweep = 0; turned && sweep < SWEEPS; sweep++) {
      turned = false;
      for (int p = 0; p < columns; p++) {
        for (int q = p + 1; q < columns; q++) {
          double pp = 0;
          double qq = 0;
          double pq = 0;
          for (double[] row : a) {
            pp += row[p] * row[p];
            qq += row[q] * row[q];
            pq += row[p] * row[q];
          }
          if (Math.abs(pq) <= 1e-15 * Math.sqrt(pp * qq)) {
            continue;
          }
          turned = true;
          double zeta = (qq - pp) / (2 * pq);
          double t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
          double c = 1 / Math.sqrt(1 + t * t);
          rotate(a, p, q, c, c * t);
          rotate(v, p, q, c, c * t);
        }
      }
    }
    Integer[] order = new Integer[columns];
    double[] norms = new double[columns];
    for (int j = 0; j < columns; j++) {
      order[j] = j;
      for (double[] row : a) {
        norms[j] += row[j] * row[j];
      }
      norms[j] = Math.sqrt(norms[j]);
    }
    Arrays.sort(order, (i, j) -> Double.compare(norms[j], norms[i]));
    int count = Math.min(rows, columns);
    values = new double[count];
    right = new double[count][columns];
    for (int k = 0; k < count; k++) {
      values[k] = norms[order[k]];
      for (int i = 0; i < columns; i++) {
        right[k][i] = v[i][order[k]];
      }
    }
  }

  private static void rotate(double[][] matrix, int p, int q, double c, double s) {
    for (double[] row : matrix) {
      double x = row[p];
      row[p] = c * x - s * row[q];
      row[q] = s * x + c * row[q];
    }
  }

  /** exp of the entropy of σ / Σσ. */
  double effectiveRank() {
    double sum = Arrays.stream(values).sum();
    double entropy = 0;
    for (double value : values) {
      if (value > 0) {
        entropy -= value / sum * Math.log(value / sum);
      }
    }
    return Math.exp(entropy);
  }

  /** Σσ² / max σ². */
  double stableRank() {
    return Arrays.stream(values).map(v -> v * v).sum() / (values[0] * values[0]);
  }

  double norm() {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).sum());
  }
}
