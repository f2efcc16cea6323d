package dev.cambium.bench;

import java.util.List;
import java.util.Locale;
import org.hipparchus.distribution.continuous.TDistribution;
import org.hipparchus.stat.descriptive.StreamingStatistics;

/** Means over seeds, as tables tell them. */
public final class Means {

  private static final double LEVEL = 0.95;

  private Means() {}

  /**
   * The mean, and half the width of Student's interval of 95 % where there are at least two values;
   * empty where there are none.
   */
  public static String cell(List<Double> values) {
    if (values.isEmpty()) {
      return "";
    }
    StreamingStatistics statistics = new StreamingStatistics();
    values.forEach(statistics::addValue);
    String mean = String.format(Locale.ROOT, "%.3f", statistics.getMean());
    if (values.size() < 2) {
      return mean;
    }
    double half =
        new TDistribution(values.size() - 1).inverseCumulativeProbability((1 + LEVEL) / 2)
            * statistics.getStandardDeviation()
            / Math.sqrt(values.size());
    return mean + String.format(Locale.ROOT, " ± %.3f", half);
  }
}
