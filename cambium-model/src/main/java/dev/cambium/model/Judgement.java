package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a scorer says of one answer. Undecidable is counted, never rewarded. */
public enum Judgement {
  @JsonProperty("right")
  RIGHT,
  @JsonProperty("wrong")
  WRONG,
  @JsonProperty("undecidable")
  UNDECIDABLE
}
