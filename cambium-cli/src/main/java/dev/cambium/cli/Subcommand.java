package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What every command has. */
abstract class Subcommand implements Callable<Integer> {

  private Terminal terminal = Terminal.NONE;

  @SuppressWarnings("NullAway.Init") // set by picocli
  @Spec
  CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean help;

  @Option(names = "--json", description = "Write JSON, for a program to read.")
  private boolean json;

  @Option(names = "--no-color", description = "No colours (also where NO_COLOR is set).")
  private boolean noColour;

  final void attach(Terminal found) {
    this.terminal = found;
  }

  /** Where the command writes. */
  final Console console() {
    return new Console(
        spec.commandLine().getOut(), spec.commandLine().getErr(), terminal, json, noColour);
  }

  final Terminal terminal() {
    return terminal;
  }

  /** The arguments are well-formed one by one and do not go together. */
  final ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** Who acts, as the ledger will say. */
  static String actor() {
    String named = System.getenv("CAMBIUM_ACTOR");
    return named == null || named.isBlank() ? System.getProperty("user.name", "unknown") : named;
  }

  /** A command on the directory of an ecosystem, which it opens itself, if at all. */
  abstract static class AtEcosystem extends Subcommand {

    @Option(
        names = {"-d", "--dir"},
        paramLabel = "DIR",
        description =
            "The ecosystem's directory (default: the one that the working directory lies in).")
    private @Nullable Path directory;

    /** Does the work. */
    abstract int at(Path directory, Console console) throws Exception;

    @Override
    public Integer call() throws Exception {
      Path found = directory();
      Logs.to(found);
      try (Console console = console()) {
        return at(found, console);
      }
    }

    private Path directory() {
      if (directory != null) {
        return directory;
      }
      return Cambium.find(Path.of(""))
          .orElseThrow(
              () ->
                  usage(
                      "neither this directory nor one above it is an ecosystem; name one with"
                          + " --dir, or make one with cambium init"));
    }
  }

  /** A command on an ecosystem. */
  abstract static class OnEcosystem extends AtEcosystem {

    /** Does the work; the ecosystem is closed afterwards. */
    abstract int on(Cambium cambium, Console console) throws Exception;

    @Override
    final int at(Path directory, Console console) throws Exception {
      try (Cambium cambium = open(directory)) {
        return on(cambium, console);
      }
    }

    Cambium open(Path directory) {
      return Cambium.open(directory, actor(), InstantSource.system());
    }
  }
}
