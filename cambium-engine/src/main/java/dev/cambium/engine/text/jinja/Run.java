package dev.cambium.engine.text.jinja;

/** One rendering: what it has done so far, and how much that may be. */
final class Run {

  /** Nodes and, by sixteens, characters that one rendering may visit. */
  static final int MAX_STEPS = 8_000_000;

  /** Characters that any one text may have. */
  static final int MAX_TEXT = 4_000_000;

  /** Elements of a list, and whole numbers that say how often or how wide. */
  static final int MOST = 100_000;

  private static final int MAX_DEPTH = 60;

  private long steps;
  private int depth;
  private int line;

  void line(int at) {
    line = at;
  }

  int line() {
    return line;
  }

  void step() {
    charge(0);
  }

  /** Counts work on a text or list of some length. */
  void charge(long length) {
    steps += 1 + length / 16;
    if (steps > MAX_STEPS) {
      throw JinjaException.unbounded("stopped after " + MAX_STEPS + " steps");
    }
  }

  /** Counts a text that is being made. */
  String text(String text) {
    room(text.length());
    return text;
  }

  void room(long length) {
    charge(length);
    if (length > MAX_TEXT) {
      throw JinjaException.unbounded("a text of more than " + MAX_TEXT + " characters");
    }
  }

  void elements(long count) {
    charge(count);
    if (count > MOST) {
      throw JinjaException.unbounded("a list of more than " + MOST + " elements");
    }
  }

  void enter() {
    if (++depth > MAX_DEPTH) {
      throw JinjaException.unbounded("nested more than " + MAX_DEPTH + " deep");
    }
  }

  void leave() {
    depth--;
  }
}
