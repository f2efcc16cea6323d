package dev.cambium.cli;

import dev.cambium.model.Json;
import java.nio.file.FileSystemException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Tells a person what went wrong; the particulars of what was not foreseen go to the log. */
final class Failures implements IExecutionExceptionHandler {

  private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

  @Override
  public int handleExecutionException(Exception failure, CommandLine line, ParseResult result)
      throws Exception {
    int code = ExitCode.of(failure);
    String message = message(failure);
    if (json(result)) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("error", message);
      told.put("exit-code", code);
      line.getOut().println(Json.mapper().writeValueAsString(told));
    }
    line.getErr().println(line.getColorScheme().errorText("cambium: ") + Texts.harmless(message));
    if (code == ExitCode.OTHER) {
      LOG.info("{} failed", line.getCommandName(), failure); // the console has the message already
      Logs.file().ifPresent(file -> line.getErr().println("cambium: more about it in " + file));
    }
    return code;
  }

  private static boolean json(ParseResult result) {
    for (ParseResult at = result; at != null; at = at.hasSubcommand() ? at.subcommand() : null) {
      if (at.hasMatchedOption("--json")) {
        return true;
      }
    }
    return false;
  }

  private static String message(Exception failure) {
    if (failure.getCause() instanceof FileSystemException file) {
      return failure.getMessage() == null || failure.getMessage().isBlank()
          ? file.toString()
          : failure.getMessage()
              + (failure.getMessage().contains(String.valueOf(file.getMessage()))
                  ? ""
                  : ": " + file.getMessage());
    }
    return failure.getMessage() == null || failure.getMessage().isBlank()
        ? failure.getClass().getSimpleName()
        : failure.getMessage();
  }
}
