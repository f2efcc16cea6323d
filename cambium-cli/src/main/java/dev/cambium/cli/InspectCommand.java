package dev.cambium.cli;

import dev.cambium.artifact.huggingface.Inspection;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.engine.text.TextInspection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium inspect}. */
@Command(
    name = "inspect",
    description = {
      "Show what is in a model, and whether it would be accepted.",
      "Looks at a safetensors file, a PEFT adapter directory or a model directory. Needs no ecosystem. Exit code 2 if it would be refused."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium inspect ~/models/base-v1",
      "  cambium inspect adapter_model.safetensors --tensors",
      "  cambium inspect ~/models/base-v1 --json | jq .accepted"
    })
final class InspectCommand extends Subcommand {

  @Parameters(index = "0", paramLabel = "FILE|DIR", description = "What to look at.")
  private Path path = Path.of("");

  @Option(names = "--tensors", description = "List every tensor.")
  private boolean tensors;

  @Override
  public Integer call() {
    if (!Files.exists(path)) {
      throw usage(path + ": no such file or directory");
    }
    Inspection found = Inspection.of(path);
    if (found.kind() == Inspection.Kind.MODEL && found.accepted()) {
      found = found.with(TextInspection.of(path));
    }
    int code = found.accepted() ? ExitCode.DONE : ExitCode.USAGE;
    try (Console console = console()) {
      if (console.json()) {
        console.json(found);
        return code;
      }
      write(found, console);
    }
    return code;
  }

  private void write(Inspection found, Console console) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            console.tone(Console.Tone.STRONG, found.location()),
            found.kind().name().toLowerCase(Locale.ROOT)));
    if (!found.architecture().isEmpty()) {
      rows.add(List.of("  architecture", found.architecture()));
    }
    rows.add(
        List.of(
            "  parameters",
            String.format(
                Locale.ROOT, "%,d in %d tensors", found.parameters(), found.tensors().size())));
    rows.add(
        List.of(
            "  types", found.dtypes().stream().map(Enum::name).collect(Collectors.joining(", "))));
    rows.add(List.of("  size", Texts.bytes(found.size())));
    found.facts().forEach((name, value) -> rows.add(List.of("  " + name, value)));
    console.table(rows);
    console.line("");
    List<List<String>> files = new ArrayList<>();
    files.add(List.of("FILE", "SIZE"));
    found.files().forEach(f -> files.add(List.of(f.name(), Texts.bytes(f.size()))));
    console.table(files);
    if (!found.ignored().isEmpty()) {
      console.line("%s", "not read: " + String.join(", ", found.ignored()));
    }
    if (tensors) {
      console.line("");
      List<List<String>> list = new ArrayList<>();
      list.add(List.of("TENSOR", "TYPE", "SHAPE", "FILE"));
      found
          .tensors()
          .forEach(
              t -> list.add(List.of(t.name(), t.dtype().name(), t.shape().toString(), t.file())));
      console.table(list);
    }
    console.line("");
    for (Problem problem : found.problems()) {
      boolean refused = problem.severity() == Problem.Severity.REFUSED;
      console.line(
          "%s %s",
          console.tone(
              refused ? Console.Tone.BAD : Console.Tone.DOUBTFUL, refused ? "refused" : "warning"),
          problem.line());
    }
    console.line(
        found.accepted()
            ? console.tone(Console.Tone.GOOD, "It would be accepted.")
            : console.tone(Console.Tone.BAD, "It would be refused."));
  }
}
