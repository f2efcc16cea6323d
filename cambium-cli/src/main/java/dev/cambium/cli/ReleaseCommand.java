package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionRef;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cambium release}. */
@Command(
    name = "release",
    description = "Move a channel forwards, through the gate, or back.",
    subcommands = {ReleaseCommand.Promote.class, ReleaseCommand.Rollback.class},
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium release promote base@1 --channel stable",
      "  cambium release rollback banking"
    })
final class ReleaseCommand implements Runnable {

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
    throw new ParameterException(spec.commandLine(), "promote or rollback?");
  }

  /** {@code cambium release promote}. */
  @Command(
      name = "promote",
      description = {
        "Bring a version before its contract's gate and, if it passes, move a channel to it.",
        "Exit code 3 if the gate rejects, 4 if the evidence does not suffice."
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  cambium release promote base@1",
        "  cambium release promote cards@4 --channel canary",
        "  cambium release promote base@1 --waive 'nothing depends on it yet'"
      })
  static final class Promote extends Subcommand.OnEcosystem {

    @Parameters(
        index = "0",
        paramLabel = "LINE@N",
        converter = Words.VersionWord.class,
        description = "The version.")
    private @Nullable VersionRef version;

    @Option(
        names = "--channel",
        paramLabel = "CHANNEL",
        defaultValue = "stable",
        converter = Words.ChannelWord.class,
        completionCandidates = Words.Channels.class,
        description = "Which: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Channel channel = Channel.STABLE;

    @Option(
        names = "--waive",
        paramLabel = "REASON",
        description =
            "Release a first version that no capability measures; the reason is recorded.")
    private @Nullable String waiver;

    @Override
    int on(Cambium cambium, Console console) {
      VersionRef promoted = Objects.requireNonNull(version);
      Verdict verdict = cambium.promote(promoted, channel, waiver, console.progress());
      if (console.json()) {
        console.json(verdict);
      } else {
        VerdictText.write(verdict, console);
        console.line("");
        console.line(
            verdict.decision() == Decision.PASS
                ? promoted + " is " + channel.label() + "."
                : channel.label() + " stays where it was.");
      }
      return ExitCode.of(verdict.decision());
    }
  }

  /** {@code cambium release rollback}. */
  @Command(
      name = "rollback",
      description = "Move a line's stable channel back to what it pointed to before.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  cambium release rollback banking --reason 'customers complain'",
        "  cambium release rollback base --cascade"
      })
  static final class Rollback extends Subcommand.OnEcosystem {

    @Parameters(index = "0", paramLabel = "LINE", description = "The line.")
    private String line = "";

    @Option(
        names = "--cascade",
        description = "Also move back every line below that is built on the version being left.")
    private boolean cascade;

    @Option(
        names = "--reason",
        paramLabel = "TEXT",
        defaultValue = "rolled back by hand",
        description = "Recorded with it (default: ${DEFAULT-VALUE}).")
    private String reason = "";

    @Override
    int on(Cambium cambium, Console console) {
      List<Fact.ChannelMoved> moves = cambium.rollback(line, cascade, reason);
      Map<VersionRef, VersionRef> behind = cambium.builtOnEarlier();
      if (console.json()) {
        console.json(Map.of("moves", moves, "built-on-another", behind));
        return ExitCode.DONE;
      }
      for (Fact.ChannelMoved move : moves) {
        console.line(
            "%s: %s -> %s", console.tone(Console.Tone.STRONG, move.line()), move.from(), move.to());
      }
      behind.forEach(
          (version, parent) ->
              console.remark(
                  version + " stays on " + parent + ", which is no longer stable in its line"));
      return ExitCode.DONE;
    }
  }
}
