package dev.cambium.story;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.ledger.VerificationReport;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.explain.WhyNode;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.report.BeforeAfter;
import dev.cambium.report.Block;
import dev.cambium.report.LineState;
import dev.cambium.report.Note;
import dev.cambium.report.ReportPage;
import dev.cambium.report.Section;
import dev.cambium.report.Tiles;
import dev.cambium.report.Timeline;
import dev.cambium.report.fleet.FleetViews;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Writes down what came of a demo: {@code demo-report.json} and {@code demo-report.html}. */
final class DemoReport {

  private final Demo.Options options;
  private final Cambium cambium;
  private final List<Demo.Chapter> chapters;
  private final List<Fact.ChannelMoved> rollback;
  private final WhyNode why;
  private final VerificationReport intact;
  private final Tampering.Found forged;
  private final double seconds;

  DemoReport(
      Demo.Options options,
      Cambium cambium,
      List<Demo.Chapter> chapters,
      List<Fact.ChannelMoved> rollback,
      WhyNode why,
      VerificationReport intact,
      Tampering.Found forged,
      double seconds) {
    this.options = options;
    this.cambium = cambium;
    this.chapters = chapters;
    this.rollback = rollback;
    this.why = why;
    this.intact = intact;
    this.forged = forged;
    this.seconds = seconds;
  }

  /** The JSON report. */
  private record Report(
      long seed,
      boolean quick,
      double seconds,
      int versions,
      long actionsRun,
      long actionsMemoised,
      Map<Decision, Integer> verdicts,
      List<Wave> waves,
      List<Demo.Chapter> chapters,
      List<Fact.ChannelMoved> rollback,
      WhyNode why,
      VerificationReport verification,
      Tampering.Found tampering) {}

  /** One campaign. */
  private record Wave(
      String name,
      String campaign,
      Fact.@Nullable CampaignOutcome outcome,
      double seconds,
      int negativeFlips,
      int intendedFlips,
      @JsonInclude(JsonInclude.Include.ALWAYS) List<Fact.LineSettled> settlements,
      List<Verdict> verdicts) {}

  Demo.Ending write(Path directory) throws IOException {
    List<Wave> waves = new ArrayList<>();
    Map<Decision, Integer> decisions = new TreeMap<>();
    for (Demo.Chapter chapter : chapters) {
      if (chapter.campaign() != null) {
        List<Verdict> verdicts = cambium.verdicts(chapter.campaign());
        verdicts.forEach(v -> decisions.merge(v.decision(), 1, Integer::sum));
        waves.add(
            new Wave(
                chapter.name(),
                chapter.campaign(),
                chapter.outcome(),
                chapter.seconds(),
                verdicts.stream().mapToInt(Verdict::negativeFlips).sum(),
                verdicts.stream().mapToInt(Verdict::intendedFlips).sum(),
                cambium.settlements(chapter.campaign()),
                verdicts));
      }
    }
    Report report =
        new Report(
            options.seed(),
            options.quick(),
            seconds,
            cambium.state().versions().size(),
            cambium.actionsRun(),
            cambium.actionsMemoised(),
            decisions,
            waves,
            chapters,
            rollback,
            why,
            intact,
            forged);
    Path json = directory.resolve("demo-report.json");
    Files.write(json, Json.mapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(report));
    Path page = directory.resolve("demo-report.html");
    Files.writeString(page, page(report).html());
    return new Demo.Ending(json, page, asExpected(waves));
  }

  private boolean asExpected(List<Wave> waves) {
    return waves.size() == 4
        && waves.get(0).outcome() == Fact.CampaignOutcome.RELEASED
        && waves.get(1).outcome() == Fact.CampaignOutcome.RELEASED
        && waves.get(2).outcome() == Fact.CampaignOutcome.REJECTED
        && waves.get(3).outcome() == Fact.CampaignOutcome.RELEASED
        && intact.intact()
        && forged.caught();
  }

  private ReportPage page(Report report) {
    FleetViews views = new FleetViews(cambium);
    List<Section> sections = new ArrayList<>();
    sections.add(
        new Section(
            "At a glance", "", List.of(tiles(report), views.now("The fleet at the end")), false));
    for (Wave wave : report.waves()) {
      sections.add(wave(views, wave));
    }
    sections.add(timeline());
    sections.add(
        new Section(
            "Rollback",
            "One compare-and-set for each line, recorded like everything else.",
            rollback.stream()
                .<Block>map(
                    m -> new Note(m.line() + ": stable moved from " + m.from() + " to " + m.to()))
                .toList(),
            false));
    sections.add(
        new Section(
            "Why " + why.label(),
            "From the version back to the data, the recipe, the verdicts and the foundation.",
            List.of(FleetViews.why(why)),
            true));
    List<Block> verification = new ArrayList<>();
    verification.add(
        new Note(
            String.format(
                Locale.ROOT,
                "The ledger: %d records, %d checkpoints, %d artifacts checked; %s.",
                intact.records(),
                intact.checkpoints(),
                intact.artifacts(),
                intact.intact() ? "everything fits" : intact.findings().size() + " findings")));
    verification.add(new Note("A copy: " + forged.what() + ". Verification says:"));
    forged.findings().forEach(f -> verification.add(new Note(f)));
    sections.add(new Section("Verification", "", verification, false));
    return new ReportPage(
        "A bank's help desk, kept current",
        "Two foundations, two industrial models, five adapters and three applications, trained,"
            + " judged and released by the loop on this machine. Every number was measured in this"
            + " run.",
        sections,
        String.format(
            Locale.ROOT,
            "cambium demo, seed %d%s, %.0f s",
            options.seed(),
            options.quick() ? ", quick" : "",
            seconds));
  }

  private static Tiles tiles(Report report) {
    return new Tiles(
        List.of(
            new Tiles.Tile(Integer.toString(report.versions()), "versions", "made or imported"),
            new Tiles.Tile(
                report.verdicts().getOrDefault(Decision.PASS, 0).toString(),
                "passed",
                "verdicts of gates in the campaigns"),
            new Tiles.Tile(
                report.verdicts().getOrDefault(Decision.FAIL, 0).toString(), "failed", ""),
            new Tiles.Tile(
                report.verdicts().getOrDefault(Decision.INCONCLUSIVE, 0).toString(),
                "inconclusive",
                "which holds a release"),
            new Tiles.Tile(
                Long.toString(report.actionsRun()), "actions run", "trainings, evaluations, …"),
            new Tiles.Tile(
                Long.toString(report.actionsMemoised()), "answered from memory", "never run twice"),
            new Tiles.Tile(
                String.format(Locale.ROOT, "%.0f s", report.seconds()), "wall time", "")));
  }

  private Section wave(FleetViews views, Wave wave) {
    List<Block> blocks = new ArrayList<>();
    blocks.add(
        new BeforeAfter(
            views.before("before", wave.campaign()), views.after("after", wave.campaign())));
    blocks.add(FleetViews.accuracy("Scores as the gates measured them", wave.verdicts()));
    wave.verdicts().stream()
        .filter(v -> v.inherited() == null)
        .forEach(v -> blocks.add(FleetViews.verdict(v)));
    for (Fact.LineSettled settled : wave.settlements()) {
      if (settled.settlement() == Fact.Settlement.CUT_OFF) {
        blocks.add(new Note(settled.line() + ": cut off, " + settled.reason()));
      }
    }
    wave.verdicts().stream()
        .filter(v -> v.inherited() != null)
        .forEach(v -> blocks.add(new Note(v.candidate() + ": " + v.reason())));
    return new Section(
        Character.toUpperCase(wave.name().charAt(0)) + wave.name().substring(1),
        String.format(
            Locale.ROOT,
            "Campaign %s: %s in %.1f s; %d of %d verdicts passed, %d negative flips, %d as changed rules ask.",
            wave.campaign(),
            wave.outcome() == null ? "open" : wave.outcome().name().toLowerCase(Locale.ROOT),
            wave.seconds(),
            wave.verdicts().stream().filter(v -> v.decision() == Decision.PASS).count(),
            wave.verdicts().size(),
            wave.negativeFlips(),
            wave.intendedFlips()),
        blocks,
        false);
  }

  private Section timeline() {
    List<Timeline.Span> spans = new ArrayList<>();
    double at = 0;
    for (Demo.Chapter chapter : chapters) {
      LineState state =
          chapter.outcome() == null
              ? LineState.UNCHANGED
              : switch (chapter.outcome()) {
                case RELEASED -> LineState.RELEASED;
                case REJECTED -> LineState.REJECTED;
                case INCONCLUSIVE, DECLINED -> LineState.HELD;
              };
      spans.add(
          new Timeline.Span(
              chapter.name(),
              chapter.outcome() == null ? "" : chapter.outcome().name().toLowerCase(Locale.ROOT),
              at,
              chapter.seconds(),
              state));
      at += chapter.seconds();
    }
    return new Section("Time", "", List.of(new Timeline("Where the time went", spans)), false);
  }
}
