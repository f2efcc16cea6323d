package dev.cambium.cli;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.gguf.GgufExport;
import dev.cambium.artifact.gguf.Quantization;
import dev.cambium.engine.Engine;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Target;
import dev.cambium.model.Manifest;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.io.IOException;
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
      "With --merged, an adapter is written as the whole model that it and its parent make.",
      "With --format gguf, a whole model becomes one file for llama.cpp and what is built on it, with"
          + " tokenizer and chat template; what the format cannot say is refused by name."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium export banking ~/models/banking",
      "  cambium export card-router@3 out",
      "  cambium export card-router@3 out --merged",
      "  cambium export card-router@3 out --merged --format gguf --quantization q8_0"
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

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = Words.FormatWord.class,
      completionCandidates = Words.Formats.class,
      description =
          "hf, files for transformers, PEFT and vLLM, or gguf, one file. Default: ${DEFAULT-VALUE}.")
  private String format = Words.HUGGING_FACE;

  @Option(
      names = "--quantization",
      paramLabel = "TYPE",
      converter = Words.QuantizationWord.class,
      completionCandidates = Words.Quantizations.class,
      description =
          "How gguf stores matrices: f16 (if nothing is said), or q8_0, half as large, with 8 bits"
              + " a weight in blocks of 32.")
  private @Nullable Quantization quantization;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    VersionRef version = cambium.resolve(Objects.requireNonNull(target));
    boolean gguf = format.equals(Words.GGUF);
    if (quantization != null && !gguf) {
      throw new IllegalArgumentException("--quantization goes with --format gguf");
    }
    if (gguf) {
      return gguf(cambium, version, console);
    }
    if (merged) {
      merge(cambium, version, directory);
      String where = directory.toAbsolutePath().normalize().toString();
      if (console.json()) {
        console.json(Map.of("version", version, "directory", where, "merged", true));
      } else {
        console.line("%s, with the model that it is on: a whole model in %s", version, where);
      }
      return ExitCode.DONE;
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

  private void merge(Cambium cambium, VersionRef version, Path to) {
    Cambium.Runnable files = cambium.runnable(version);
    if (files.adapter() == null) {
      throw new IllegalArgumentException(
          version + " is a whole model, not an adapter; leave --merged out");
    }
    requireEmpty();
    Engine.open().merge(files.model(), files.adapter(), to);
  }

  private void requireEmpty() {
    String[] there = directory.toFile().list();
    if (there != null && there.length > 0) {
      throw new IllegalArgumentException(directory + " is not empty");
    }
  }

  private int gguf(Cambium cambium, VersionRef version, Console console) throws IOException {
    Quantization type = quantization == null ? Quantization.F16 : quantization;
    String name = version.line() + "-" + version.number();
    Path file = directory.resolve(name + "-" + Words.of(type) + ".gguf");
    requireEmpty();
    GgufExport.Written written;
    if (merged) {
      Path whole = directory.resolve(".merged");
      try {
        merge(cambium, version, whole);
        written = GgufExport.write(whole, file, name, type);
      } finally {
        DirectoryTree.delete(whole);
      }
    } else {
      Cambium.Runnable files = cambium.runnable(version);
      if (files.adapter() != null) {
        throw new IllegalArgumentException(
            version + " is an adapter, a gguf file a whole model: add --merged");
      }
      written = GgufExport.write(files.model(), file, name, type);
    }
    String where = file.toAbsolutePath().normalize().toString();
    if (console.json()) {
      console.json(
          Map.of(
              "version", version, "file", where, "size", written.size(), "notes", written.notes()));
    } else {
      console.line("%s: %s in %s", version, Texts.bytes(written.size()), where);
      written
          .notes()
          .forEach(
              note -> console.line("%s %s", console.tone(Console.Tone.DOUBTFUL, "note"), note));
    }
    return ExitCode.DONE;
  }
}
