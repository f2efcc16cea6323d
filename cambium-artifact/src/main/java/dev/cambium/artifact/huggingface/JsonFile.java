package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A JSON object from a file; whatever in it does not fit becomes a problem. */
final class JsonFile {

  private static final long MAX_SIZE = 256L << 20;

  /** Other programs' JSON: unlike our own, it may hold any fields, but none twice. */
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final String name;
  private final ObjectNode tree;
  private final Findings findings;

  private JsonFile(String name, ObjectNode tree, Findings findings) {
    this.name = name;
    this.tree = tree;
    this.findings = findings;
  }

  /** Reads a file that is there; empty, with a problem, if it is not a JSON object. */
  static Optional<JsonFile> read(Folder folder, String name, Findings findings) {
    try {
      long size = Files.size(folder.file(name));
      if (size > MAX_SIZE) {
        findings.refuse(
            name, "", size + " bytes", "at most " + MAX_SIZE, "Check that this is the right file.");
        return Optional.empty();
      }
      return parse(name, Files.readAllBytes(folder.file(name)), findings);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + folder.file(name) + ": " + e, e);
    }
  }

  /** Reads a text; empty, with a problem, if it is not a JSON object. */
  static Optional<JsonFile> parse(String name, String text, Findings findings) {
    return parse(name, text.getBytes(StandardCharsets.UTF_8), findings);
  }

  private static Optional<JsonFile> parse(String name, byte[] bytes, Findings findings) {
    try {
      JsonNode tree = MAPPER.readTree(bytes);
      if (tree instanceof ObjectNode object) {
        return Optional.of(new JsonFile(name, object, findings));
      }
      findings.refuse(
          name,
          "",
          tree == null ? "nothing" : String.valueOf(tree.getNodeType()),
          "a JSON object",
          "Download or save the file again.");
    } catch (JsonProcessingException e) {
      String where =
          e.getLocation() == null
              ? ""
              : " (line %d, column %d)"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      findings.refuse(
          name,
          "",
          "malformed JSON" + where + ": " + e.getOriginalMessage(),
          "a JSON object",
          "Download or save the file again.");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name + ": " + e, e);
    }
    return Optional.empty();
  }

  String name() {
    return name;
  }

  ObjectNode tree() {
    return tree;
  }

  Set<String> keys() {
    return new TreeSet<>(tree.propertyStream().map(Map.Entry::getKey).toList());
  }

  boolean has(String key) {
    return tree.hasNonNull(key);
  }

  Optional<String> text(String key) {
    JsonNode value = tree.path(key);
    return value.isTextual() ? Optional.of(value.asText()) : Optional.empty();
  }

  /** A whole number from 1 to a bound; {@code absent} if the key is not there and that is not 0. */
  int positive(String key, int absent, int bound) {
    return positive(tree, key, key, absent, bound);
  }

  /** As above, of an object within. {@code path} names the field for a person. */
  int positive(JsonNode object, String key, String path, int absent, int bound) {
    JsonNode value = object.path(key);
    if ((value.isMissingNode() || value.isNull()) && absent > 0) {
      return absent;
    }
    if (value.isIntegralNumber()
        && value.canConvertToInt()
        && value.asInt() >= 1
        && value.asInt() <= bound) {
      return value.asInt();
    }
    refuse(path, shown(value), "a whole number from 1 to " + bound);
    return 0;
  }

  /** A whole number, 0 or more; {@code absent} if the key is not there. */
  int natural(String key, int absent) {
    JsonNode value = tree.path(key);
    return value.isIntegralNumber() && value.asLong(-1) == 0
        ? 0
        : positive(key, absent, Integer.MAX_VALUE);
  }

  /** A finite number above 0; NaN, with a problem, if it is something else. */
  double positiveNumber(JsonNode object, String key, String path, @Nullable Double absent) {
    JsonNode value = object.path(key);
    if ((value.isMissingNode() || value.isNull()) && absent != null) {
      return absent;
    }
    if (value.isNumber() && value.asDouble() > 0 && Double.isFinite(value.asDouble())) {
      return value.asDouble();
    }
    refuse(path, shown(value), "a number above 0");
    return Double.NaN;
  }

  boolean flag(String key) {
    JsonNode value = tree.path(key);
    if (!value.isMissingNode() && !value.isNull() && !value.isBoolean()) {
      refuse(key, shown(value), "true or false");
    }
    return value.asBoolean(false);
  }

  /** Refuses any value but absence, null, or one that is written so. */
  void onlyNeutral(String key, Set<String> neutral) {
    JsonNode value = tree.path(key);
    boolean same =
        value.isMissingNode()
            || value.isNull()
            || neutral.contains(value.toString())
            || (value.isNumber() && neutral.contains(String.valueOf(value.asDouble())));
    if (!same) {
      findings.refuse(
          name,
          key,
          shown(value),
          neutral.isEmpty() ? "no such field" : String.join(" or ", neutral),
          "It changes the computation in a way that this version does not support.");
    }
  }

  void refuse(String key, String found, String expected) {
    findings.refuse(name, key, found, expected, "Correct " + key + " in " + name + ".");
  }

  static String shown(JsonNode value) {
    if (value.isMissingNode()) {
      return "nothing";
    }
    String text = value.toString();
    return text.length() > 200 ? text.substring(0, 200) + "…" : text;
  }
}
