package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How an item's answer is judged. */
public enum ScorerKind {
  /** Greedy generation equals the answer, white space at the ends aside. */
  @JsonProperty("exact-match")
  EXACT_MATCH,
  /** The choice with the highest log-likelihood is the answer. */
  @JsonProperty("choice")
  CHOICE,
  /** The last number of a greedy generation equals the answer's. */
  @JsonProperty("numeric")
  NUMERIC,
  /** A greedy generation is JSON that equals the answer as a value. */
  @JsonProperty("json")
  JSON,
  /**
   * Geometric mean probability of the tokens of the text or the answer; right when at least half.
   */
  @JsonProperty("likelihood")
  LIKELIHOOD,
  /**
   * Geometric mean probability of a UTF-8 byte of the text or the answer, which is 2 to the power
   * of minus its bits per byte (Gao et al., "The Pile", 2020); right when at least half. For models
   * that cut text differently, whose tokens cannot be compared. The end of an answer counts as a
   * byte.
   */
  @JsonProperty("byte-likelihood")
  BYTE_LIKELIHOOD;

  /** Whether it judges what a model generates, and not likelihoods. */
  public boolean generates() {
    return this != CHOICE && !isLikelihood();
  }

  /** Whether it measures how likely a text is, on a scale of its own. */
  public boolean isLikelihood() {
    return this == LIKELIHOOD || this == BYTE_LIKELIHOOD;
  }
}
