package dev.cambium.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/** Where the launcher enters. */
public final class Main {

  private Main() {}

  /** Runs one command and ends the process with its exit code; see {@link ExitCode}. */
  public static void main(String[] arguments) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    int code = run(Terminal.ofProcess(), out, err, arguments);
    out.flush();
    err.flush();
    System.exit(code);
  }

  /** Runs one command in this process. */
  /** Runs a command in this process, for somebody who has no terminal; returns its exit code. */
  public static int run(PrintWriter out, PrintWriter err, String... arguments) {
    return run(Terminal.NONE, out, err, arguments);
  }

  static int run(Terminal terminal, PrintWriter out, PrintWriter err, String... arguments) {
    return commandLine(terminal).setOut(out).setErr(err).execute(arguments);
  }

  static CommandLine commandLine(Terminal terminal) {
    CommandLine line = new CommandLine(new CambiumCommand(), new Commands(terminal));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExitCodeExceptionMapper(ExitCode::of);
    line.setExecutionExceptionHandler(new Failures());
    line.setParameterExceptionHandler(new UsageErrors());
    line.setColorScheme(
        CommandLine.Help.defaultColorScheme(
            terminal.colours() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
    line.setUsageHelpWidth(Math.max(80, Math.min(terminal.columns(), 110)));
    return line;
  }
}
