package dev.cambium.report;

import java.util.List;

/**
 * The wealth of both bets over the items, on a logarithmic axis, with the line at 1/alpha that
 * decides.
 */
final class WealthDrawing {

  private static final double WIDTH = 440;
  private static final double HEIGHT = 168;
  private static final double LEFT = 40;
  private static final double RIGHT = 356;
  private static final double TOP = 12;
  private static final double BOTTOM = 140;
  private static final int POINTS = 300;

  private final VerdictView.Evidence evidence;
  private final int items;
  private final double lowest;
  private final double highest;

  WealthDrawing(VerdictView.Evidence evidence) {
    this.evidence = evidence;
    items = Math.max(1, Math.max(evidence.notWorse().size(), evidence.worse().size()) - 1);
    double top = Math.log10(1 / evidence.alpha());
    double low = -1;
    for (List<Double> path : List.of(evidence.notWorse(), evidence.worse())) {
      for (double wealth : path) {
        if (wealth > 0 && Double.isFinite(wealth)) {
          top = Math.max(top, Math.log10(wealth));
          low = Math.min(low, Math.log10(wealth));
        }
      }
    }
    // A lost bet may fall without end; below this nothing is to be seen.
    lowest = Math.max(low, -3) - 0.1;
    highest = Math.min(top, 8) + 0.25;
  }

  void draw(Markup out) {
    double limit = Math.log10(1 / evidence.alpha());
    out.open(
        "svg",
        "xmlns",
        "http://www.w3.org/2000/svg",
        "viewBox",
        "0 0 " + Numbers.at(WIDTH) + " " + Numbers.at(HEIGHT),
        "role",
        "img",
        "class",
        "wealth",
        "aria-label",
        "Wealth over "
            + items
            + " items: not worse "
            + end(evidence.notWorse())
            + ", worse "
            + end(evidence.worse())
            + "; "
            + Numbers.brief(1 / evidence.alpha())
            + " decides");
    int stride = highest - lowest > 6 ? 2 : 1;
    for (int power = (int) Math.ceil(lowest); power <= highest; power++) {
      if (Math.floorMod(power, stride) != 0) {
        continue;
      }
      out.empty(
          "path",
          "class",
          "grid",
          "d",
          "M" + Numbers.at(LEFT) + " " + Numbers.at(y(power)) + "H" + Numbers.at(RIGHT));
      if (Math.abs(y(power) - y(limit)) > 9) {
        out.leaf(
            "text",
            Numbers.power(power),
            "class",
            "tick",
            "text-anchor",
            "end",
            "x",
            Numbers.at(LEFT - 6),
            "y",
            Numbers.at(y(power) + 3.5));
      }
    }
    out.empty(
        "path",
        "class",
        "limit",
        "d",
        "M" + Numbers.at(LEFT) + " " + Numbers.at(y(limit)) + "H" + Numbers.at(RIGHT));
    out.leaf(
        "text",
        Numbers.brief(1 / evidence.alpha()),
        "class",
        "tick limit",
        "text-anchor",
        "end",
        "x",
        Numbers.at(LEFT - 6),
        "y",
        Numbers.at(y(limit) + 3.5));
    line(out, evidence.worse(), "bad");
    line(out, evidence.notWorse(), "good");
    labels(out, limit);
    out.leaf(
        "text",
        "0",
        "class",
        "tick",
        "text-anchor",
        "middle",
        "x",
        Numbers.at(LEFT),
        "y",
        Numbers.at(BOTTOM + 16));
    out.leaf(
        "text",
        items + (items == 1 ? " item" : " items"),
        "class",
        "tick",
        "text-anchor",
        "end",
        "x",
        Numbers.at(RIGHT),
        "y",
        Numbers.at(BOTTOM + 16));
    out.empty(
        "path",
        "class",
        "axis",
        "d",
        "M" + Numbers.at(LEFT) + " " + Numbers.at(BOTTOM) + "H" + Numbers.at(RIGHT));
    out.close();
  }

  private static String end(List<Double> path) {
    return path.isEmpty() ? "not tested" : Numbers.brief(path.get(path.size() - 1));
  }

  private double x(int item) {
    return LEFT + (RIGHT - LEFT) * item / items;
  }

  private double y(double log) {
    double inside = Math.max(lowest, Math.min(highest, log));
    return BOTTOM - (inside - lowest) / (highest - lowest) * (BOTTOM - TOP);
  }

  private double height(double wealth) {
    return y(wealth > 0 ? Math.log10(wealth) : lowest);
  }

  private void line(Markup out, List<Double> path, String tone) {
    StringBuilder d = new StringBuilder();
    int stride = Math.max(1, path.size() / POINTS);
    for (int i = 0; i < path.size(); i++) {
      boolean last = i == path.size() - 1;
      if ((i % stride == 0 || last) && !Double.isNaN(path.get(i))) {
        d.append(d.isEmpty() ? "M" : "L").append(Numbers.at(x(i))).append(' ');
        d.append(Numbers.at(height(path.get(i))));
      }
    }
    if (!d.isEmpty()) {
      out.empty("path", "class", "path " + tone, "d", d.toString());
    }
  }

  /** Each line is named at its end; names that would touch are pushed apart. */
  private void labels(Markup out, double limit) {
    double good = last(evidence.notWorse());
    double bad = last(evidence.worse());
    double decides = y(limit);
    if (Double.isFinite(good) && Double.isFinite(bad) && Math.abs(good - bad) < 13) {
      double centre = Math.max(TOP + 8, Math.min(BOTTOM - 8, (good + bad) / 2));
      double way = good <= bad ? -6.5 : 6.5;
      good = centre + way;
      bad = centre - way;
    }
    // The limit's own name gives way to the lines'.
    boolean room = Math.abs(good - decides) > 12 && Math.abs(bad - decides) > 12;
    label(out, "not worse", "good", good);
    label(out, "worse", "bad", bad);
    if (room || (Double.isNaN(good) && Double.isNaN(bad))) {
      label(out, "decides", "quiet", decides);
    }
  }

  private double last(List<Double> path) {
    return path.isEmpty() || Double.isNaN(path.get(path.size() - 1))
        ? Double.NaN
        : height(path.get(path.size() - 1));
  }

  private static void label(Markup out, String text, String tone, double y) {
    if (Double.isFinite(y)) {
      out.leaf(
          "text",
          text,
          "class",
          "name " + tone,
          "x",
          Numbers.at(RIGHT + 7),
          "y",
          Numbers.at(y + 4));
    }
  }
}
