package dev.cambium.cli;

import dev.cambium.loop.explain.TelemetryHistory;
import dev.cambium.model.Telemetry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A training's telemetry for a person. */
final class TelemetryText {

  /** Earlier updates that are named; the others are in the JSON form. */
  private static final int EARLIER = 4;

  private TelemetryText() {}

  static void write(TelemetryHistory.OfVersion of, Console console) {
    Telemetry telemetry = of.telemetry();
    if (telemetry.points().isEmpty()) {
      return;
    }
    console.line("");
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "STEP",
            "WEIGHTS: RANK",
            "STABLE",
            "NORM",
            "FEATURES: RANK",
            "STABLE",
            "DORMANT",
            "GRADIENT"));
    for (Telemetry.Point point : telemetry.points()) {
      rows.add(
          List.of(
              Integer.toString(point.step()),
              rank(point.weights()),
              number(point.weights().stable()),
              number(point.weightNorm()),
              rank(point.features()),
              number(point.features().stable()),
              String.format(Locale.ROOT, "%.1f %%", 100 * point.dormant()),
              number(point.gradientNorm())));
    }
    console.table(rows);
    Telemetry.Update update = telemetry.update();
    if (update != null) {
      console.line(
          "update: %s of the weights' norm, effective rank %s, stable rank %s%s",
          number(update.relativeNorm()),
          rank(update.ranks()),
          number(update.ranks().stable()),
          overlaps(of.overlaps()));
    }
  }

  private static String overlaps(List<TelemetryHistory.WithEarlier> overlaps) {
    if (overlaps.isEmpty()) {
      return "";
    }
    return String.format(
        Locale.ROOT,
        "; shares with that of %s (by chance %.2f)",
        overlaps.stream()
            .limit(EARLIER)
            .map(o -> String.format(Locale.ROOT, "%s %.2f", o.earlier(), o.shared()))
            .collect(Collectors.joining(", ")),
        overlaps.get(0).chance());
  }

  private static String rank(Telemetry.Ranks ranks) {
    return number(ranks.effective()) + " of " + number(ranks.full());
  }

  /** Three digits. */
  private static String number(double value) {
    double size = Math.abs(value);
    return String.format(
        Locale.ROOT, size >= 100 || size == 0 ? "%.0f" : size >= 10 ? "%.1f" : "%.3g", value);
  }
}
