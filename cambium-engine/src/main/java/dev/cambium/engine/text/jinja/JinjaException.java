package dev.cambium.engine.text.jinja;

/** A template that cannot be read, or failed while rendering. */
public final class JinjaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What happened. */
  public enum Kind {
    /** It is not Jinja, or uses what is not supported here, or fails as it would in Python. */
    FAILED,
    /** It called {@code raise_exception}; the message is its own. */
    RAISED,
    /** It did more, or wrote more, than it may. */
    UNBOUNDED
  }

  private final Kind kind;
  private final int line;

  JinjaException(Kind kind, String message, int line) {
    super(message, null, true, false);
    this.kind = kind;
    this.line = line;
  }

  /** A failure at a place that is not known yet. */
  static JinjaException failed(String message) {
    return new JinjaException(Kind.FAILED, message, 0);
  }

  static JinjaException unbounded(String message) {
    return new JinjaException(Kind.UNBOUNDED, message, 0);
  }

  JinjaException at(int where) {
    return line > 0 ? this : new JinjaException(kind, String.valueOf(getMessage()), where);
  }

  /** What happened. */
  public Kind kind() {
    return kind;
  }

  /** The line of the template, from 1. */
  public int line() {
    return line;
  }
}
