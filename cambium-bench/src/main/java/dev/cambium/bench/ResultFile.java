package dev.cambium.bench;

import dev.cambium.model.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * The raw results of a benchmark, one JSON object a line; what a killed process left half written
 * is dropped when it is opened again.
 *
 * @param <T> a record
 */
public final class ResultFile<T> {

  private final Path file;
  private final List<T> all = new ArrayList<>();

  private ResultFile(Path file) {
    this.file = file;
  }

  /** Opens a file, which need not be there. */
  public static <T> ResultFile<T> open(Path file, Class<T> type) throws IOException {
    ResultFile<T> results = new ResultFile<>(file);
    if (Files.exists(file)) {
      String text = Files.readString(file);
      String whole = text.substring(0, text.lastIndexOf('\n') + 1);
      if (whole.length() < text.length()) {
        Files.writeString(file, whole);
      }
      whole
          .lines()
          .forEach(line -> results.all.add(Json.read(line.getBytes(StandardCharsets.UTF_8), type)));
    }
    return results;
  }

  /** All of them, in the order in which they were added. */
  public List<T> all() {
    return List.copyOf(all);
  }

  /** Whether there is one of some kind. */
  public boolean has(Predicate<T> kind) {
    return all.stream().anyMatch(kind);
  }

  /** Adds one. */
  public void add(T result) throws IOException {
    all.add(result);
    Files.writeString(
        file,
        new String(Json.canonical(result), StandardCharsets.UTF_8) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }
}
