package dev.cambium.report;

import java.util.List;
import java.util.Locale;

/**
 * Curves with their intervals. Few points are dots with bars, many are a line in a band; every dot
 * tells its value to who points at it.
 */
final class PlotDrawing {

  private static final double WIDTH = 1100;
  private static final double HEIGHT = 260;
  private static final double AMOUNTS = 58;

  /** Names of levels need more room than numbers. */
  private static final double LEVELS = 96;

  private static final double RIGHT = 1084;
  private static final double TOP = 14;
  private static final double BOTTOM = 218;

  /** So many places can have a dot with a bar each; beyond it is a band. */
  private static final int FEW = 60;

  /** Names along the axis. */
  private static final int NAMES = 14;

  /** Bands of more curves than that would hide one another. */
  private static final int BANDS = 3;

  /** Bars at the same place stand so far apart. */
  private static final double APART = 6;

  /** Ways to draw a series; more series than that share them. */
  private static final int WAYS = 8;

  private final Plot plot;
  private final double left;
  private final double lowest;
  private final double highest;
  private final double tick;
  private double shift;

  PlotDrawing(Plot plot) {
    this.plot = plot;
    this.left = plot.levels().isEmpty() ? AMOUNTS : LEVELS;
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (Plot.Series series : plot.series()) {
      for (Plot.Point point : series.points()) {
        low = Math.min(low, point.low());
        high = Math.max(high, point.high());
      }
    }
    if (plot.limit() != null) {
      low = Math.min(low, plot.limit().value());
      high = Math.max(high, plot.limit().value());
    }
    if (!plot.levels().isEmpty()) {
      this.tick = 1;
      this.lowest = -0.5;
      this.highest = plot.levels().size() - 0.5;
      return;
    }
    if (!(low <= high)) {
      low = 0;
      high = 1;
    }
    double room = high - low < 1e-9 ? Math.max(0.1, Math.abs(high) * 0.1) : (high - low) * 0.06;
    double floor = low >= 0 ? Math.max(0, low - room) : low - room;
    this.tick = step(high + room - floor);
    this.lowest = floor;
    this.highest = high + room;
  }

  /** A round distance for about five marks. */
  private static double step(double range) {
    double power = Math.pow(10, Math.floor(Math.log10(range / 5)));
    double times = range / 5 / power;
    return (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10) * power;
  }

  void draw(Markup out) {
    out.open("figure").leaf("figcaption", plot.title());
    out.open(
        "svg",
        "xmlns",
        "http://www.w3.org/2000/svg",
        "viewBox",
        "0 0 " + Numbers.at(WIDTH) + " " + Numbers.at(HEIGHT),
        "role",
        "img",
        "class",
        "plot",
        "aria-label",
        words());
    axes(out);
    Plot.Limit limit = plot.limit();
    if (limit != null) {
      String y = Numbers.at(y(limit.value()));
      out.empty(
          "path",
          "class",
          "limit",
          "d",
          "M" + Numbers.at(left) + " " + y + "H" + Numbers.at(RIGHT));
      out.leaf(
          "text",
          limit.name() + " " + value(limit.value()),
          "class",
          "tick limit",
          "text-anchor",
          "end",
          "x",
          Numbers.at(RIGHT),
          "y",
          Numbers.at(y(limit.value()) - 5));
    }
    boolean bars =
        plot.places().size() <= FEW
            && plot.series().stream()
                .flatMap(s -> s.points().stream())
                .anyMatch(p -> p.low() < p.high());
    for (int s = 0; s < plot.series().size(); s++) {
      shift = bars ? APART * (s - (plot.series().size() - 1) / 2.0) : 0;
      series(out.line(), plot.series().get(s), "s" + s % WAYS);
    }
    out.close();
    key(out);
    out.close();
  }

  /** Who cannot see the picture hears where each curve begins and ends. */
  private String words() {
    StringBuilder words = new StringBuilder(plot.title());
    for (Plot.Series series : plot.series()) {
      Plot.Point first = series.points().get(0);
      Plot.Point last = series.points().get(series.points().size() - 1);
      words.append("; ").append(series.name()).append(": ").append(value(first.value()));
      if (series.points().size() > 1) {
        words.append(" to ").append(value(last.value()));
      }
    }
    return words.toString();
  }

  private String value(double value) {
    return !plot.levels().isEmpty()
        ? plot.levels().get((int) Math.round(value))
        : plot.form() == Plot.Form.SHARE
            ? Numbers.percent(value)
            : String.format(Locale.ROOT, Math.abs(value) < 10 ? "%.2f" : "%.0f", value);
  }

  private double x(int place) {
    int places = plot.places().size();
    double inset = Math.min(30, (RIGHT - left) / (2.0 * places));
    return places == 1
        ? (left + RIGHT) / 2
        : left + inset + (RIGHT - left - 2 * inset) * place / (places - 1);
  }

  private double y(double value) {
    return BOTTOM - (value - lowest) / (highest - lowest) * (BOTTOM - TOP);
  }

  private void axes(Markup out) {
    for (double at = Math.ceil(lowest / tick) * tick; at <= highest; at += tick) {
      out.empty(
          "path",
          "class",
          "grid",
          "d",
          "M" + Numbers.at(left) + " " + Numbers.at(y(at)) + "H" + Numbers.at(RIGHT));
      out.leaf(
          "text",
          mark(at),
          "class",
          "tick",
          "text-anchor",
          "end",
          "x",
          Numbers.at(left - 7),
          "y",
          Numbers.at(y(at) + 3.5));
    }
    out.empty(
        "path",
        "class",
        "axis",
        "d",
        "M" + Numbers.at(left) + " " + Numbers.at(BOTTOM) + "H" + Numbers.at(RIGHT));
    int places = plot.places().size();
    int stride = (places + NAMES - 1) / NAMES;
    for (int place = 0; place < places; place += stride) {
      out.leaf(
          "text",
          Numbers.fit(plot.places().get(place), 10.5, (RIGHT - left) / NAMES),
          "class",
          "tick",
          "text-anchor",
          "middle",
          "x",
          Numbers.at(x(place)),
          "y",
          Numbers.at(BOTTOM + 16));
    }
    out.leaf(
        "text",
        plot.across(),
        "class",
        "tick",
        "text-anchor",
        "middle",
        "x",
        Numbers.at((left + RIGHT) / 2),
        "y",
        Numbers.at(BOTTOM + 34));
  }

  private String mark(double at) {
    if (!plot.levels().isEmpty()) {
      return Numbers.fit(value(at), 10.5, left - 8);
    }
    double shown = plot.form() == Plot.Form.SHARE ? 100 * at : at;
    double distance = plot.form() == Plot.Form.SHARE ? 100 * tick : tick;
    int digits = (int) Math.max(0, -Math.floor(Math.log10(distance) + 1e-9));
    String text = String.format(Locale.ROOT, "%." + digits + "f", shown == 0 ? 0.0 : shown);
    return plot.form() == Plot.Form.SHARE ? text + " %" : text;
  }

  private void series(Markup out, Plot.Series series, String way) {
    List<Plot.Point> points = series.points();
    boolean few = plot.places().size() <= FEW;
    if (!few
        && plot.series().size() <= BANDS
        && points.stream().anyMatch(p -> p.low() < p.high())) {
      band(out, points, way);
    }
    if (points.size() > 1 && plot.levels().isEmpty()) {
      StringBuilder line = new StringBuilder();
      for (Plot.Point point : points) {
        line.append(line.isEmpty() ? "M" : "L").append(at(point.place(), point.value()));
      }
      out.empty("path", "class", "line " + way, "d", line.toString());
    }
    for (Plot.Point point : points) {
      if (few && point.low() < point.high()) {
        out.empty(
            "path",
            "class",
            "bar " + way,
            "d",
            "M" + at(point.place(), point.low()) + "V" + Numbers.at(y(point.high())));
      }
      out.open(
          "circle",
          "class",
          (point.faint() ? "hollow " : "full ") + way,
          "cx",
          Numbers.at(x(point.place()) + shift),
          "cy",
          Numbers.at(y(point.value())),
          "r",
          few ? "3.6" : "1.8");
      out.leaf("title", told(series, point)).close();
    }
  }

  private String told(Plot.Series series, Plot.Point point) {
    return series.name()
        + ", "
        + plot.across()
        + " "
        + plot.places().get(point.place())
        + ": "
        + value(point.value())
        + (point.low() < point.high()
            ? ", " + value(point.low()) + " to " + value(point.high())
            : "");
  }

  private void band(Markup out, List<Plot.Point> points, String way) {
    StringBuilder edge = new StringBuilder();
    for (Plot.Point point : points) {
      edge.append(edge.isEmpty() ? "M" : "L").append(at(point.place(), point.high()));
    }
    for (int i = points.size() - 1; i >= 0; i--) {
      edge.append("L").append(at(points.get(i).place(), points.get(i).low()));
    }
    out.empty("path", "class", "band " + way, "d", edge + "Z");
  }

  private String at(int place, double value) {
    return Numbers.at(x(place) + shift) + " " + Numbers.at(y(value));
  }

  private void key(Markup out) {
    if (plot.series().size() < 2) {
      return;
    }
    out.open("p", "class", "key ways");
    for (int s = 0; s < plot.series().size(); s++) {
      out.open("span").leaf("i", "", "class", "s" + s % WAYS);
      out.text(plot.series().get(s).name()).close();
    }
    out.close();
  }
}
