package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.Cambium.DataTaken;
import dev.cambium.model.VersionRef;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cambium signal}. */
@Command(
    name = "signal",
    description = {
      "Say why something should be updated.",
      "cambium run answers all signals together."
    },
    subcommands = {SignalCommand.Data.class, SignalCommand.Upstream.class},
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium signal data new-intents.jsonl --line cards",
      "  cambium signal upstream base@2"
    })
final class SignalCommand implements Runnable {

  @SuppressWarnings("NullAway.Init") // set by picocli
  @Spec
  private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean help;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "what kind of signal? data or upstream");
  }

  /** {@code cambium signal data}. */
  @Command(
      name = "data",
      description = {
        "New training data for a line.",
        "JSON lines with {\"text\"}, {\"prompt\", \"completion\"} or {\"messages\"}, or CSV with a"
            + " header prompt,completion or text,category. About a tenth of the rows is set aside."
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  cambium signal data new-intents.jsonl --line cards",
        "  cambium signal data export.csv --line cards --skip-bad-rows --note 'July export'"
      })
  static final class Data extends Subcommand.OnEcosystem {

    @Parameters(index = "0", paramLabel = "FILE", description = "The rows: .jsonl or .csv.")
    private Path file = Path.of("");

    @Option(names = "--line", required = true, paramLabel = "LINE", description = "Who learns it.")
    private String line = "";

    @Option(
        names = "--skip-bad-rows",
        description = "Take the good rows of a file that has bad ones, and list the others.")
    private boolean skipBad;

    @Option(
        names = "--allow-overlap",
        description =
            "Take rows that suites contain, too; those items are then left out of verdicts.")
    private boolean allowOverlap;

    @Option(names = "--note", paramLabel = "TEXT", description = "For people.")
    private @Nullable String note;

    @Override
    int on(Cambium cambium, Console console) {
      String remark = note == null ? String.valueOf(file.getFileName()) : note;
      DataTaken taken = cambium.signalData(file, line, skipBad, allowOverlap, remark);
      if (console.json()) {
        console.json(taken);
        return ExitCode.DONE;
      }
      taken.rejected().stream().limit(20).forEach(row -> console.remark("left out: " + row));
      if (taken.rejected().size() > 20) {
        console.remark("left out: … and " + (taken.rejected().size() - 20) + " more");
      }
      taken.overlaps().stream().limit(10).forEach(o -> console.remark("overlap: " + o));
      console.line(
          "%s: %s to learn and %d set aside for %s.",
          console.tone(Console.Tone.STRONG, taken.signal()),
          Texts.count(taken.train(), "row"),
          taken.heldOut(),
          line);
      console.line("cambium plan shows what would be done about it.");
      return ExitCode.DONE;
    }
  }

  /** {@code cambium signal upstream}. */
  @Command(
      name = "upstream",
      description = "A new version of a line that others are built on, to be judged and passed on.",
      footerHeading = "%nExamples:%n",
      footer = {"  cambium signal upstream base@2"})
  static final class Upstream extends Subcommand.OnEcosystem {

    @Parameters(
        index = "0",
        paramLabel = "LINE@N",
        converter = Words.VersionWord.class,
        description = "The new version.")
    private @Nullable VersionRef version;

    @Option(names = "--note", paramLabel = "TEXT", description = "For people.")
    private String note = "";

    @Override
    int on(Cambium cambium, Console console) {
      VersionRef arrived = java.util.Objects.requireNonNull(version);
      String signal = cambium.signalUpstream(arrived, note);
      if (console.json()) {
        console.json(Map.of("signal", signal, "version", arrived));
        return ExitCode.DONE;
      }
      console.line("%s: %s.", console.tone(Console.Tone.STRONG, signal), arrived);
      console.line("cambium plan shows what would be done about it.");
      return ExitCode.DONE;
    }
  }
}
