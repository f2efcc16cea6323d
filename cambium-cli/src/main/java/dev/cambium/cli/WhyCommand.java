package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.Target;
import dev.cambium.loop.explain.WhyNode;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code cambium why}. */
@Command(
    name = "why",
    description = {
      "Explain where a version comes from and why it was released.",
      "What it was made from, by what action, from which data, what judged it, and who moved which"
          + " channel to it. Every line names the ledger record that says so."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  cambium why banking@3", "  cambium why card-desk --json"})
final class WhyCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "LINE[@N|@CHANNEL]",
      converter = Words.TargetWord.class,
      description = "The version.")
  private @Nullable Target target;

  @Override
  int on(Cambium cambium, Console console) {
    WhyNode why = cambium.why(cambium.resolve(Objects.requireNonNull(target)));
    if (console.json()) {
      console.json(why);
    } else {
      tree(why, "", "", console);
    }
    return ExitCode.DONE;
  }

  private static void tree(WhyNode node, String first, String rest, Console console) {
    console.line(
        "%s%s %s%s%s",
        first,
        console.tone(Console.Tone.QUIET, node.kind()),
        console.tone(Console.Tone.STRONG, node.label()),
        node.detail() == null ? "" : ": " + node.detail(),
        node.record() == null
            ? ""
            : console.tone(Console.Tone.QUIET, "  [record " + node.record() + "]"));
    List<WhyNode> because = node.because();
    for (int i = 0; i < because.size(); i++) {
      boolean last = i == because.size() - 1;
      tree(because.get(i), rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "), console);
    }
  }
}
