package dev.cambium.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Rows in columns as wide as they need to be. */
final class Table {

  private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;]*m");
  private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9][0-9.,]*( ?[a-zA-Z%]+)?|-|");

  private Table() {}

  /** The lines of a table; the first row is its head. Columns of numbers are flush right. */
  static List<String> lines(List<List<String>> rows) {
    int columns = rows.stream().mapToInt(List::size).max().orElse(0);
    int[] widths = new int[columns];
    boolean[] right = new boolean[columns];
    for (int c = 0; c < columns; c++) {
      right[c] = rows.size() > 1;
      for (int r = 0; r < rows.size(); r++) {
        String cell = cell(rows.get(r), c);
        widths[c] = Math.max(widths[c], width(cell));
        right[c] = right[c] && (r == 0 || NUMBER.matcher(visible(cell)).matches());
      }
    }
    List<String> lines = new ArrayList<>();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < columns; c++) {
        String cell = cell(row, c);
        String space = " ".repeat(widths[c] - width(cell));
        line.append(c == 0 ? "" : "  ").append(right[c] ? space + cell : cell + space);
      }
      lines.add(line.toString().stripTrailing());
    }
    return lines;
  }

  private static String cell(List<String> row, int column) {
    return column < row.size() ? row.get(column) : "";
  }

  private static int width(String text) {
    String visible = visible(text);
    return visible.codePointCount(0, visible.length());
  }

  private static String visible(String text) {
    return text.indexOf('\u001b') < 0 ? text : COLOUR.matcher(text).replaceAll("");
  }
}
