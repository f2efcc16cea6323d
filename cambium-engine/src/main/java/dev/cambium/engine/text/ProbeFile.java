package dev.cambium.engine.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A model's {@link TokenProbe}s in a file of its directory. It is made when the model comes in,
 * passes unchanged to its children with the other text files, and is compared wherever the
 * tokenizer is opened: for training, evaluation, serving, export and verification.
 */
public final class ProbeFile {

  /** The file's name. Other programs pass over it. */
  public static final String NAME = "token_probes.json";

  private ProbeFile() {}

  /**
   * The contents of the file for a model directory that has none.
   *
   * @throws IOException if the tokenizer or the template cannot be loaded
   */
  public static byte[] make(Path model) throws IOException {
    try (RowEncoder encoder = RowEncoder.load(model)) {
      return ModelText.MAPPER.writeValueAsBytes(encoder.probes());
    }
  }

  /**
   * Opens a model's tokenizer and template, which compares them with the file, if there is one.
   *
   * @throws IOException if they cannot be loaded
   * @throws IllegalStateException naming the file and the first text that is encoded differently
   */
  public static void check(Path model) throws IOException {
    RowEncoder.load(model).close();
  }

  static void check(Path model, RowEncoder encoder) throws IOException {
    Path file = model.resolve(NAME);
    if (!Files.exists(file)) {
      return;
    }
    List<TokenProbe> stored;
    try {
      stored =
          ModelText.MAPPER.readValue(
              Files.readAllBytes(file), new TypeReference<List<TokenProbe>>() {});
    } catch (JsonProcessingException e) {
      throw new IOException(file + " does not hold token probes: " + e.getOriginalMessage(), e);
    }
    try {
      encoder.checkProbes(stored);
    } catch (IllegalStateException e) {
      throw new IllegalStateException(file + ": " + e.getMessage(), e);
    }
  }
}
