package dev.cambium.report.fleet;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.explain.Wave;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Decision;
import dev.cambium.report.BeforeAfter;
import dev.cambium.report.Block;
import dev.cambium.report.Note;
import dev.cambium.report.ReportPage;
import dev.cambium.report.Section;
import dev.cambium.report.TextTable;
import dev.cambium.report.TextTable.Cell;
import dev.cambium.report.TextTable.Tone;
import dev.cambium.report.Tiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A page about one upgrade: the fleet before and after, how every line was carried, what it cost.
 */
public final class WavePage {

  private final Cambium cambium;

  public WavePage(Cambium cambium) {
    this.cambium = cambium;
  }

  /** The page of a campaign. */
  public ReportPage of(Wave wave) {
    FleetViews views = new FleetViews(cambium);
    List<Verdict> verdicts = cambium.verdicts(wave.campaign());
    List<Block> glance = new ArrayList<>();
    glance.add(tiles(wave));
    glance.add(
        new BeforeAfter(
            views.before("before", wave.campaign()), views.after("after", wave.campaign())));
    List<Block> evidence = new ArrayList<>();
    evidence.add(FleetViews.accuracy("Scores as the gates measured them", verdicts));
    verdicts.stream()
        .filter(v -> v.inherited() == null)
        .forEach(v -> evidence.add(FleetViews.verdict(v)));
    List<Section> sections = new ArrayList<>();
    sections.add(new Section("At a glance", "", glance, false));
    sections.add(
        new Section(
            "Lines",
            "How each line came to its new parent, by the first way whose gate passed it.",
            List.of(lines(wave)),
            false));
    sections.add(
        new Section(
            "Every attempt",
            "In the order in which they were made; a way that did not apply is in the line's"
                + " reason.",
            List.of(attempts(wave)),
            false));
    sections.add(
        new Section(
            "Verdicts", "With the items that changed from right to wrong.", evidence, false));
    sections.add(
        new Section(
            "Back",
            "",
            List.of(
                new Note(
                    "cambium release rollback LINE --cascade, with the line that was upgraded,"
                        + " moves all of them back in one transaction.")),
            false));
    return new ReportPage(
        "Upgrade " + wave.campaign(),
        "Every number was measured by the gates of this campaign"
            + (wave.measured() ? "." : ", but the cost of retraining is a guess."),
        sections,
        "cambium upgrade");
  }

  private static Tiles tiles(Wave wave) {
    List<Tiles.Tile> tiles = new ArrayList<>();
    tiles.add(
        new Tiles.Tile(Integer.toString(wave.lines().size()), "lines", "reached by the upgrade"));
    int flips = 0;
    int carried = 0;
    for (Wave.OfLine line : wave.lines()) {
      Wave.Attempt released = line.released();
      if (released != null) {
        carried++;
        flips += released.negativeFlips();
      }
    }
    tiles.add(new Tiles.Tile(Integer.toString(carried), "on the new base", "their gate passed"));
    tiles.add(new Tiles.Tile(Integer.toString(flips), "negative flips", "in what was released"));
    tiles.add(new Tiles.Tile(seconds(wave.making()), "to make candidates", "failed ones included"));
    if (wave.retraining() > 0) {
      tiles.add(
          new Tiles.Tile(
              share(wave.making() / wave.retraining()),
              "of retraining",
              seconds(wave.retraining())
                  + " to retrain all carried lines"
                  + (wave.measured() ? "" : ", a guess")));
    }
    tiles.add(new Tiles.Tile(seconds(wave.measuring()), "to measure", ""));
    return new Tiles(tiles);
  }

  private static TextTable lines(Wave wave) {
    List<List<Cell>> rows = new ArrayList<>();
    for (Wave.OfLine line : wave.lines()) {
      Wave.Attempt released = line.released();
      Tone tone =
          switch (line.settlement()) {
            case RELEASED, KEPT -> Tone.GOOD;
            case CUT_OFF -> Tone.QUIET;
            case REJECTED -> Tone.BAD;
            case HELD -> Tone.DOUBTFUL;
          };
      rows.add(
          List.of(
              Cell.of(line.line()),
              Cell.of(line.before() == null ? "" : line.before().toString()),
              Cell.of(line.after() == null ? "" : line.after().toString()),
              Cell.of(line.settlement().name().toLowerCase(Locale.ROOT)).in(tone),
              Cell.of(line.rung() == null ? "" : line.rung().label()),
              Cell.of(released == null ? "" : kept(released)),
              Cell.of(released == null ? "" : Integer.toString(released.negativeFlips())),
              Cell.of(seconds(line.attempts().stream().mapToDouble(Wave.Attempt::seconds).sum())),
              Cell.of(line.retraining() == null ? "" : seconds(line.retraining())),
              Cell.of(line.reason())));
    }
    return new TextTable(
        "Lines",
        List.of(
            "line",
            "before",
            "after",
            "outcome",
            "way",
            "kept",
            "flips",
            "took",
            "retraining",
            "why"),
        rows,
        "",
        false);
  }

  private static TextTable attempts(Wave wave) {
    List<List<Cell>> rows = new ArrayList<>();
    for (Wave.OfLine line : wave.lines()) {
      for (Wave.Attempt attempt : line.attempts()) {
        Tone tone =
            attempt.decision() == Decision.PASS
                ? Tone.GOOD
                : attempt.decision() == Decision.FAIL ? Tone.BAD : Tone.DOUBTFUL;
        rows.add(
            List.of(
                Cell.of(line.line()),
                Cell.of(attempt.rung() == null ? "" : attempt.rung().label()),
                Cell.of(attempt.version().toString()),
                Cell.of(attempt.decision().name().toLowerCase(Locale.ROOT)).in(tone),
                Cell.of(kept(attempt)),
                Cell.of(Integer.toString(attempt.negativeFlips())),
                Cell.of(seconds(attempt.seconds())),
                Cell.of(attempt.note())));
      }
    }
    return new TextTable(
        "Attempts",
        List.of("line", "way", "version", "verdict", "kept", "flips", "took", "how"),
        rows,
        "",
        false);
  }

  private static String kept(Wave.Attempt attempt) {
    @Nullable Double kept = attempt.kept();
    return kept == null ? "" : share(kept);
  }

  private static String share(double value) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * value);
  }

  private static String seconds(double seconds) {
    return String.format(Locale.ROOT, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
  }
}
