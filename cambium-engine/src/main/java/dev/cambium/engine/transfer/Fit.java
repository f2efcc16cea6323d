package dev.cambium.engine.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.huggingface.DecoderConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Whether two models are alike enough to calculate with both: weights, shapes, ties, tokens. */
final class Fit {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private Fit() {}

  /**
   * Refuses a model whose weights or tokens are not those of another.
   *
   * @throws IllegalArgumentException naming what differs
   */
  static void require(Weights pattern, Weights other) throws IOException {
    if (pattern.tied != other.tied) {
      throw new IllegalArgumentException(
          "tied embeddings: "
              + pattern.directory
              + " "
              + pattern.tied
              + ", "
              + other.directory
              + " "
              + other.tied
              + "; a tied and an untied head cannot be merged");
    }
    pattern.requireSame(other);
    requireSameComputation(pattern, other);
    SortedMap<String, Long> expected = tokens(pattern.directory);
    SortedMap<String, Long> found = tokens(other.directory);
    for (Map.Entry<String, Long> token : expected.entrySet()) {
      Long id = found.get(token.getKey());
      if (!token.getValue().equals(id)) {
        throw otherTokens(pattern, other, token.getKey(), token.getValue(), id);
      }
    }
    for (Map.Entry<String, Long> token : found.entrySet()) {
      if (!expected.containsKey(token.getKey())) {
        throw otherTokens(pattern, other, token.getKey(), null, token.getValue());
      }
    }
  }

  /** Equal shapes may be of other heads, and equal weights of another rotation. */
  private static void requireSameComputation(Weights pattern, Weights other) {
    DecoderConfig expected = config(pattern.directory);
    DecoderConfig found = config(other.directory);
    if (expected == null || found == null) {
      return;
    }
    requireSame(pattern, other, "heads", expected.heads(), found.heads());
    requireSame(pattern, other, "key-value heads", expected.keyValueHeads(), found.keyValueHeads());
    requireSame(pattern, other, "rms_norm_eps", expected.rmsNormEps(), found.rmsNormEps());
    requireSame(pattern, other, "rope_theta", expected.ropeTheta(), found.ropeTheta());
    requireSame(pattern, other, "rope scaling", expected.ropeScaling(), found.ropeScaling());
    requireSame(pattern, other, "windows", expected.windows(), found.windows());
  }

  /** None where the model is of a family that the engine does not know. */
  private static @Nullable DecoderConfig config(Path directory) {
    try {
      return DecoderConfig.read(directory);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static void requireSame(
      Weights pattern, Weights other, String what, Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new IllegalArgumentException(
          "config.json: "
              + what
              + " "
              + expected
              + " in "
              + pattern.directory
              + " and "
              + found
              + " in "
              + other.directory
              + "; weights made for one computation mean something else in the other");
    }
  }

  private static IllegalArgumentException otherTokens(
      Weights pattern, Weights other, String token, @Nullable Long expected, @Nullable Long found) {
    return new IllegalArgumentException(
        "the token '"
            + token
            + "' has "
            + (expected == null ? "no id" : "id " + expected)
            + " in "
            + pattern.directory
            + " and "
            + (found == null ? "no id" : "id " + found)
            + " in "
            + other.directory
            + "; rows of embeddings that mean different tokens cannot be merged");
  }

  /** Ids by token; none where there is no tokenizer. */
  private static SortedMap<String, Long> tokens(Path directory) throws IOException {
    SortedMap<String, Long> tokens = new TreeMap<>();
    Path file = directory.resolve("tokenizer.json");
    if (Files.exists(file)) {
      JsonNode tree = JSON.readTree(Files.readAllBytes(file));
      JsonNode vocabulary = tree.path("model").path("vocab");
      if (vocabulary.isArray()) { // Unigram: pairs of token and score, in the order of ids
        for (int id = 0; id < vocabulary.size(); id++) {
          tokens.put(vocabulary.get(id).path(0).asText(), (long) id);
        }
      } else {
        vocabulary.properties().forEach(t -> tokens.put(t.getKey(), t.getValue().asLong()));
      }
      tree.path("added_tokens")
          .forEach(t -> tokens.put(t.path("content").asText(), t.path("id").asLong()));
    }
    return tokens;
  }
}
