package dev.cambium.cli;

import dev.cambium.engine.transfer.Merge;
import dev.cambium.model.MergeMethod;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium merge}. */
@Command(
    name = "merge",
    description =
        "Merge model directories of one shape and one tokenizer, of any size, into a new one.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium merge linear cards payments --out both --weights 0.7,0.3",
      "  cambium merge slerp old new --out between --share 0.5",
      "  cambium merge ties cards payments --base base-v1 --out both --density 0.2",
      "  cambium merge dare cards payments --base base-v1 --out both --density 0.5 --seed 1",
      "  cambium merge regmean cards payments --text cards.jsonl,payments.jsonl --out both"
    })
final class MergeCommand extends Subcommand {

  private enum Method {
    linear,
    slerp,
    task,
    ties,
    dare,
    regmean
  }

  @Parameters(
      index = "0",
      paramLabel = "METHOD",
      description =
          "linear (weighted mean), slerp (along the arc between two), task (base plus weighted"
              + " changes), ties (trim, elect sign, merge), dare (drop and rescale), regmean"
              + " (least squares on what goes into layers).")
  private Method method = Method.linear;

  @Parameters(index = "1..*", arity = "1..*", paramLabel = "MODEL", description = "The models.")
  private List<Path> models = List.of();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "The model directory to write; must not exist.")
  private Path out = Path.of("");

  @Option(
      names = "--base",
      paramLabel = "MODEL",
      description = "What all were made from; for task, ties and dare.")
  private @Nullable Path base;

  @Option(
      names = "--weights",
      split = ",",
      paramLabel = "X",
      description = "One for each model (default: 1 each).")
  private List<Double> weights = List.of();

  @Option(
      names = "--share",
      paramLabel = "X",
      defaultValue = "0.5",
      description = "slerp: 0 is the first model, 1 the second (default: ${DEFAULT-VALUE}).")
  private double share;

  @Option(
      names = "--density",
      paramLabel = "X",
      defaultValue = "0.5",
      description =
          "ties, dare: share of each change's elements that is kept (default: ${DEFAULT-VALUE}).")
  private double density;

  @Option(
      names = "--scale",
      paramLabel = "X",
      defaultValue = "1",
      description = "ties: of the merged change (default: ${DEFAULT-VALUE}).")
  private double scale;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "dare: of what is dropped (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--text",
      split = ",",
      paramLabel = "FILE",
      description =
          "regmean: rows that each model was made for; one file for each, or one for all.")
  private List<Path> texts = List.of();

  @Option(
      names = "--off-diagonal",
      paramLabel = "X",
      defaultValue = "" + MergeMethod.RegMean.DEFAULT_OFF_DIAGONAL,
      description =
          "regmean: factor of what two inputs have in common, 0 to 1 (default:"
              + " ${DEFAULT-VALUE}).")
  private double offDiagonal;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "" + MergeMethod.RegMean.DEFAULT_TOKENS,
      description = "regmean: of each model's text, at most (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--no-reload",
      description =
          "Keep the result without loading it again and comparing its logits; for models larger"
              + " than memory.")
  private boolean unchecked;

  @Override
  public Integer call() {
    MergeMethod chosen = method();
    try (Console console = console()) {
      Merge.by(chosen)
          .base(base)
          .texts(textsOfEach())
          .reloaded(!unchecked)
          .progress(console.progress())
          .into(out, models);
      Path written = out.toAbsolutePath().normalize();
      if (console.json()) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("directory", written.toString());
        told.put("method", method.name());
        told.put("reloaded", !unchecked);
        console.json(told);
      } else {
        console.line("%s merged into %s", Texts.count(models.size(), "model"), written);
        console.line(
            unchecked
                ? "It was not loaded again, so nobody knows yet whether it runs."
                : "Loaded again, it gives the logits of what was merged.");
      }
      return ExitCode.DONE;
    }
  }

  private List<List<Path>> textsOfEach() {
    if (texts.size() == 1) {
      return Collections.nCopies(models.size(), texts);
    }
    return texts.stream().map(List::of).toList();
  }

  private MergeMethod method() {
    List<Double> each = weights.isEmpty() ? Collections.nCopies(models.size(), 1.0) : weights;
    try {
      return switch (method) {
        case linear -> new MergeMethod.Linear(each);
        case slerp -> new MergeMethod.Slerp(share);
        case task -> new MergeMethod.TaskArithmetic(each);
        case ties -> new MergeMethod.Ties(each, density, scale);
        case dare -> new MergeMethod.Dare(each, density, seed);
        case regmean -> new MergeMethod.RegMean(each, offDiagonal, tokens);
      };
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }
}
