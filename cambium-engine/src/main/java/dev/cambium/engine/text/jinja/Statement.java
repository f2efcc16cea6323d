package dev.cambium.engine.text.jinja;

/** A parsed piece of a template. */
@FunctionalInterface
interface Statement {

  /** How a loop goes on. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  Flow write(Frame frame, StringBuilder out);
}
