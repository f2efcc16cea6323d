package dev.cambium.cli;

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
import picocli.CommandLine.Parameters;

/** {@code cambium export}. */
@Command(
    name = "export",
    description = "Write a version's files, unchanged, to a directory that is absent or empty.",
    footerHeading = "%nExamples:%n",
    footer = {"  cambium export banking ~/models/banking", "  cambium export card-router@3 out"})
final class ExportCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "LINE[@N|@CHANNEL]",
      converter = Words.TargetWord.class,
      description = "The version.")
  private @Nullable Target target;

  @Parameters(index = "1", paramLabel = "DIR", description = "Where to.")
  private Path directory = Path.of("");

  @Override
  int on(Cambium cambium, Console console) {
    VersionRef version = cambium.resolve(Objects.requireNonNull(target));
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
}
