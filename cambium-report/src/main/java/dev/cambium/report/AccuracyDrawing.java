package dev.cambium.report;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The table of a comparison, with a column that draws each row's intervals on a shared axis. */
final class AccuracyDrawing {

  private static final double WIDTH = 360;
  private static final double EDGE = 8;

  private final AccuracyTable table;
  private final double floor;

  AccuracyDrawing(AccuracyTable table) {
    this.table = table;
    double lowest = 1;
    for (AccuracyTable.Line row : table.rows()) {
      for (AccuracyTable.Estimate e : new AccuracyTable.Estimate[] {row.before(), row.after()}) {
        if (e != null && Double.isFinite(e.low())) {
          lowest = Math.min(lowest, e.low());
        }
      }
    }
    // The axis starts at a round share below everything, and never so late that noise looks large.
    floor = Math.max(0, Math.min(0.6, Math.floor(lowest * 5) / 5));
  }

  void draw(Markup out) {
    out.open("table", "class", "accuracy");
    out.leaf("caption", table.title());
    out.open("thead").open("tr");
    out.leaf("th", "capability", "scope", "col");
    out.open("th", "scope", "col", "class", "plot");
    axis(out);
    out.close();
    out.leaf("th", "before", "scope", "col", "class", "number");
    out.leaf("th", "after", "scope", "col", "class", "number");
    out.leaf("th", "points", "scope", "col", "class", "number");
    out.leaf("th", "lost / won", "scope", "col", "class", "number");
    out.close(2).open("tbody");
    for (AccuracyTable.Line row : table.rows()) {
      row(out.line(), row);
    }
    out.close(2);
  }

  private double x(double share) {
    double inside = Math.max(floor, Math.min(1, share));
    return EDGE + (inside - floor) / (1 - floor) * (WIDTH - 2 * EDGE);
  }

  private double step() {
    return floor >= 0.6 ? 0.1 : 0.2;
  }

  private void axis(Markup out) {
    svg(out, 16, "axis, share of right answers");
    for (double tick = floor; tick < 1 + 1e-9; tick += step()) {
      String anchor = tick < floor + 1e-9 ? "start" : tick > 1 - 1e-9 ? "end" : "middle";
      double at = tick < floor + 1e-9 ? 0 : tick > 1 - 1e-9 ? WIDTH : x(tick);
      out.leaf(
          "text",
          String.format(Locale.ROOT, "%.0f %%", 100 * tick),
          "class",
          "tick",
          "text-anchor",
          anchor,
          "x",
          Numbers.at(at),
          "y",
          "12");
    }
    out.close();
  }

  private static void svg(Markup out, int height, String label) {
    out.open(
        "svg",
        "xmlns",
        "http://www.w3.org/2000/svg",
        "viewBox",
        "0 0 " + Numbers.at(WIDTH) + " " + height,
        "role",
        "img",
        "aria-label",
        label);
  }

  private void row(Markup out, AccuracyTable.Line row) {
    AccuracyTable.Estimate before = row.before();
    AccuracyTable.Estimate after = row.after();
    double change = before == null || after == null ? Double.NaN : after.share() - before.share();
    out.open("tr");
    out.open("th", "scope", "row").text(row.capability());
    if (!row.line().isEmpty()) {
      out.leaf("span", row.line(), "class", "line");
    }
    out.close();
    out.open("td", "class", "plot");
    svg(out, 30, row.capability() + ": " + told(before) + " before, " + told(after) + " after");
    for (double tick = floor; tick < 1 + 1e-9; tick += step()) {
      out.empty("path", "class", "grid", "d", "M" + Numbers.at(x(tick)) + " 0V30");
    }
    estimate(out, before, "before", 10);
    estimate(out, after, "after", 20);
    out.close(2);
    number(out, before);
    number(out, after);
    out.leaf(
        "td",
        Numbers.points(change),
        "class",
        "number " + (change < 0 ? "bad" : change > 0 ? "good" : "quiet"));
    boolean compared = before != null && after != null;
    out.leaf("td", compared ? row.lost() + " / " + row.won() : "–", "class", "number");
    out.close();
  }

  private static String told(AccuracyTable.@Nullable Estimate estimate) {
    return estimate == null ? "not measured" : Numbers.percent(estimate.share());
  }

  private static void number(Markup out, AccuracyTable.@Nullable Estimate estimate) {
    if (estimate == null) {
      out.leaf("td", "–", "class", "number");
      return;
    }
    out.open("td", "class", "number").text(Numbers.percent(estimate.share()));
    out.leaf("span", "n = " + estimate.items(), "class", "line").close();
  }

  private void estimate(
      Markup out, AccuracyTable.@Nullable Estimate estimate, String kind, double y) {
    if (estimate == null || !Double.isFinite(estimate.share())) {
      return;
    }
    out.empty(
        "path",
        "class",
        "interval " + kind,
        "d",
        "M"
            + Numbers.at(x(estimate.low()))
            + " "
            + Numbers.at(y)
            + "H"
            + Numbers.at(x(estimate.high())));
    out.empty(
        "circle",
        "class",
        "dot " + kind,
        "cx",
        Numbers.at(x(estimate.share())),
        "cy",
        Numbers.at(y),
        "r",
        "4");
  }
}
