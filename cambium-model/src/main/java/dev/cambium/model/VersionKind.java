package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a version's files are. */
public enum VersionKind {
  /** A whole model: a Hugging Face directory. */
  @JsonProperty("model")
  MODEL,
  /** A PEFT adapter, complete only with its parent's files. */
  @JsonProperty("adapter")
  ADAPTER,
  /** An {@link Application}, complete only with its parent's files. */
  @JsonProperty("application")
  APPLICATION
}
