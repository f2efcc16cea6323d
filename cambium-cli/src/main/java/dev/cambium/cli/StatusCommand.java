package dev.cambium.cli;

import dev.cambium.ledger.LedgerState;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.declaration.Problem;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;

/** {@code cambium status}. */
@Command(
    name = "status",
    description = "Show every line, what is released, and what is waiting to be done.",
    footerHeading = "%nExamples:%n",
    footer = {"  cambium status", "  cambium status --json | jq '.lines[].channels.stable'"})
final class StatusCommand extends Subcommand.OnEcosystem {

  @Override
  int on(Cambium cambium, Console console) {
    Fleet fleet = Fleet.of(cambium);
    List<Problem> warnings = fleet.declaration().warnings();
    LedgerState state = cambium.state();
    Optional<LedgerState.CampaignState> open = state.openCampaign();
    List<Fact.SignalReceived> signals =
        state.openSignals().stream().map(s -> s.received().fact()).toList();
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("name", fleet.name());
      told.put("directory", cambium.directory().toString());
      told.put("lines", fleet.settled(cambium).lines());
      told.put("open-signals", signals);
      open.ifPresent(c -> told.put("open-campaign", c.opened().fact().campaign()));
      told.put("records", state.size());
      told.put("suites-not-in-force", state.ecosystem().orElseThrow().fact().pending().keySet());
      told.put("warnings", warnings.stream().map(Problem::toString).toList());
      console.json(told);
      return ExitCode.DONE;
    }
    warnings.forEach(w -> console.remark("warning: " + w));
    SuiteCommand.remark(cambium, console);
    console.line(
        "%s, %s, %s in the ledger",
        console.tone(Console.Tone.STRONG, fleet.name()),
        Texts.count(fleet.lines().size(), "line"),
        Texts.count(state.size(), "record"));
    console.line("");
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("LINE", "TIER", "STABLE", "CANDIDATE", "SCORE", "BUILT ON"));
    for (Fleet.Standing line : fleet.lines()) {
      rows.add(
          List.of(
              line.line(),
              line.tier().label(),
              text(line.stable()),
              candidate(line),
              line.score() == null ? "-" : Texts.share(line.score()),
              line.builtOn() == null
                  ? "-"
                  : line.builtOn()
                      + (line.behind() ? console.tone(Console.Tone.DOUBTFUL, " behind") : "")));
    }
    console.table(rows);
    console.line("");
    if (open.isPresent()) {
      console.line(
          "Campaign %s is open; cambium run goes on with it.",
          open.get().opened().fact().campaign());
    }
    for (Fact.SignalReceived signal : signals) {
      console.line(
          "Signal %s: %s",
          signal.signal(),
          signal.kind() == Fact.SignalKind.DATA
              ? Texts.count(signal.rows(), "new row") + " for " + signal.line()
              : "new version " + signal.upstream());
    }
    if (!signals.isEmpty() && open.isEmpty()) {
      console.line("cambium plan shows what would be done, cambium run does it.");
    } else if (open.isEmpty()) {
      console.line("No signal is open.");
    }
    return ExitCode.DONE;
  }

  private static String candidate(Fleet.Standing line) {
    VersionRef candidate = line.channels().get(Channel.CANDIDATE);
    return candidate == null || candidate.equals(line.stable()) ? "-" : candidate.toString();
  }

  private static String text(@org.jspecify.annotations.Nullable VersionRef version) {
    return version == null ? "-" : version.toString();
  }
}
