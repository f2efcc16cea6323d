package dev.cambium.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** One line about what is wrong with the arguments, and where the help is. */
final class UsageErrors implements IParameterExceptionHandler {

  @Override
  public int handleParseException(ParameterException failure, String[] arguments) {
    CommandLine line = failure.getCommandLine();
    line.getErr().println(line.getColorScheme().errorText("cambium: ") + failure.getMessage());
    if (failure instanceof UnmatchedArgumentException unmatched) {
      List<String> near = unmatched.getSuggestions();
      if (!near.isEmpty()) {
        line.getErr().println("cambium: did you mean " + String.join(" or ", near) + "?");
      }
    }
    line.getErr().println(line.getCommandSpec().qualifiedName() + " --help shows how it is used");
    return ExitCode.USAGE;
  }
}
