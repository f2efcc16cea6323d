package dev.cambium.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which token of one tokenizer is which of another, by their texts: ids are arbitrary, and two
 * vocabularies of one size may hold the same tokens in another order, or other tokens.
 */
public final class TokenMap {

  private final int[] targets;
  private final int[] sources;
  private final int common;

  private TokenMap(int[] targets, int[] sources, int common) {
    this.targets = targets;
    this.sources = sources;
    this.common = common;
  }

  /**
   * Compares the tokenizers of two directories.
   *
   * @throws UncheckedIOException if a {@code tokenizer.json} is missing or no JSON object
   */
  public static TokenMap between(Path old, Path now) {
    return of(vocabulary(old), vocabulary(now));
  }

  /** Compares two vocabularies, ids by texts. */
  static TokenMap of(Map<String, Integer> old, Map<String, Integer> now) {
    int[] targets = new int[size(old)];
    int[] sources = new int[size(now)];
    Arrays.fill(targets, -1);
    Arrays.fill(sources, -1);
    int common = 0;
    for (Map.Entry<String, Integer> token : new TreeMap<>(old).entrySet()) {
      Integer there = now.get(token.getKey());
      if (there != null) {
        targets[token.getValue()] = there;
        sources[there] = token.getValue();
        common++;
      }
    }
    return new TokenMap(targets, sources, common);
  }

  private static int size(Map<String, Integer> vocabulary) {
    return vocabulary.values().stream().mapToInt(id -> id + 1).max().orElse(0);
  }

  /** The id in the new vocabulary of a token of the old one; −1 where it has none. */
  public int target(int old) {
    return old < 0 || old >= targets.length ? -1 : targets[old];
  }

  /** The id in the old vocabulary of a token of the new one; −1 where it has none. */
  public int source(int now) {
    return now < 0 || now >= sources.length ? -1 : sources[now];
  }

  /** The new ids of old ones; −1 where there is none. */
  public int[] targets(int[] old) {
    return Arrays.stream(old).map(this::target).toArray();
  }

  /** One more than the greatest id of the old vocabulary. */
  public int oldSize() {
    return targets.length;
  }

  /** One more than the greatest id of the new vocabulary. */
  public int newSize() {
    return sources.length;
  }

  /** Tokens that both have. */
  public int common() {
    return common;
  }

  /** Whether every token of either has the same id in the other. */
  public boolean isIdentity() {
    for (int id = 0; id < targets.length; id++) {
      if (targets[id] != id && targets[id] >= 0) {
        return false;
      }
    }
    return sameTokens();
  }

  /** Whether both have the same tokens, in any order. */
  public boolean sameTokens() {
    return missing(targets) == 0 && missing(sources) == 0;
  }

  /** How many ids of the old vocabulary stand for no token of the new one. */
  public int missing() {
    return missing(targets);
  }

  private static int missing(int[] ids) {
    return (int) Arrays.stream(ids).filter(id -> id < 0).count();
  }

  /** All tokens of a directory's tokenizer by a text that does not depend on its spelling. */
  private static Map<String, Integer> vocabulary(Path directory) {
    Path file = directory.resolve(ModelText.TOKENIZER);
    try {
      if (!Files.isRegularFile(file)) {
        throw new IOException("no tokenizer.json in " + directory);
      }
      JsonNode json = ModelText.json(file);
      Map<String, Integer> tokens = new HashMap<>();
      JsonNode vocabulary = json.path("model").path("vocab");
      if (vocabulary.isArray()) {
        for (int id = 0; id < vocabulary.size(); id++) {
          tokens.put(spelled(vocabulary.get(id).path(0).asText()), id);
        }
      } else {
        vocabulary.properties().forEach(e -> tokens.put(spelled(e.getKey()), e.getValue().asInt()));
      }
      for (JsonNode added : json.path("added_tokens")) {
        tokens.put(added.path("content").asText(), added.path("id").asInt());
      }
      return tokens;
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** A leading space is Ġ in byte-level vocabularies and ▁ in those of pieces. */
  private static String spelled(String piece) {
    return piece.replace('Ġ', ' ').replace('▁', ' ');
  }
}
