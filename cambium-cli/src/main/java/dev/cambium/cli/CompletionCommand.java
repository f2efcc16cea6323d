package dev.cambium.cli;

import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code cambium completion}. */
@Command(
    name = "completion",
    description = "Write a script that completes commands and options in bash and zsh.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium completion > ~/.cambium-completion      then source that file in ~/.bashrc",
      "  source <(cambium completion)                    for this shell only"
    })
final class CompletionCommand extends Subcommand {

  @Override
  public Integer call() {
    CommandLine root = spec.commandLine();
    while (root.getParent() != null) {
      root = root.getParent();
    }
    root.getOut().print(AutoComplete.bash("cambium", root));
    root.getOut().flush();
    return ExitCode.DONE;
  }
}
