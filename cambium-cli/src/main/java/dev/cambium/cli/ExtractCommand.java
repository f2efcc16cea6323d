package dev.cambium.cli;

import dev.cambium.engine.transfer.Extraction;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium extract}. */
@Command(
    name = "extract",
    description = "Take a low-rank adapter (PEFT) out of a model that was tuned as a whole.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium extract tuned --base base --rank 16 --out adapter",
      "  cambium extract tuned --base base --energy 0.95 --out adapter"
    })
final class ExtractCommand extends Subcommand {

  /** How large the adapter is. */
  static final class Size {
    @Option(names = "--rank", paramLabel = "R", description = "The rank of every update.")
    private @Nullable Integer rank;

    @Option(
        names = "--energy",
        paramLabel = "X",
        description =
            "The least rank of each module that keeps this share of its squared change, such as"
                + " 0.95.")
    private @Nullable Double energy;
  }

  @Parameters(paramLabel = "TUNED", description = "The tuned model's directory.")
  private Path tuned = Path.of("");

  @Option(
      names = "--base",
      required = true,
      paramLabel = "MODEL",
      description = "What it was tuned from.")
  private Path base = Path.of("");

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "The adapter's directory to write; must not exist.")
  private Path out = Path.of("");

  @ArgGroup(multiplicity = "1")
  private Size size = new Size();

  @Override
  public Integer call() {
    Extraction extraction = extraction();
    try (Console console = console()) {
      Extraction.Report report = extraction.adapter(tuned, base, out, console.progress());
      Path written = out.toAbsolutePath().normalize();
      if (console.json()) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("directory", written.toString());
        told.put("energy", report.energy());
        told.put("logits", report.kept());
        told.put("modules", report.modules());
        told.put("whole", report.whole());
        console.json(told);
        return ExitCode.DONE;
      }
      List<List<String>> rows = new ArrayList<>();
      rows.add(List.of("module", "rank", "energy kept", "size of change"));
      for (Extraction.Module module : report.modules()) {
        rows.add(
            List.of(
                module.name(),
                Integer.toString(module.rank()),
                String.format(Locale.ROOT, "%.4f", module.energy()),
                String.format(Locale.ROOT, "%.3g", module.norm())));
      }
      console.table(rows);
      if (!report.whole().isEmpty()) {
        console.line("Stored whole, since an update of low rank cannot hold them:");
        report.whole().forEach(weight -> console.line("  %s", weight));
      }
      console.line(
          "%s of the squared change of projections and %s of the change of logits kept.",
          Texts.share(report.energy()), Texts.share(report.kept()));
      console.line(
          "Written to %s. Loaded again on the base, it gives the logits that were computed.",
          written);
      return ExitCode.DONE;
    }
  }

  private Extraction extraction() {
    try {
      return size.rank != null
          ? Extraction.ofRank(size.rank)
          : Extraction.ofEnergy(java.util.Objects.requireNonNull(size.energy));
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }
}
