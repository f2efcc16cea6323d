package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.Problem;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium init}. */
@Command(
    name = "init",
    description = {
      "Make an ecosystem in a directory.",
      "Takes the ecosystem.yaml that is there, or writes one to start from, with a small suite."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium init                  in the working directory",
      "  cambium init my-fleet         in a new one",
      "  cambium init --name cards     under another name than the directory's"
    })
final class InitCommand extends Subcommand {

  private static final String SUITE = "suites/language.jsonl";

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "DIR",
      description = "Where (default: the working directory, or --dir).")
  private @Nullable Path target;

  @Option(
      names = {"-d", "--dir"},
      paramLabel = "DIR",
      description = "The same as DIR.")
  private @Nullable Path directory;

  @Option(names = "--name", paramLabel = "NAME", description = "The ecosystem's name.")
  private @Nullable String name;

  @Override
  public Integer call() throws IOException {
    if (target != null && directory != null) {
      throw usage("name the directory once, as an argument or with --dir");
    }
    Path root =
        (target != null ? target : directory != null ? directory : Path.of(""))
            .toAbsolutePath()
            .normalize();
    Path file = root.resolve(Declaration.FILE);
    boolean own = Files.exists(file);
    String yaml;
    if (own) {
      if (name != null) {
        throw usage(file + " names the ecosystem already; leave --name out, or change it there");
      }
      yaml = Files.readString(file);
    } else {
      yaml = template("ecosystem.yaml").replace("NAME", name(root));
      Path suite = root.resolve(SUITE);
      if (!Files.exists(suite)) {
        Files.createDirectories(suite.getParent());
        Files.writeString(suite, template("language.jsonl"));
      }
    }
    try (Cambium cambium = Cambium.create(root, yaml, actor(), InstantSource.system());
        Console console = console()) {
      Logs.to(root);
      Declaration declaration = cambium.declare();
      if (console.json()) {
        console.json(
            Map.of(
                "name",
                declaration.name(),
                "directory",
                root.toString(),
                "lines",
                declaration.lines().keySet(),
                "warnings",
                declaration.warnings().stream().map(Problem::toString).toList()));
        return ExitCode.DONE;
      }
      declaration.warnings().forEach(w -> console.remark("warning: " + w));
      console.line("Ecosystem %s is in %s.", declaration.name(), root);
      List<String> next =
          own
              ? List.of("cambium import DIR --as LINE --tier TIER", "cambium status")
              : List.of(
                  "edit " + file,
                  "cambium pretrain TEXT DIR, or take a model that you have",
                  "cambium import DIR --as base --tier foundation",
                  "cambium status");
      console.line("Next:");
      next.forEach(step -> console.line("%s", "  " + step));
      return ExitCode.DONE;
    }
  }

  private String name(Path root) {
    if (name != null) {
      try {
        return VersionRef.checkLine(name);
      } catch (IllegalArgumentException e) {
        throw usage(
            "'" + name + "' is no name: lower-case letters, digits, '.', '_' and '-', at most 63");
      }
    }
    String folder = String.valueOf(root.getFileName()).toLowerCase(Locale.ROOT);
    String cleaned = folder.replaceAll("[^a-z0-9._-]+", "-").replaceAll("^[^a-z0-9]+", "");
    return cleaned.isEmpty() ? "ecosystem" : cleaned.substring(0, Math.min(63, cleaned.length()));
  }

  private static String template(String resource) throws IOException {
    try (InputStream in =
        InitCommand.class.getResourceAsStream("/dev/cambium/cli/init/" + resource)) {
      if (in == null) {
        throw new AssertionError("packaged with this class: " + resource);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
