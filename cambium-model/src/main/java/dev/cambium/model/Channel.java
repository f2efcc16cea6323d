package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Locale;

/** A named pointer of a line, moved only by compare-and-set. */
public enum Channel {
  /** What a campaign made and has not released. */
  @JsonProperty("candidate")
  CANDIDATE,
  /** What a part of the traffic meets. */
  @JsonProperty("canary")
  CANARY,
  /** What everybody meets, and what descendants are built on. */
  @JsonProperty("stable")
  STABLE;

  /** The written form. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Reads the written form. */
  public static Channel parse(String label) {
    for (Channel channel : values()) {
      if (channel.label().equals(label)) {
        return channel;
      }
    }
    throw new IllegalArgumentException(
        "no channel '" + label + "': use candidate, canary or stable");
  }
}
