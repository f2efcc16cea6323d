package dev.cambium.cli;

import dev.cambium.engine.Engine;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Target;
import dev.cambium.model.Manifest;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium export}. */
@Command(
    name = "export",
    description = {
      "Write a version's files, unchanged, to a directory that is absent or empty.",
      "With --merged, an adapter is written as the whole model that it and its parent make."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium export banking ~/models/banking",
      "  cambium export card-router@3 out",
      "  cambium export card-router@3 out --merged"
    })
final class ExportCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "LINE[@N|@CHANNEL]",
      converter = Words.TargetWord.class,
      description = "The version.")
  private @Nullable Target target;

  @Parameters(index = "1", paramLabel = "DIR", description = "Where to.")
  private Path directory = Path.of("");

  @Option(
      names = "--merged",
      description = "Add an adapter's update to its parent's weights, and write the whole model.")
  private boolean merged;

  @Override
  int on(Cambium cambium, Console console) {
    VersionRef version = cambium.resolve(Objects.requireNonNull(target));
    if (merged) {
      return merge(cambium, version, console);
    }
    Manifest manifest = cambium.export(version, directory);
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("version", version);
      told.put("directory", directory.toAbsolutePath().normalize().toString());
      told.put("files", manifest.files());
      console.json(told);
      return ExitCode.DONE;
    }
    console.line(
        "%s: %s, %s, in %s",
        version,
        Texts.count(manifest.files().size(), "file"),
        Texts.bytes(manifest.size()),
        directory.toAbsolutePath().normalize());
    if (manifest.kind() != VersionKind.MODEL) {
      console.line("It is complete only with %s.", cambium.version(version).parent());
    }
    return ExitCode.DONE;
  }

  private int merge(Cambium cambium, VersionRef version, Console console) {
    Cambium.Runnable files = cambium.runnable(version);
    if (files.adapter() == null) {
      throw new IllegalArgumentException(
          version + " is a whole model, not an adapter; leave --merged out");
    }
    String[] there = directory.toFile().list();
    if (there != null && there.length > 0) {
      throw new IllegalArgumentException(directory + " is not empty");
    }
    Engine.open().merge(files.model(), files.adapter(), directory);
    String where = directory.toAbsolutePath().normalize().toString();
    if (console.json()) {
      console.json(Map.of("version", version, "directory", where, "merged", true));
    } else {
      console.line("%s, with the model that it is on: a whole model in %s", version, where);
    }
    return ExitCode.DONE;
  }
}
