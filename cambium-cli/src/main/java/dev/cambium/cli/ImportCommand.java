package dev.cambium.cli;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.hub.Hub;
import dev.cambium.artifact.hub.HubAddress;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.loop.Cambium;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium import}. */
@Command(
    name = "import",
    description = {
      "Bring in a model that you have, as the next version of a line.",
      "The line must be declared in ecosystem.yaml. The version becomes a candidate; it is stable"
          + " once its contract's gate has passed it (cambium run, or cambium release promote)."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium import ~/models/base-v1 --as base --tier foundation",
      "  cambium import ~/out/cards --as cards --tier industrial --parent base@1",
      "  cambium import ~/out/router-lora --as card-router --tier application-model --parent"
          + " cards@2",
      "  cambium import hf://HuggingFaceTB/SmolLM2-135M-Instruct --as base --tier foundation"
    })
final class ImportCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "DIR|hf://OWNER/NAME[@REVISION]",
      description =
          "A Hugging Face model directory, or a PEFT adapter directory. cambium inspect DIR says"
              + " beforehand whether it would be accepted. With hf:// it is fetched from a hub:"
              + " huggingface.co, or what HF_ENDPOINT names, with the token in HF_TOKEN, if any. A"
              + " fetch that was interrupted goes on.")
  private String source = "";

  @Option(names = "--as", required = true, paramLabel = "LINE", description = "The line.")
  private String line = "";

  @Option(
      names = "--tier",
      required = true,
      paramLabel = "TIER",
      converter = Words.TierWord.class,
      completionCandidates = Words.Tiers.class,
      description = "Its tier: ${COMPLETION-CANDIDATES}.")
  private Tier tier = Tier.FOUNDATION;

  @Option(
      names = "--parent",
      paramLabel = "LINE@N",
      converter = Words.VersionWord.class,
      description = "The version that it was made from; needed below a foundation.")
  private @Nullable VersionRef parent;

  @Option(names = "--note", paramLabel = "TEXT", description = "Where it comes from, for people.")
  private @Nullable String note;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    List<Problem> warnings = new ArrayList<>();
    VersionRef made =
        HubAddress.isOne(source)
            ? fetched(cambium, warnings, console)
            : local(cambium, warnings, Path.of(source));
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("version", made);
      told.put("digest", cambium.version(made).manifest());
      told.put("size", cambium.manifest(made).size());
      told.put("warnings", warnings);
      console.json(told);
    } else {
      for (Problem warning : warnings) {
        console.line("%s %s", console.tone(Console.Tone.DOUBTFUL, "warning"), warning.line());
      }
      console.line(
          "%s, %s, digest %s",
          console.tone(Console.Tone.STRONG, made.toString()),
          Texts.bytes(cambium.manifest(made).size()),
          cambium.version(made).manifest().brief());
      console.line(
          "It is a candidate. cambium signal upstream %s, then cambium run, judges it", made);
      console.line(
          "and passes it on to the lines below; cambium release promote %s only judges it.", made);
    }
    return ExitCode.DONE;
  }

  private VersionRef local(Cambium cambium, List<Problem> warnings, Path directory) {
    String remark = note == null ? "imported from " + directory.toAbsolutePath().normalize() : note;
    return cambium.importVersion(directory, line, tier, parent, remark, warnings::add);
  }

  /** The commit is part of the record, whatever else is noted. */
  private VersionRef fetched(Cambium cambium, List<Problem> warnings, Console console)
      throws IOException {
    HubAddress address = HubAddress.parse(source);
    cambium.checkLine(line, tier, parent); // before much is fetched
    Path downloads = cambium.directory().resolve(Cambium.DOWNLOADS);
    Hub.Fetched files = Hub.of(System.getenv()).fetch(address, downloads, console.progress());
    String remark = note == null ? files.origin() : note + "; " + files.origin();
    VersionRef made =
        cambium.importVersion(files.directory(), line, tier, parent, remark, warnings::add);
    DirectoryTree.delete(Objects.requireNonNull(files.directory().getParent()));
    return made;
  }
}
