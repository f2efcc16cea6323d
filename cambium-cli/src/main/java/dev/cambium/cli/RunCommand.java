package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.Cambium.RunReport;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Fact;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code cambium run}. */
@Command(
    name = "run",
    description = {
      "Turn the loop once: train, measure, judge, release, pass on.",
      "Can be interrupted at any time; run again goes on where it stopped and repeats nothing that"
          + " is done. Exit code 3 if a gate rejected, 4 if the evidence did not suffice or a"
          + " decision is waited for."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium run                asks at decision points, if there is somebody to ask",
      "  cambium run --yes          approves them beforehand",
      "  cambium run --mode cards=repair --reason 'the last update took twice as long'",
      "  cambium run --json > run.json"
    })
final class RunCommand extends Subcommand.OnEcosystem {

  @Mixin private Modes modes = new Modes();

  @Option(
      names = {"-y", "--yes"},
      description = "Approve every decision point.")
  private boolean yes;

  @Override
  int on(Cambium cambium, Console console) {
    Approver approver =
        yes
            ? Approver.ALWAYS
            : terminal().input() && !console.json() ? asking(console) : Approver.NOBODY;
    SuiteCommand.remark(cambium, console);
    RunReport report = cambium.run(approver, modes.wishes(this), console.progress());
    if (console.json()) {
      console.json(told(report));
    } else {
      write(report, console);
    }
    return report.campaign() == null ? ExitCode.DONE : ExitCode.of(report.outcome());
  }

  private static Map<String, Object> told(RunReport report) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("campaign", report.campaign());
    told.put("outcome", report.outcome());
    told.put("waiting-for", report.waitingFor());
    told.put("settlements", report.settlements());
    told.put("verdicts", report.verdicts());
    return told;
  }

  private static Approver asking(Console console) {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
    return (point, question) -> {
      console.ask(question + " [y/N] ");
      try {
        String answer = in.readLine();
        if (answer == null) {
          return Optional.empty();
        }
        boolean approved = answer.strip().toLowerCase(Locale.ROOT).startsWith("y");
        return Optional.of(
            new Approver.Answer(
                approved, approved ? "approved when asked" : "declined when asked"));
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read the answer", e);
      }
    };
  }

  static void write(RunReport report, Console console) {
    if (report.campaign() == null) {
      console.line("Nothing to do. cambium plan says what is waited for.");
      return;
    }
    report.verdicts().forEach(verdict -> VerdictText.write(verdict, console));
    if (!report.settlements().isEmpty()) {
      List<List<String>> rows = new ArrayList<>();
      rows.add(List.of("LINE", "OUTCOME", "STABLE", "WAY", "WHY"));
      for (Fact.LineSettled settled : report.settlements()) {
        rows.add(
            List.of(
                settled.line(),
                settlement(settled.settlement(), console),
                settled.version() == null ? "-" : settled.version().toString(),
                settled.rung() == null ? "" : settled.rung().name().toLowerCase(Locale.ROOT),
                settled.reason()));
      }
      console.line("");
      console.table(rows);
    }
    console.line("");
    if (report.outcome() == null) {
      console.line(
          "Campaign %s waits for a decision: %s. cambium run --yes approves it.",
          report.campaign(), report.waitingFor());
    } else {
      long intended = report.verdicts().stream().mapToLong(Verdict::intendedFlips).sum();
      long flips = report.verdicts().stream().mapToLong(Verdict::negativeFlips).sum();
      console.line(
          "Campaign %s: %s, %s, %s%s.",
          report.campaign(),
          outcome(report.outcome(), console),
          Texts.count(report.verdicts().size(), "verdict"),
          Texts.count(flips, "negative flip"),
          intended == 0 ? "" : ", " + Texts.count(intended, "intended flip"));
      String left =
          report.settlements().stream()
              .filter(s -> s.settlement() == Fact.Settlement.HELD)
              .map(Fact.LineSettled::line)
              .collect(Collectors.joining(", "));
      if (!left.isEmpty()) {
        console.line(
            "Held: %s. The signals are answered, and nothing is tried again by itself; signal again,"
                + " with the same rows or more, and run.",
            left);
      }
    }
  }

  static String settlement(Fact.Settlement settlement, Console console) {
    String label = settlement.name().toLowerCase(Locale.ROOT).replace('_', '-');
    return switch (settlement) {
      case RELEASED, KEPT -> console.tone(Console.Tone.GOOD, label);
      case CUT_OFF -> console.tone(Console.Tone.QUIET, label);
      case REJECTED -> console.tone(Console.Tone.BAD, label);
      case HELD -> console.tone(Console.Tone.DOUBTFUL, label);
    };
  }

  private static String outcome(Fact.CampaignOutcome outcome, Console console) {
    String label = outcome.name().toLowerCase(Locale.ROOT);
    return switch (outcome) {
      case RELEASED -> console.tone(Console.Tone.GOOD, label);
      case REJECTED -> console.tone(Console.Tone.BAD, label);
      case INCONCLUSIVE, DECLINED -> console.tone(Console.Tone.DOUBTFUL, label);
    };
  }
}
