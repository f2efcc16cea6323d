package dev.cambium.report;

import java.util.List;

/**
 * A table of texts, such as the rows of a file or the outcomes of a suite's items.
 *
 * @param title what the rows are
 * @param columns their names
 * @param rows as many cells each as there are columns
 * @param note what else there is to know, such as how many rows are left out; may be empty
 * @param folded whether it is closed until somebody opens it
 */
public record TextTable(
    String title, List<String> columns, List<List<Cell>> rows, String note, boolean folded)
    implements Block {

  /** The meaning of a text, for its colour. */
  public enum Tone {
    PLAIN,
    QUIET,
    GOOD,
    BAD,
    DOUBTFUL
  }

  /**
   * One text.
   *
   * @param exact whether it is a model's or a user's own words, to be shown as they are
   */
  public record Cell(String text, Tone tone, boolean exact) {

    /** A text of ours. */
    public static Cell of(String text) {
      return new Cell(text, Tone.PLAIN, false);
    }

    /** Somebody's own words. */
    public static Cell said(String text) {
      return new Cell(text, Tone.PLAIN, true);
    }

    /** The same text in another tone. */
    public Cell in(Tone other) {
      return new Cell(text, other, exact);
    }
  }

  public TextTable {
    columns = List.copyOf(columns);
    rows = rows.stream().map(List::copyOf).toList();
    for (List<Cell> row : rows) {
      if (row.size() != columns.size()) {
        throw new IllegalArgumentException(
            title + ": a row of " + row.size() + " cells under " + columns.size() + " columns");
      }
    }
  }
}
