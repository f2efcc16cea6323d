package dev.cambium.cli;

import dev.cambium.engine.ModelInitializer.Shape;
import dev.cambium.engine.TrainingResult;
import dev.cambium.loop.Pretraining;
import dev.cambium.model.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium pretrain}. */
@Command(
    name = "pretrain",
    sortOptions = false,
    description = {
      "Make a foundation from text.",
      "Learns a tokenizer and all weights from nothing, or goes on from a model, and writes a model"
          + " directory to import. If it is interrupted, the same command goes on where it stopped."
          + " Needs no ecosystem."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium pretrain text.jsonl base-v1",
      "  cambium pretrain newer.jsonl base-v2 --from base-v1 --steps 200",
      "  cambium pretrain book.txt tiny --layers 2 --width 64 --steps 100"
    })
final class PretrainCommand extends Subcommand {

  @Parameters(
      index = "0",
      paramLabel = "TEXT",
      description = "Rows of text: .jsonl, .csv, or .txt with an empty line between texts.")
  private Path text = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "DIR",
      description = "The model directory to write; must not exist.")
  private Path out = Path.of("");

  @Option(
      names = "--from",
      paramLabel = "MODEL",
      description = "Go on from this model directory; the shape is then its own.")
  private @Nullable Path from;

  @Option(
      names = "--layers",
      paramLabel = "N",
      defaultValue = "4",
      description = "Layers (default: ${DEFAULT-VALUE}).")
  private int layers;

  @Option(
      names = "--width",
      paramLabel = "N",
      defaultValue = "128",
      description = "Width of the residual stream (default: ${DEFAULT-VALUE}).")
  private int width;

  @Option(
      names = "--heads",
      paramLabel = "N",
      defaultValue = "4",
      description = "Attention heads (default: ${DEFAULT-VALUE}).")
  private int heads;

  @Option(
      names = "--key-value-heads",
      paramLabel = "N",
      description = "Heads of keys and values (default: half of the heads).")
  private @Nullable Integer keyValueHeads;

  @Option(
      names = "--inner",
      paramLabel = "N",
      description = "Width of the SwiGLU unit (default: 2.75 times the width).")
  private @Nullable Integer inner;

  @Option(
      names = "--vocabulary",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Tokens at most (default: ${DEFAULT-VALUE}).")
  private int vocabulary;

  @Option(
      names = "--context",
      paramLabel = "N",
      defaultValue = "256",
      description = "The longest context in tokens (default: ${DEFAULT-VALUE}).")
  private int context;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "400",
      description = "Optimizer steps (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--batch-rows",
      paramLabel = "N",
      defaultValue = "32",
      description = "Rows per step (default: ${DEFAULT-VALUE}).")
  private int batchRows;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "The longest row; what is longer is cut (default: ${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      defaultValue = "0.003",
      description = "Its peak (default: ${DEFAULT-VALUE}).")
  private double learningRate;

  @Option(
      names = "--precision",
      paramLabel = "WHICH",
      defaultValue = "fp32",
      description = "Of matrix products: fp32, or bf16 (default: ${DEFAULT-VALUE}).")
  private String precision = "fp32";

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of weights and order (default: ${DEFAULT-VALUE}).")
  private long seed;

  private Recipe.Precision precision() {
    return switch (precision) {
      case "fp32" -> Recipe.Precision.FP32;
      case "bf16" -> Recipe.Precision.BF16;
      default -> throw usage("no precision '" + precision + "'; there are fp32 and bf16");
    };
  }

  @Override
  public Integer call() throws IOException {
    Shape shape =
        new Shape(
            layers,
            width,
            heads,
            keyValueHeads != null ? keyValueHeads : Math.max(1, heads / 2),
            inner != null ? inner : Math.max(16, Math.round(width * 2.75f / 16) * 16),
            vocabulary,
            context);
    Recipe recipe =
        new Recipe(
                Recipe.Method.FULL,
                null,
                steps,
                batchRows,
                1,
                maxTokens,
                learningRate,
                0.05,
                Recipe.Schedule.COSINE,
                0.01,
                1.0,
                0)
            .withPrecision(precision());
    try (Console console = console()) {
      TrainingResult result =
          Pretraining.run(text, from, shape, recipe, seed, out, console.progress());
      Path written = out.toAbsolutePath().normalize();
      if (console.json()) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("directory", written.toString());
        told.put("training", result);
        console.json(told);
        return ExitCode.DONE;
      }
      console.line(
          "%s",
          String.format(
              Locale.ROOT,
              "%,d weights, %,d tokens in %s, last loss %.3f",
              result.parameters(),
              result.tokens(),
              Texts.seconds(result.seconds()),
              result.finalLoss()));
      if (result.truncatedRows() > 0) {
        console.line(
            "%s longer than %d tokens were cut.",
            Texts.count(result.truncatedRows(), "row"), maxTokens);
      }
      console.line("cambium import %s --as base --tier foundation brings it in.", written);
      return ExitCode.DONE;
    }
  }
}
