package dev.cambium.cli;

/**
 * What is at the other end of the standard streams.
 *
 * @param input whether a person can answer
 * @param output whether a person reads the output
 * @param errors whether a person reads the error output, where progress is shown
 * @param columns width in characters
 * @param colours whether colours may be used at all
 */
record Terminal(boolean input, boolean output, boolean errors, int columns, boolean colours) {

  /** Nobody: a pipe, a file, a test. */
  static final Terminal NONE = new Terminal(false, false, false, 100, false);

  /** What the launcher found out; the JVM cannot tell the three streams apart. */
  static Terminal ofProcess() {
    String streams = System.getProperty("cambium.terminal", "");
    boolean output = streams.contains("1");
    return new Terminal(
        streams.contains("0"),
        output,
        streams.contains("2"),
        Integer.getInteger("cambium.columns", 100),
        output && System.getenv("NO_COLOR") == null && !"dumb".equals(System.getenv("TERM")));
  }
}
