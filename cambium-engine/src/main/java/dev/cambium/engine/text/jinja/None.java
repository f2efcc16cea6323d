package dev.cambium.engine.text.jinja;

/** Python's {@code None}. */
enum None {
  NONE
}
