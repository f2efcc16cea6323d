package dev.cambium.report.fleet;

import dev.cambium.loop.explain.LineHistory;
import dev.cambium.loop.explain.Why;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.model.Decision;
import dev.cambium.model.Telemetry;
import dev.cambium.report.Block;
import dev.cambium.report.Note;
import dev.cambium.report.Plot;
import dev.cambium.report.ReportPage;
import dev.cambium.report.Section;
import dev.cambium.report.TextTable;
import dev.cambium.report.TextTable.Cell;
import dev.cambium.report.TextTable.Tone;
import dev.cambium.report.Tiles;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * One page about how well the versions of a line still learn, and what they can do. A part for
 * which nothing was recorded is left out.
 */
public final class HeadroomPage {

  private static final String VERSION = "version";

  private final LineHistory history;
  private final List<String> places;

  private HeadroomPage(LineHistory history) {
    this.history = history;
    this.places =
        history.versions().stream().map(v -> Integer.toString(v.version().number())).toList();
  }

  /** The page about a line. */
  public static ReportPage of(LineHistory history) {
    return new HeadroomPage(history).page();
  }

  private ReportPage page() {
    List<Section> sections =
        Stream.of(headroom(), learning(), retention(), inside(), updates(), Optional.of(table()))
            .flatMap(Optional::stream)
            .toList();
    return new ReportPage(
        "How well " + history.line() + " still learns",
        "Headroom compares a version with its foundation while both learn the same new tasks:"
            + " 1 is as well, less is worse. Hollow dots are versions that were never released.",
        sections,
        "Made by cambium headroom from "
            + count(history.versions().size(), VERSION)
            + " of "
            + history.line()
            + ".");
  }

  private static String count(int number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }

  // --------------------------------------------------------------------------------- headroom

  private Optional<Section> headroom() {
    List<Integer> measured = new ArrayList<>();
    for (int i = 0; i < history.versions().size(); i++) {
      if (history.versions().get(i).measured().isPresent()) {
        measured.add(i);
      }
    }
    if (measured.isEmpty()) {
      return Optional.empty();
    }
    LineHistory.OfVersion last = history.versions().get(measured.get(measured.size() - 1));
    List<Block> blocks = new ArrayList<>();
    blocks.add(tiles(last));
    blocks.add(
        new Plot(
            "Headroom, the worse of both measures, with its interval",
            VERSION,
            places,
            List.of(new Plot.Series("headroom", ratios(h -> Optional.of(h.worse())))),
            limit(last),
            Plot.Form.NUMBER));
    blocks.add(
        new Plot(
            "The two measures, foundation ÷ version: steps to the threshold, and area under the"
                + " loss curve",
            VERSION,
            places,
            List.of(
                new Plot.Series("steps", ratios(h -> Optional.of(h.steps()))),
                new Plot.Series("area", ratios(h -> Optional.ofNullable(h.area())))),
            limit(last),
            Plot.Form.NUMBER));
    return Optional.of(
        new Section(
            "Headroom",
            "A release is held while the lower end of the interval lies below the floor.",
            blocks,
            false));
  }

  private static Plot.Limit limit(LineHistory.OfVersion last) {
    Verdict.OfHeadroom headroom = java.util.Objects.requireNonNull(last.headroom());
    return headroom.floor() == 0
        ? new Plot.Limit("foundation", 1)
        : new Plot.Limit("floor", headroom.floor());
  }

  private List<Plot.Point> ratios(Function<Headroom, Optional<Headroom.Ratio>> measure) {
    List<Plot.Point> points = new ArrayList<>();
    for (int i = 0; i < history.versions().size(); i++) {
      LineHistory.OfVersion version = history.versions().get(i);
      int place = i;
      version
          .measured()
          .flatMap(measure)
          .ifPresent(
              ratio ->
                  points.add(
                      new Plot.Point(
                          place,
                          ratio.point(),
                          ratio.lower(),
                          ratio.upper(),
                          !version.released())));
    }
    return points;
  }

  private Tiles tiles(LineHistory.OfVersion last) {
    Headroom headroom = last.measured().orElseThrow();
    Double share = headroom.costShare();
    return new Tiles(
        List.of(
            new Tiles.Tile(
                number(headroom.point()),
                "headroom of " + last.version(),
                String.format(
                    Locale.ROOT,
                    "%.2f to %.2f, level %.2f",
                    headroom.lower(),
                    headroom.upper(),
                    headroom.level())),
            new Tiles.Tile(
                number(java.util.Objects.requireNonNull(last.headroom()).floor()),
                "floor of its contract",
                "for the lower end"),
            new Tiles.Tile(
                headroom.censored() + " of " + headroom.runs(),
                "runs censored",
                "at "
                    + headroom.horizon()
                    + " steps; of "
                    + headroom.foundation()
                    + " "
                    + headroom.foundationCensored()),
            new Tiles.Tile(
                headroom.diverged() + " of " + headroom.runs(),
                "runs diverged",
                "of " + headroom.foundation() + " " + headroom.foundationDiverged()),
            new Tiles.Tile(
                share == null ? "–" : String.format(Locale.ROOT, "%.1f %%", 100 * share),
                "of the update's time",
                String.format(Locale.ROOT, "%.1f s", headroom.seconds()))));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  // --------------------------------------------------------------------------------- learning

  /** The loss curves of the version that was measured last. */
  private Optional<Section> learning() {
    LineHistory.OfVersion last = null;
    for (LineHistory.OfVersion version : history.versions()) {
      last = version.measured().isPresent() ? version : last;
    }
    if (last == null) {
      return Optional.empty();
    }
    Headroom headroom = last.measured().orElseThrow();
    List<Block> blocks = new ArrayList<>();
    for (Headroom.Curve curve : headroom.curves()) {
      int looks = Math.max(curve.version().size(), curve.foundation().size());
      if (looks == 0) {
        continue;
      }
      List<String> steps = new ArrayList<>();
      for (int look = 0; look < looks; look++) {
        steps.add(Integer.toString(look * curve.every()));
      }
      blocks.add(
          new Plot(
              curve.kind() + ": mean loss of an answer, in nats",
              "step",
              steps,
              List.of(
                  new Plot.Series(last.version().toString(), points(curve.version())),
                  new Plot.Series(headroom.foundation().toString(), points(curve.foundation()))),
              null,
              Plot.Form.NUMBER));
    }
    return blocks.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Section(
                "How " + last.version() + " learnt",
                "Means over the tasks and seeds of each kind.",
                blocks,
                false));
  }

  private static List<Plot.Point> points(List<Double> values) {
    List<Plot.Point> points = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      points.add(Plot.Point.of(i, values.get(i)));
    }
    return points;
  }

  // -------------------------------------------------------------------------------- retention

  private Optional<Section> retention() {
    Set<String> capabilities = new LinkedHashSet<>();
    history.versions().forEach(v -> capabilities.addAll(v.scores().keySet()));
    List<Plot.Series> series = new ArrayList<>();
    for (String capability : capabilities) {
      List<Plot.Point> points = new ArrayList<>();
      for (int i = 0; i < history.versions().size(); i++) {
        LineHistory.OfVersion version = history.versions().get(i);
        LineHistory.Score score = version.scores().get(capability);
        if (score != null) {
          points.add(
              new Plot.Point(
                  i,
                  score.score(),
                  Math.min(score.low(), score.score()),
                  Math.max(score.high(), score.score()),
                  !version.released()));
        }
      }
      series.add(new Plot.Series(capability, points));
    }
    return series.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Section(
                "What it can do",
                "Scores of its capabilities as gates measured them, with anytime-valid intervals."
                    + " A gate stops when it has seen enough, so intervals differ in width.",
                List.of(
                    new Plot(
                        "Score of each capability",
                        VERSION,
                        places,
                        series,
                        null,
                        Plot.Form.SHARE)),
                false));
  }

  // ----------------------------------------------------------------------------------- inside

  /** Ranks and dormant units after each training; versions that none made have no point. */
  private Optional<Section> inside() {
    Plot ranks =
        new Plot(
            "Effective rank, as a share of the most that there can be",
            VERSION,
            places,
            List.of(
                new Plot.Series("weights", inside(p -> share(p.weights()))),
                new Plot.Series("features", inside(p -> share(p.features())))),
            null,
            Plot.Form.SHARE);
    Plot dormant =
        new Plot(
            "Feed-forward units that hardly act",
            VERSION,
            places,
            List.of(new Plot.Series("dormant units", inside(Telemetry.Point::dormant))),
            null,
            Plot.Form.SHARE);
    return ranks.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Section(
                "Inside",
                "At the end of the training that made each version. These say where to look; no"
                    + " release depends on them.",
                List.of(ranks, dormant),
                false));
  }

  private static double share(Telemetry.Ranks ranks) {
    return ranks.full() == 0 ? Double.NaN : ranks.effective() / ranks.full();
  }

  private List<Plot.Point> inside(ToDoubleFunction<Telemetry.Point> reading) {
    List<Plot.Point> points = new ArrayList<>();
    for (int i = 0; i < history.versions().size(); i++) {
      LineHistory.OfVersion version = history.versions().get(i);
      if (version.telemetry() != null) {
        double value = reading.applyAsDouble(version.telemetry());
        if (Double.isFinite(value)) {
          points.add(new Plot.Point(i, value, value, value, !version.released()));
        }
      }
    }
    return points;
  }

  // ---------------------------------------------------------------------------------- updates

  /** What the governor chose for each update, and why. */
  private Optional<Section> updates() {
    List<Plot.Point> points = new ArrayList<>();
    List<List<Cell>> rows = new ArrayList<>();
    for (int i = 0; i < history.versions().size(); i++) {
      LineHistory.OfVersion version = history.versions().get(i);
      Choice choice = version.update();
      if (choice != null) {
        double mode = choice.mode().ordinal();
        points.add(new Plot.Point(i, mode, mode, mode, !version.released()));
        rows.add(
            List.of(
                Cell.of(version.version().toString()),
                Cell.of(choice.mode().label()),
                Cell.of(String.join("; ", choice.reasons())).in(Tone.QUIET)));
      }
    }
    return points.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Section(
                "How it was updated",
                "What the rules chose for each update; what does more to a line stands higher.",
                List.of(
                    new Plot(
                        "Mode of each update",
                        VERSION,
                        places,
                        List.of(new Plot.Series("mode", points)),
                        null,
                        Plot.Form.NUMBER,
                        Mode.labels()),
                    new TextTable(
                        count(rows.size(), "update"),
                        List.of(VERSION, "mode", "why"),
                        rows,
                        "",
                        rows.size() > 20)),
                false));
  }

  // ------------------------------------------------------------------------------------ table

  private Section table() {
    List<List<Cell>> rows = new ArrayList<>();
    for (LineHistory.OfVersion version : history.versions()) {
      Optional<Headroom> measured = version.measured();
      rows.add(
          List.of(
              Cell.of(version.version().toString()),
              Cell.of(Why.time(version.time())).in(Tone.QUIET),
              decision(version),
              Cell.of(measured.map(h -> h.worse().toString()).orElse("")),
              Cell.of(
                      version.headroom() == null
                          ? ""
                          : version.headroom().reason()
                              + measured.map(h -> "; " + h.summary()).orElse(""))
                  .in(Tone.QUIET)));
    }
    List<Block> blocks = new ArrayList<>();
    if (history.versions().stream().allMatch(v -> v.headroom() == null)) {
      blocks.add(
          new Note(
              "Headroom was not measured: the contract of "
                  + history.line()
                  + " does not ask for it."));
    }
    blocks.add(
        new TextTable(
            count(rows.size(), VERSION),
            List.of(VERSION, "made", "judged", "headroom", "why"),
            rows,
            "",
            rows.size() > 20));
    return new Section("Versions", "", blocks, false);
  }

  private static Cell decision(LineHistory.OfVersion version) {
    Decision decision = version.decision();
    if (decision == null) {
      return Cell.of("not judged").in(Tone.QUIET);
    }
    Cell cell = Cell.of(decision.name().toLowerCase(Locale.ROOT));
    return switch (decision) {
      case PASS -> cell.in(Tone.GOOD);
      case FAIL -> cell.in(Tone.BAD);
      case INCONCLUSIVE -> cell.in(Tone.DOUBTFUL);
    };
  }
}
