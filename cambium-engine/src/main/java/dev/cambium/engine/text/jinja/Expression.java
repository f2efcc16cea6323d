package dev.cambium.engine.text.jinja;

/** A parsed expression. */
@FunctionalInterface
interface Expression {
  Object in(Frame frame);
}
