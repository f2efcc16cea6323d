package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.report.FleetGraph;
import dev.cambium.report.fleet.FleetViews;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code cambium graph}. */
@Command(
    name = "graph",
    description = "Show what is built on what, as text or as a picture.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium graph",
      "  cambium graph --html fleet.html",
      "  cambium graph --svg fleet.svg"
    })
final class GraphCommand extends Subcommand.OnEcosystem {

  /** A picture is one or the other. */
  static final class Picture {
    @Option(names = "--svg", paramLabel = "FILE", description = "Draw it as an SVG picture.")
    private @Nullable Path svg;

    @Option(names = "--html", paramLabel = "FILE", description = "Draw it on a page of its own.")
    private @Nullable Path html;
  }

  @ArgGroup private @Nullable Picture picture;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    Fleet fleet = Fleet.of(cambium);
    if (picture != null) {
      FleetGraph graph = new FleetViews(cambium).now(fleet.name());
      Path file =
          picture.svg != null ? picture.svg : java.util.Objects.requireNonNull(picture.html);
      Files.writeString(file, picture.svg != null ? graph.svg() : graph.html());
      if (console.json()) {
        console.json(Map.of("file", file.toAbsolutePath().toString()));
      } else {
        console.line("Written to %s.", file.toAbsolutePath());
      }
      return ExitCode.DONE;
    }
    if (console.json()) {
      List<Map<String, Object>> nodes = new ArrayList<>();
      for (Fleet.Standing line : fleet.lines()) {
        Map<String, Object> node = new LinkedHashMap<>();
        node.put("line", line.line());
        node.put("tier", line.tier());
        node.put("parent", line.parent());
        if (!line.mergedFrom().isEmpty()) {
          node.put("merged-from", line.mergedFrom());
        }
        node.put("stable", line.stable());
        node.put("built-on", line.builtOn());
        nodes.add(node);
      }
      console.json(Map.of("name", fleet.name(), "lines", nodes));
      return ExitCode.DONE;
    }
    fleet.roots().forEach(root -> tree(fleet, root, "", "", console));
    return ExitCode.DONE;
  }

  private static void tree(
      Fleet fleet, Fleet.Standing line, String first, String rest, Console console) {
    console.line(
        "%s%s%s",
        first,
        line.stable() == null
            ? line.line() + console.tone(Console.Tone.QUIET, " (nothing released)")
            : console.tone(Console.Tone.STRONG, line.stable().toString()),
        console.tone(
            Console.Tone.QUIET,
            "  "
                + line.tier().label()
                + (line.mergedFrom().isEmpty()
                    ? ""
                    : ", merged from " + String.join(", ", line.mergedFrom()))
                + (line.score() == null ? "" : ", score " + Texts.share(line.score()))
                + (line.behind() ? ", built on " + line.builtOn() : "")));
    List<Fleet.Standing> children = fleet.children(line.line());
    for (int i = 0; i < children.size(); i++) {
      boolean last = i == children.size() - 1;
      tree(
          fleet,
          children.get(i),
          rest + (last ? "└─ " : "├─ "),
          rest + (last ? "   " : "│  "),
          console);
    }
  }
}
