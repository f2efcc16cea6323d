package dev.cambium.report;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Accuracy per capability before and after something, drawn as points with their intervals.
 *
 * @param title what is compared
 * @param rows from the top
 */
public record AccuracyTable(String title, List<Line> rows) implements Block {

  /**
   * A share with its interval.
   *
   * @param right items answered rightly
   * @param items items in all
   * @param low lower end of the interval (Wilson's), in [0, 1]
   * @param high upper end
   */
  public record Estimate(int right, int items, double low, double high) {
    public Estimate {
      if (items < 0 || right < 0 || right > items) {
        throw new IllegalArgumentException(right + " right of " + items);
      }
    }

    double share() {
      return items == 0 ? Double.NaN : (double) right / items;
    }
  }

  /**
   * A capability.
   *
   * @param capability its name
   * @param line that has it; may be empty
   * @param before none where there was nothing before
   * @param after none where it was not measured again
   * @param lost negative flips: right before, wrong after
   * @param won wrong before, right after
   */
  public record Line(
      String capability,
      String line,
      @Nullable Estimate before,
      @Nullable Estimate after,
      int lost,
      int won) {}

  public AccuracyTable {
    rows = List.copyOf(rows);
  }
}
