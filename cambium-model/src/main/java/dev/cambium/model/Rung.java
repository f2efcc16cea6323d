package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** One way of carrying a capability to a new parent, cheapest first. */
public enum Rung {
  /** Same weights, same adapter. */
  @JsonProperty("reuse")
  REUSE,
  /** The old change added to the new parent, without training. */
  @JsonProperty("transplant")
  TRANSPLANT,
  /** Stored recipe and data, started from the best that the rungs before have given. */
  @JsonProperty("retrain")
  RETRAIN
}
