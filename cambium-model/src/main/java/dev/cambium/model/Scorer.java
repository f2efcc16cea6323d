package dev.cambium.model;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * A scorer with its settings; part of what an evaluation is memoised by.
 *
 * @param kind how an answer is judged
 * @param maxNewTokens the longest answer that is generated; longer ones are judged as cut
 * @param schema for {@link ScorerKind#JSON}: a JSON Schema (2020-12) that the answer must satisfy
 */
public record Scorer(ScorerKind kind, int maxNewTokens, @Nullable JsonNode schema) {

  public static final int DEFAULT_MAX_NEW_TOKENS = 64;

  public Scorer {
    if (maxNewTokens == 0) {
      maxNewTokens = DEFAULT_MAX_NEW_TOKENS;
    }
    if (maxNewTokens < 1 || maxNewTokens > 100_000) {
      throw new IllegalArgumentException("max-new-tokens must be 1 to 100000: " + maxNewTokens);
    }
  }

  /** A scorer with the usual settings. */
  public static Scorer of(ScorerKind kind) {
    return new Scorer(kind, DEFAULT_MAX_NEW_TOKENS, null);
  }
}
