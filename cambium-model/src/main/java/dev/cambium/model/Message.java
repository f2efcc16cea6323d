package dev.cambium.model;

/**
 * One turn of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content the text, exactly
 */
public record Message(String role, String content) {

  /** A turn of the user. */
  public static Message user(String content) {
    return new Message("user", content);
  }

  /** A turn of the model; the only text that training learns to produce. */
  public static Message assistant(String content) {
    return new Message("assistant", content);
  }

  /** An instruction ahead of the conversation. */
  public static Message system(String content) {
    return new Message("system", content);
  }
}
