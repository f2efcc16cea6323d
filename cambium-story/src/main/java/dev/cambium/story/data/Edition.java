package dev.cambium.story.data;

/** Which state of the world a foundation's text describes. */
public enum Edition {
  /** The first text. */
  V1,
  /** More text: further products, the changed rule, the new intents, more wordings. */
  V2
}
