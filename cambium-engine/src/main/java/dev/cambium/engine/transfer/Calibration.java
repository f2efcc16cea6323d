package dev.cambium.engine.transfer;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.engine.text.TokenMap;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Text on which two bases are compared, token by token: the rows that both tokenizers cut alike,
 * each as its own ids.
 *
 * @param old rows for the old base
 * @param now the same tokens for the new base
 * @param tokens in all
 */
record Calibration(List<int[]> old, List<int[]> now, int tokens) {

  private static final int LONGEST_ROW = 512;
  private static final int LEAST_TOKENS = 256;

  /** Tokens that are enough, for each dimension of the wider base. */
  private static final int ENOUGH = 4;

  private static final int ENOUGH_AT_LEAST = 2048;

  /**
   * Reads calibration text.
   *
   * @param text rows; conversations as the bases' templates write them
   * @throws IllegalArgumentException if the tokenizers cut too little of it alike
   */
  static Calibration read(Path oldBase, Path newBase, List<Row> text) {
    DecoderConfig a = DecoderConfig.read(oldBase);
    DecoderConfig b = DecoderConfig.read(newBase);
    int width = Math.max(a.hiddenSize(), b.hiddenSize());
    int longest = Math.min(LONGEST_ROW, Math.min(a.contextLength(), b.contextLength()));
    int least = Math.max(LEAST_TOKENS, 2 * width);
    int enough = Math.max(ENOUGH_AT_LEAST, ENOUGH * width);
    TokenMap map = TokenMap.between(oldBase, newBase);
    List<int[]> old = new ArrayList<>();
    List<int[]> now = new ArrayList<>();
    int tokens = 0;
    int rows = 0;
    try (RowEncoder ours = RowEncoder.load(oldBase);
        RowEncoder theirs = RowEncoder.load(newBase)) {
      for (Row row : text) {
        rows++;
        int[] before = ids(ours, row, longest);
        int[] after = ids(theirs, row, longest);
        if (before.length == 0 || !Arrays.equals(map.targets(before), after)) {
          // Templates may differ where tokenizers do not.
          before = plain(ours, row, longest);
          after = plain(theirs, row, longest);
        }
        if (before.length > 0 && Arrays.equals(map.targets(before), after)) {
          old.add(before);
          now.add(after);
          tokens += before.length;
        }
        if (tokens >= enough) {
          return new Calibration(old, now, tokens);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    if (rows > 0 && old.size() < rows / 2.0) {
      throw new IllegalArgumentException(
          "the tokenizers of the two bases cut only "
              + old.size()
              + " of "
              + rows
              + " rows of calibration text alike: their computations cannot be compared token by"
              + " token");
    }
    if (tokens < least) {
      throw new IllegalArgumentException(
          "calibration text too short: "
              + tokens
              + " tokens in "
              + rows
              + " rows, but at least "
              + least
              + " are needed for bases of width "
              + width);
    }
    return new Calibration(old, now, tokens);
  }

  private static int[] ids(RowEncoder encoder, Row row, int longest) {
    try {
      return row.text() == null && !encoder.hasTemplate()
          ? new int[0]
          : encoder.row(row, longest).ids();
    } catch (TemplateException | IllegalArgumentException e) {
      return new int[0]; // the other base's template may take it, or its plain text will do
    }
  }

  private static int[] plain(RowEncoder encoder, Row row, int longest) {
    String text =
        row.text() != null
            ? row.text()
            : row.messages().stream().map(Message::content).collect(Collectors.joining("\n"));
    int[] ids = encoder.tokenizer().encodeDocument(text);
    return Arrays.copyOf(ids, Math.min(longest, ids.length));
  }
}
