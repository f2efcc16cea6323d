package dev.cambium.engine.text;

/** A chat template that cannot be used, or not for these messages. */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What is wrong. */
  public enum Reason {
    /** The template is not valid, or failed while rendering. */
    FAILED,
    /** The template itself refused the messages, with {@code raise_exception}. */
    RAISED,
    /** It did more steps, or wrote more, than any sensible template does. */
    UNBOUNDED,
    /** A conversation's beginning does not render to the beginning of the conversation. */
    NOT_PREFIX_STABLE,
    /** The assistant's turn ends without a token at which generation stops. */
    NO_END_OF_TURN,
    /** The model has no template, but a conversation was given. */
    ABSENT
  }

  private final Reason reason;

  TemplateException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** What is wrong. */
  public Reason reason() {
    return reason;
  }
}
