package dev.cambium.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.cambium.model.Json;
import dev.cambium.model.Row;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Files of training rows. */
public final class RowFile {

  private RowFile() {}

  /**
   * Reads all rows of a file: JSON lines, or, if the name ends in {@code .txt}, plain text, in
   * which blank lines part one row from the next.
   *
   * @throws IllegalArgumentException naming the line that is not a row
   */
  public static List<Row> read(Path file) {
    boolean plain = String.valueOf(file.getFileName()).endsWith(".txt");
    try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      return plain ? paragraphs(reader) : rows(file, reader);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(file + " is not UTF-8 text", e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  private static List<Row> rows(Path file, BufferedReader reader) throws IOException {
    List<Row> rows = new ArrayList<>();
    int number = 0;
    for (@Nullable String line = reader.readLine(); line != null; line = reader.readLine()) {
      number++;
      if (line.isBlank()) {
        continue;
      }
      try {
        rows.add(Json.mapper().readValue(line, Row.class));
      } catch (JsonProcessingException e) {
        throw new IllegalArgumentException(
            file + ", line " + number + ": not a row: " + e.getOriginalMessage(), e);
      }
    }
    return rows;
  }

  private static List<Row> paragraphs(BufferedReader reader) throws IOException {
    List<Row> rows = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (@Nullable String line = reader.readLine(); line != null; line = reader.readLine()) {
      if (!line.isBlank()) {
        text.append(text.isEmpty() ? "" : "\n").append(line);
      } else if (!text.isEmpty()) {
        rows.add(Row.text("text-" + (rows.size() + 1), text.toString()));
        text.setLength(0);
      }
    }
    if (!text.isEmpty()) {
      rows.add(Row.text("text-" + (rows.size() + 1), text.toString()));
    }
    return rows;
  }
}
