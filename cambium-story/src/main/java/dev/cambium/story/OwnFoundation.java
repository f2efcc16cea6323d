package dev.cambium.story;

import dev.cambium.artifact.huggingface.Inspection;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.engine.text.RowEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A model that a user brings to the demo.
 *
 * @param directory a Hugging Face directory
 * @param parameters its weights
 */
record OwnFoundation(Path directory, long parameters) {

  /**
   * For 135 million weights on two cores, in minutes: 51 were measured while other programs took
   * part of the cores. The quick one is a guess from it.
   */
  private static final double FULL_MINUTES = 45;

  private static final double QUICK_MINUTES = 18;
  private static final double MEASURED_FOR_PARAMETERS = 135e6;
  private static final double MEASURED_FOR_CORES = 2;

  /** Bytes a weight while all of them are trained: itself, its gradient, two moments, and slack. */
  private static final int TRAINING_BYTES = 20;

  /**
   * Looks at a model.
   *
   * @throws IllegalArgumentException naming every reason why it cannot be the demo's foundation
   */
  static OwnFoundation of(Path directory) throws IOException {
    Path path = directory.toAbsolutePath().normalize();
    Inspection inspection = Inspection.of(path);
    if (!inspection.accepted() || inspection.kind() != Inspection.Kind.MODEL) {
      throw new IllegalArgumentException(
          path
              + " cannot be a foundation:\n  "
              + inspection.problems().stream()
                  .map(Problem::line)
                  .collect(Collectors.joining("\n  ")));
    }
    try (RowEncoder encoder = RowEncoder.load(path)) {
      if (!encoder.hasTemplate()) {
        throw new IllegalArgumentException(
            path
                + " has no chat template, and the bank's questions are conversations: take an"
                + " instruction-tuned model, or put a chat_template into its"
                + " tokenizer_config.json");
      }
    }
    return new OwnFoundation(path, inspection.parameters());
  }

  /** What the ledger says about where it came from. */
  String note() {
    return "imported from " + directory;
  }

  /** What it will take, before anything is begun. */
  String announcement(boolean quick) {
    int cores = Runtime.getRuntime().availableProcessors();
    double minutes =
        (quick ? QUICK_MINUTES : FULL_MINUTES)
            * (parameters / MEASURED_FOR_PARAMETERS)
            * (MEASURED_FOR_CORES / cores);
    return String.format(
        Locale.ROOT,
        "The foundation is %s, %.0f million weights: roughly %s on %d cores, up to %.1f GB of memory",
        directory,
        parameters / 1e6,
        minutes < 90
            ? String.format(Locale.ROOT, "%.0f minutes", Math.max(1, minutes))
            : String.format(Locale.ROOT, "%.1f hours", minutes / 60),
        cores,
        1 + (double) parameters * TRAINING_BYTES / 1e9);
  }
}
