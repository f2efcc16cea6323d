package dev.cambium.engine.transfer;

import java.util.Arrays;

/**
 * The assignment problem: partners for all of the smaller side, so that the sum of gains is the
 * greatest. One shortest augmenting path for each, over reduced costs (Jonker and Volgenant, 1987;
 * Kuhn, 1955): at most rows² × columns steps, and about rows × columns where most have a partner
 * that is clearly best, as units of a permuted network do.
 */
final class Assignment {

  private Assignment() {}

  /**
   * Partners of the rows.
   *
   * @param gain rows × columns, row-major; all finite
   * @return for each row its column; −1 for rows without one, where there are more rows than
   *     columns
   */
  static int[] best(float[] gain, int rows, int columns) {
    if (gain.length != rows * columns) {
      throw new IllegalArgumentException(
          gain.length + " gains for " + rows + " rows and " + columns + " columns");
    }
    for (float one : gain) {
      if (!Float.isFinite(one)) {
        throw new IllegalArgumentException("a gain that is not finite: " + one);
      }
    }
    if (rows <= columns) {
      return smaller(gain, rows, columns, columns, 1);
    }
    int[] ofColumn = smaller(gain, columns, rows, 1, columns);
    int[] ofRow = new int[rows];
    Arrays.fill(ofRow, -1);
    for (int column = 0; column < columns; column++) {
      ofRow[ofColumn[column]] = column;
    }
    return ofRow;
  }

  /** No more rows than columns; the gain of row i and column j is at i · rowStep + j · step. */
  private static int[] smaller(float[] gain, int rows, int columns, int rowStep, int step) {
    double[] ofRows = new double[rows];
    double[] ofColumns = new double[columns];
    int[] rowOf = new int[columns];
    int[] columnOf = new int[rows];
    Arrays.fill(rowOf, -1);
    Arrays.fill(columnOf, -1);
    double[] distance = new double[columns];
    int[] from = new int[columns];
    boolean[] reachedAlready = new boolean[columns];
    for (int start = 0; start < rows; start++) {
      Arrays.fill(distance, Double.POSITIVE_INFINITY);
      Arrays.fill(reachedAlready, false);
      double reached = 0;
      int row = start;
      int column;
      do {
        int next = -1;
        double least = Double.POSITIVE_INFINITY;
        for (int j = 0; j < columns; j++) {
          if (reachedAlready[j]) {
            continue;
          }
          double through = reached - gain[row * rowStep + j * step] - ofRows[row] - ofColumns[j];
          if (through < distance[j]) {
            distance[j] = through;
            from[j] = row;
          }
          if (distance[j] < least) {
            least = distance[j];
            next = j;
          }
        }
        column = next;
        reached = least;
        reachedAlready[column] = true;
        row = rowOf[column];
      } while (row >= 0);
      ofRows[start] += reached;
      for (int j = 0; j < columns; j++) {
        if (reachedAlready[j] && j != column) {
          ofRows[rowOf[j]] += reached - distance[j];
          ofColumns[j] -= reached - distance[j];
        }
      }
      for (int end = column; end >= 0; ) {
        int giver = from[end];
        int before = columnOf[giver];
        columnOf[giver] = end;
        rowOf[end] = giver;
        end = before;
      }
    }
    return columnOf;
  }
}
