package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** One way of carrying a capability to a new parent, cheapest first. */
public enum Rung {
  /** Same weights, same adapter. */
  @JsonProperty("reuse")
  REUSE,
  /** For an application: another wording of its prompt, other examples, another answer length. */
  @JsonProperty("prompt")
  PROMPT,
  /** The old change added to the new parent, without training. */
  @JsonProperty("transplant")
  TRANSPLANT,
  /** The old change taken to where its parts are in the new parent, without training. */
  @JsonProperty("align")
  ALIGN,
  /** The old version as teacher, started from the best that the rungs before have given. */
  @JsonProperty("distill")
  DISTILL,
  /** Stored recipe and data, started from the best that the rungs before have given. */
  @JsonProperty("retrain")
  RETRAIN;

  /** The written form. */
  public String label() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
