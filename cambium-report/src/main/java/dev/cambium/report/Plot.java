package dev.cambium.report;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Curves over the versions of a line, or over anything else that has an order.
 *
 * @param title what is drawn
 * @param across what the horizontal axis counts, such as {@code version}
 * @param places names of its places, in order; at least one
 * @param series those with no point are not drawn, nor named
 * @param limit a value that decides; none if none does
 * @param form how values are written
 * @param levels names of the values 0, 1, 2, …, where these are kinds and not amounts; empty for
 *     amounts
 */
public record Plot(
    String title,
    String across,
    List<String> places,
    List<Series> series,
    @Nullable Limit limit,
    Form form,
    List<String> levels)
    implements Block {

  /** How values are written. */
  public enum Form {
    NUMBER,
    /** In per cent. */
    SHARE
  }

  /**
   * A curve.
   *
   * @param points in the order of their places
   */
  public record Series(String name, List<Point> points) {
    public Series {
      points = List.copyOf(points);
    }
  }

  /**
   * One value.
   *
   * @param place index of its place
   * @param low lower end of its interval; the value itself if it has none
   * @param high upper end, likewise
   * @param faint whether it is drawn hollow: it was not taken over
   */
  public record Point(int place, double value, double low, double high, boolean faint) {

    /** A value without an interval. */
    public static Point of(int place, double value) {
      return new Point(place, value, value, value, false);
    }
  }

  /** A value that decides, with its name. */
  public record Limit(String name, double value) {}

  /** Curves of amounts. */
  public Plot(
      String title,
      String across,
      List<String> places,
      List<Series> series,
      @Nullable Limit limit,
      Form form) {
    this(title, across, places, series, limit, form, List.of());
  }

  public Plot {
    places = List.copyOf(places);
    levels = List.copyOf(levels);
    series = series.stream().filter(s -> !s.points().isEmpty()).toList();
    if (places.isEmpty()) {
      throw new IllegalArgumentException(title + ": an axis without places");
    }
    for (Series one : series) {
      for (Point point : one.points()) {
        if (point.place() < 0
            || point.place() >= places.size()
            || !(point.low() <= point.value() && point.value() <= point.high())
            || !Double.isFinite(point.high() - point.low())
            || (!levels.isEmpty() && !(point.low() >= 0 && point.high() <= levels.size() - 1))) {
          throw new IllegalArgumentException(title + ", " + one.name() + ": " + point);
        }
      }
    }
  }

  /** Whether there is nothing to draw. */
  public boolean isEmpty() {
    return series.isEmpty();
  }
}
