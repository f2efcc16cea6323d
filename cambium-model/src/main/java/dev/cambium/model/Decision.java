package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a gate says. No evidence is never a pass. */
public enum Decision {
  @JsonProperty("pass")
  PASS,
  @JsonProperty("fail")
  FAIL,
  @JsonProperty("inconclusive")
  INCONCLUSIVE
}
