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
  LIKELIHOOD;

  /** Whether it judges what a model generates, and not likelihoods. */
  public boolean generates() {
    return this != CHOICE && this != LIKELIHOOD;
  }
}
