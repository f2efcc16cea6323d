package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The four levels of an ecosystem, from the most general to what a user meets. */
public enum Tier {
  /** A general model that everything else is made from. */
  @JsonProperty("foundation")
  FOUNDATION("foundation"),
  /** A model adapted to a domain. */
  @JsonProperty("industrial")
  INDUSTRIAL("industrial"),
  /** An adapter or distilled model for one task. */
  @JsonProperty("application-model")
  APPLICATION_MODEL("application-model"),
  /** Prompt, tools, decoding settings and contract on top of a model. */
  @JsonProperty("application")
  APPLICATION("application");

  private final String label;

  Tier(String label) {
    this.label = label;
  }

  /** The written form, as in {@code ecosystem.yaml}. */
  public String label() {
    return label;
  }

  /** Reads the written form. */
  public static Tier parse(String label) {
    for (Tier tier : values()) {
      if (tier.label.equals(label)) {
        return tier;
      }
    }
    throw new IllegalArgumentException(
        "no tier '" + label + "': use foundation, industrial, application-model or application");
  }
}
