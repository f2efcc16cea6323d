package dev.cambium.engine.text.jinja;

import java.math.BigDecimal;

/** Python's rules for text. */
final class Strings {

  private Strings() {}

  /** Python's idea of white space. */
  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }

  /**
   * Takes characters off the ends.
   *
   * @param set the characters; white space if empty
   */
  static String strip(String text, String set, boolean left, boolean right) {
    int from = 0;
    int to = text.length();
    while (left && from < to && strippable(text.codePointAt(from), set)) {
      from += Character.charCount(text.codePointAt(from));
    }
    while (right && to > from && strippable(text.codePointBefore(to), set)) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return text.substring(from, to);
  }

  private static boolean strippable(int c, String set) {
    return set.isEmpty() ? isSpace(c) : set.indexOf(c) >= 0;
  }

  /** By code points. */
  static int compare(String first, String second) {
    int at = 0;
    while (at < first.length() && at < second.length()) {
      int a = first.codePointAt(at);
      int b = second.codePointAt(at);
      if (a != b) {
        return Integer.compare(a, b);
      }
      at += Character.charCount(a);
    }
    return Integer.compare(first.length(), second.length());
  }

  /** Python's {@code repr} of a string. */
  static void quote(String text, StringBuilder out) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                  if (c == quote) {
                    out.append('\\').append(quote);
                  } else if (isPrintable(c)) {
                    out.appendCodePoint(c);
                  } else {
                    out.append(
                        c < 0x100
                            ? String.format("\\x%02x", c)
                            : c < 0x10000
                                ? String.format("\\u%04x", c)
                                : String.format("\\U%08x", c));
                  }
                }
              }
            });
    out.append(quote);
  }

  private static boolean isPrintable(int c) {
    if (c == ' ') {
      return true;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  /** Python's {@code repr} of a float: the shortest digits, exponent form outside 1e-4 to 1e16. */
  static String ofFloat(double value, String nan, String infinity) {
    if (Double.isNaN(value)) {
      return nan;
    }
    if (Double.isInfinite(value)) {
      return (value < 0 ? "-" : "") + infinity;
    }
    double size = Math.abs(value);
    BigDecimal shortest = new BigDecimal(Double.toString(value));
    if (size == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    if (size >= 1e-4 && size < 1e16) {
      String plain = shortest.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    BigDecimal digits = shortest.stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    BigDecimal mantissa = digits.movePointLeft(exponent).stripTrailingZeros();
    return mantissa.toPlainString()
        + 'e'
        + (exponent < 0 ? '-' : '+')
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }
}
