package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.model.Fact;
import dev.cambium.model.Record;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code cambium log}. */
@Command(
    name = "log",
    description = "Show the ledger's records, the newest last.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium log                the last 30",
      "  cambium log --from 0 --limit 10",
      "  cambium log --json --limit 1",
      "  cambium log --checkpoint > kept-elsewhere.txt"
    })
final class LogCommand extends Subcommand.OnEcosystem {

  @Option(
      names = "--from",
      paramLabel = "INDEX",
      description = "The first to show (default: so that the newest are shown).")
  private @Nullable Long from;

  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      defaultValue = "30",
      description = "How many to show at most (default: ${DEFAULT-VALUE}).")
  private int limit;

  @Option(
      names = "--checkpoint",
      description = {
        "Show the newest signed checkpoint instead. Keep it elsewhere:",
        "cambium verify --against shows later whether history was rewritten since."
      })
  private boolean checkpoint;

  @Override
  int on(Cambium cambium, Console console) {
    if (checkpoint) {
      console.piece(
          cambium
              .state()
              .checkpoint()
              .orElseThrow(() -> new IllegalArgumentException("the log is empty")));
      return ExitCode.DONE;
    }
    if (limit < 1) {
      throw usage("--limit must be at least 1");
    }
    long size = cambium.state().size();
    long first = from == null ? Math.max(0, size - limit) : from;
    if (first < 0) {
      throw usage("--from must not be negative");
    }
    List<Record> records = cambium.state().records(first, limit);
    if (console.json()) {
      console.json(records);
      return ExitCode.DONE;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("RECORD", "TIME", "ACTOR", "WHAT HAPPENED"));
    for (Record record : records) {
      rows.add(
          List.of(
              Long.toString(record.index()),
              Texts.time(record.time()),
              record.actor(),
              sentence(record.fact())));
    }
    console.table(rows);
    return ExitCode.DONE;
  }

  private static String sentence(Fact fact) {
    if (fact instanceof Fact.EcosystemDeclared f) {
      String approved =
          f.approved().entrySet().stream()
              .map(change -> change.getKey() + " (" + change.getValue().reason() + ")")
              .collect(Collectors.joining(", "));
      return "declared "
          + f.name()
          + ", "
          + Texts.count(f.suites().size(), "suite")
          + (f.pending().isEmpty()
              ? ""
              : ", changed and not approved: " + String.join(", ", f.pending().keySet()))
          + (approved.isEmpty() ? "" : ", approved changes of " + approved);
    }
    if (fact instanceof Fact.VersionRegistered f) {
      return f.version()
          + (f.parent() == null ? "" : " on " + f.parent())
          + (f.rung() == null ? "" : " by " + label(f.rung()))
          + ", digest "
          + f.manifest().brief();
    }
    if (fact instanceof Fact.SignalReceived f) {
      return "signal "
          + f.signal()
          + (f.kind() == Fact.SignalKind.DATA
              ? ": " + Texts.count(f.rows(), "row") + " for " + f.line()
              : ": " + f.upstream() + " arrived");
    }
    if (fact instanceof Fact.CampaignOpened f) {
      return "campaign " + f.campaign() + " opened for " + String.join(", ", f.signals());
    }
    if (fact instanceof Fact.DecisionTaken f) {
      return f.point() + (f.approved() ? " approved: " : " declined: ") + f.reason();
    }
    if (fact instanceof Fact.ActionFinished f) {
      return f.kind() + " " + f.action().brief() + " took " + Texts.seconds(f.seconds());
    }
    if (fact instanceof Fact.VerdictReached f) {
      return f.decision()
          + " for "
          + f.candidate()
          + (f.reference() == null ? "" : " against " + f.reference());
    }
    if (fact instanceof Fact.ChannelMoved f) {
      return f.line()
          + " "
          + f.channel().label()
          + ": "
          + (f.from() == null ? "nothing" : f.from())
          + " -> "
          + f.to()
          + " ("
          + label(f.movement())
          + ")";
    }
    if (fact instanceof Fact.LineSettled f) {
      return f.line() + " " + label(f.settlement()) + ": " + f.reason();
    }
    if (fact instanceof Fact.KeyRotated f) {
      return "the signing key was replaced: " + f.reason();
    }
    Fact.CampaignClosed closed = (Fact.CampaignClosed) fact;
    return "campaign " + closed.campaign() + " closed: " + label(closed.outcome());
  }

  private static String label(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
