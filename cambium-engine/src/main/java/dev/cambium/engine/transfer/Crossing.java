package dev.cambium.engine.transfer;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.engine.text.TokenMap;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Measures the loss on the straight line between two bases (linear mode connectivity; Frankle et
 * al., 2020). Where it stays low, both lie in one basin, and a change made to the one has a chance
 * on the other; a barrier between them says that it has little.
 */
public final class Crossing {

  /** Points on the line, both ends among them. */
  private static final int POINTS = 5;

  /** Enough for differences between points, which read the same tokens. */
  private static final int TOKENS = 512;

  private static final int LONGEST_ROW = 128;

  private Crossing() {}

  /**
   * Measures.
   *
   * @param oldBase Hugging Face directory
   * @param newBase Hugging Face directory of a model of the same shapes with the same tokens, in
   *     any order
   * @param text rows; conversations as the new base's template writes them, every token counts
   * @throws IllegalArgumentException if the two have no straight line between them, or there is no
   *     text to read
   */
  public static CrossingReport measure(
      Path oldBase, Path newBase, List<Row> text, Progress progress) {
    TokenMap tokens = TokenMap.between(oldBase, newBase);
    if (!tokens.sameTokens()) {
      throw new IllegalArgumentException(
          "no straight line between " + oldBase + " and " + newBase + ": they have other tokens");
    }
    int[][] rows = rows(newBase, text);
    int[] from = new int[rows.length];
    Arrays.fill(from, 1);
    int count = Arrays.stream(rows).mapToInt(row -> row.length - 1).sum();
    List<Double> losses = new ArrayList<>();
    try (Decoder old = Decoder.load(oldBase);
        Decoder now = Decoder.load(newBase)) {
      if (!old.shapes().equals(now.shapes())) {
        throw new IllegalArgumentException(
            "no straight line between " + oldBase + " and " + newBase + ": other shapes");
      }
      try (Decoder between = now.copy()) {
        for (int point = 0; point < POINTS; point++) {
          double share = (double) point / (POINTS - 1);
          for (String name : now.shapes().keySet()) {
            between.write(name, mixed(name, old, now, tokens, share));
          }
          double sum = 0;
          for (float[] row : between.logProbabilities(rows, from)) {
            for (float value : row) {
              sum -= value;
            }
          }
          losses.add(sum / count);
          progress.at("crossing", point + 1, POINTS, "");
        }
      }
    }
    return new CrossingReport(losses, count);
  }

  private static float[] mixed(
      String name, Decoder old, Decoder now, TokenMap tokens, double share) {
    float[] values = now.read(name);
    float[] before = old.read(name);
    boolean byToken =
        !tokens.isIdentity()
            && (name.equals(DecoderConfig.EMBEDDING) || name.equals(DecoderConfig.HEAD));
    int width = byToken ? now.config().hiddenSize() : 1;
    for (int i = 0; i < values.length; i++) {
      int row = byToken ? tokens.source(i / width) : i;
      int place = byToken ? (row < 0 ? i : row * width + i % width) : i;
      values[i] = (float) ((1 - share) * before[place] + share * values[i]);
    }
    return values;
  }

  private static int[][] rows(Path model, List<Row> text) {
    int longest = Math.min(LONGEST_ROW, DecoderConfig.read(model).contextLength());
    List<int[]> rows = new ArrayList<>();
    int tokens = 0;
    try (RowEncoder encoder = RowEncoder.load(model)) {
      for (Row row : text) {
        int[] ids;
        try {
          ids = encoder.row(row, longest).ids();
        } catch (TemplateException | IllegalArgumentException e) {
          continue; // not for this template
        }
        if (ids.length > 1) {
          rows.add(ids);
          tokens += ids.length - 1;
        }
        if (tokens >= TOKENS) {
          break;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    if (rows.isEmpty()) {
      throw new IllegalArgumentException("no text that " + model + " can read");
    }
    return rows.toArray(int[][]::new);
  }
}
