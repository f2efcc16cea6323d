package dev.cambium.loop.data;

import java.nio.file.Path;
import java.util.List;

/**
 * A suite or a data file cannot be used as it is. The message names the file, then one line per
 * row: its number, what is wrong and what to do.
 */
public final class DataException extends RuntimeException {

  private static final int SHOWN = 20;

  private final List<RejectedRow> rejected;

  /** A file that is wrong as a whole. */
  public DataException(Path file, String message) {
    super(file + ": " + message);
    this.rejected = List.of();
  }

  /** A file of which some rows are wrong; the message shows the first twenty. */
  public DataException(Path file, List<RejectedRow> rejected, String advice) {
    super(message(file, rejected, advice));
    this.rejected = List.copyOf(rejected);
  }

  /** A set of rows that is wrong as a whole. */
  public DataException(String message) {
    super(message);
    this.rejected = List.of();
  }

  /** Every wrong row, in the file's order; empty where the file is wrong as a whole. */
  public List<RejectedRow> rejected() {
    return rejected;
  }

  private static String message(Path file, List<RejectedRow> rejected, String advice) {
    StringBuilder text = new StringBuilder();
    text.append(file).append(": ").append(rejected.size());
    text.append(rejected.size() == 1 ? " row cannot be used" : " rows cannot be used");
    for (RejectedRow row : rejected.subList(0, Math.min(SHOWN, rejected.size()))) {
      text.append("\n  ").append(row);
    }
    if (rejected.size() > SHOWN) {
      text.append("\n  … and ").append(rejected.size() - SHOWN).append(" more");
    }
    return text.append("\n").append(advice).toString();
  }
}
