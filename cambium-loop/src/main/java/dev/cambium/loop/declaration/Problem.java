package dev.cambium.loop.declaration;

/**
 * Something wrong, or doubtful, in a declaration.
 *
 * @param file as it was named
 * @param line from 1; 0 where it concerns the file as a whole
 * @param column from 1; 0 where it concerns the file as a whole
 * @param message what is wrong and what to do
 */
public record Problem(String file, int line, int column, String message) {

  /** The written form that editors understand, {@code FILE:LINE:COLUMN: message}. */
  @Override
  public String toString() {
    return line == 0 ? file + ": " + message : file + ":" + line + ":" + column + ": " + message;
  }
}
