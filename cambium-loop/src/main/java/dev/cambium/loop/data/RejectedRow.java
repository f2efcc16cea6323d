package dev.cambium.loop.data;

/**
 * A row that was not taken.
 *
 * @param row its number in the file, from 1; a CSV header is not counted, blank lines are
 * @param line the line on which it starts, from 1
 * @param column the field concerned, or empty for the whole row
 * @param reason what is wrong with it, and what would be right
 */
public record RejectedRow(long row, long line, String column, String reason) {

  /** The written form, such as {@code row 3 (line 4), completion: is empty}. */
  @Override
  public String toString() {
    String place = row == line ? "row " + row : "row " + row + " (line " + line + ")";
    return place + (column.isEmpty() ? "" : ", " + column) + ": " + reason;
  }
}
