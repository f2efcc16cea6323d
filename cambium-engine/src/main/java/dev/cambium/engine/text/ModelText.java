package dev.cambium.engine.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The text side of a Hugging Face model directory. */
public final class ModelText {

  static final String TOKENIZER = "tokenizer.json";
  static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  static final String TEMPLATE = "chat_template.jinja";

  /** Files that define a model's text contract and pass unchanged from a model to its children. */
  private static final List<String> FILES =
      List.of(
          TOKENIZER,
          TOKENIZER_CONFIG,
          TEMPLATE,
          "special_tokens_map.json",
          "added_tokens.json",
          "generation_config.json",
          ProbeFile.NAME);

  /** Other programs' JSON: unlike our own, it may hold any fields. */
  static final ObjectMapper MAPPER = new ObjectMapper();

  private ModelText() {}

  /** The files of a directory that make up its text contract; copied unchanged to its children. */
  public static List<Path> files(Path dir) {
    List<Path> present = new ArrayList<>();
    for (String name : FILES) {
      if (Files.isRegularFile(dir.resolve(name))) {
        present.add(dir.resolve(name));
      }
    }
    return present;
  }

  /** The object in a file; an empty one if there is no such file. */
  static JsonNode json(Path file) throws IOException {
    if (!Files.exists(file)) {
      return JsonNodeFactory.instance.objectNode();
    }
    try {
      JsonNode node = MAPPER.readTree(Files.readAllBytes(file));
      if (!node.isObject()) {
        throw new IOException(file + " is not a JSON object");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new IOException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
