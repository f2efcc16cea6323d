package dev.cambium.bench.peer;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What one work came to on both sides.
 *
 * @param work its name
 * @param title what it is called
 * @param unit of the speeds
 * @param goal the least median ratio aimed at; for memory the greatest
 * @param cambium our side
 * @param peer the other
 * @param ratios Cambium ÷ peer, one a round
 * @param processorRatio Python's processor time for the same work ÷ Cambium's, the median of the
 *     rounds; 0 where it was not measured. Hardly depends on what else the machine does
 * @param agreement share of answers that are equal on both sides
 */
record Comparison(
    String work,
    String title,
    String unit,
    double goal,
    Measured cambium,
    Measured peer,
    double[] ratios,
    double processorRatio,
    double agreement) {

  /**
   * One side.
   *
   * @param setting what was chosen, after trying
   * @param tried seconds of one run under each setting
   * @param values one a round, in the comparison's unit
   */
  record Measured(String setting, Map<String, Double> tried, double[] values) {

    double median() {
      return Comparison.median(values);
    }
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Share of answers that say the same; numbers may differ by rounding. */
  static double agreement(List<String> a, List<String> b) {
    if (a.isEmpty() || a.size() != b.size()) {
      return 0;
    }
    int same = 0;
    for (int i = 0; i < a.size(); i++) {
      same += same(a.get(i), b.get(i)) ? 1 : 0;
    }
    return (double) same / a.size();
  }

  private static boolean same(String a, String b) {
    if (a.equals(b)) {
      return true;
    }
    try {
      double x = Double.parseDouble(a);
      // bf16 keeps three digits.
      return Math.abs(x - Double.parseDouble(b)) <= 0.01 * Math.abs(x);
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private boolean lowerIsBetter() {
    return unit.equals("GB");
  }

  boolean met() {
    double median = median(ratios);
    return lowerIsBetter() ? median <= goal : median >= goal;
  }

  /** A line of a Markdown table. */
  String line() {
    double[] sorted = ratios.clone();
    Arrays.sort(sorted);
    return String.format(
        Locale.ROOT,
        "| %s | %s%s | %s (%s) | %s (%s) | %.2f | **%.2f** | %.2f | %s | %s %.1f %s |",
        title,
        unit,
        agreement < 0
            ? ""
            : String.format(Locale.ROOT, "(answers equal: %.0f %%)", 100 * agreement),
        number(cambium.median()),
        cambium.setting(),
        number(peer.median()),
        peer.setting(),
        sorted[0],
        median(sorted),
        sorted[sorted.length - 1],
        processorRatio > 0 ? String.format(Locale.ROOT, "%.2f", processorRatio) : "",
        lowerIsBetter() ? "≤" : "≥",
        goal,
        met() ? "met" : "missed");
  }

  static final String HEADER =
      """
      | work | unit | Cambium (setting) | Python (setting) | ratio min | median | max | processor time | goal |
      |---|---|---|---|---|---|---|---|---|
      """;

  private static String number(double value) {
    return value >= 100
        ? String.format(Locale.ROOT, "%.0f", value)
        : String.format(Locale.ROOT, value >= 10 ? "%.1f" : "%.2f", value);
  }
}
