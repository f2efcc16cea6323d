package dev.cambium.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cambium}. */
@Command(
    name = "cambium",
    versionProvider = Version.class,
    subcommands = {
      DemoCommand.class,
      InitCommand.class,
      PretrainCommand.class,
      MergeCommand.class,
      ExtractCommand.class,
      ImportCommand.class,
      SignalCommand.class,
      PlanCommand.class,
      RunCommand.class,
      SuiteCommand.class,
      UpgradeCommand.class,
      StatusCommand.class,
      GraphCommand.class,
      ShowCommand.class,
      DiffCommand.class,
      WhyCommand.class,
      HeadroomCommand.class,
      LogCommand.class,
      EvalCommand.class,
      ChatCommand.class,
      ReleaseCommand.class,
      ExportCommand.class,
      InspectCommand.class,
      VerifyCommand.class,
      ProveCommand.class,
      AttestCommand.class,
      PublishCommand.class,
      KeyCommand.class,
      GcCommand.class,
      MigrateStoreCommand.class,
      CompletionCommand.class,
    },
    description = "Keeps a fleet of language models current: a closed loop of update and release.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium demo                          see the whole loop at work in a few minutes",
      "  cambium init my-fleet                 start an ecosystem of your own",
      "  cambium import DIR --as base --tier foundation",
      "  cambium signal data rows.jsonl --line banking",
      "  cambium plan && cambium run           what would be done, and then do it",
      "  cambium why banking@3                 where a version comes from and why it was released",
      "",
      "LINE@N is a version (banking@3), LINE@CHANNEL what a channel points to (banking@candidate),",
      "LINE alone what is stable.",
      "",
      "Exit codes: 0 done, 2 usage or bad input, 3 a gate rejected, 4 inconclusive or waiting for a",
      "decision, 5 conflict with another process, 6 something does not verify, 1 anything else.",
    })
final class CambiumCommand implements Runnable {

  @SuppressWarnings("NullAway.Init") // set by picocli
  @Spec
  private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  private boolean version;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command? See cambium --help");
  }
}
