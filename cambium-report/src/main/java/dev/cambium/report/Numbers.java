package dev.cambium.report;

import java.util.Locale;

/** Numbers as people read them. */
final class Numbers {

  private Numbers() {}

  /** A coordinate, to a tenth. */
  static String at(double value) {
    String text = String.format(Locale.ROOT, "%.1f", value);
    return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
  }

  /** A share in per cent, to a tenth. */
  static String percent(double share) {
    return Double.isFinite(share) ? String.format(Locale.ROOT, "%.1f %%", 100 * share) : "–";
  }

  /** A difference in percentage points, with its sign. */
  static String points(double difference) {
    if (!Double.isFinite(difference)) {
      return "–";
    }
    String text = String.format(Locale.ROOT, "%.1f", Math.abs(100 * difference));
    return text.equals("0.0") ? "±0.0" : (difference > 0 ? "+" : "−") + text;
  }

  /** A probability or a wealth, to about two digits. */
  static String brief(double value) {
    if (!Double.isFinite(value)) {
      return "–";
    }
    double size = Math.abs(value);
    if (size == 0) {
      return "0";
    }
    if (size >= 10_000 || size < 0.001) {
      int power = (int) Math.floor(Math.log10(size));
      return String.format(Locale.ROOT, "%.1f·10", value / Math.pow(10, power)) + raised(power);
    }
    if (size >= 10) {
      return String.format(Locale.ROOT, "%.0f", value);
    }
    String text = String.format(Locale.ROOT, size >= 0.1 ? "%.2f" : "%.4f", value);
    return text.replaceAll("\\.?0+$", "");
  }

  /** A power of ten on an axis. */
  static String power(int exponent) {
    return switch (exponent) {
      case -2 -> "0.01";
      case -1 -> "0.1";
      case 0 -> "1";
      case 1 -> "10";
      case 2 -> "100";
      default -> "10" + raised(exponent);
    };
  }

  private static String raised(int exponent) {
    StringBuilder text = new StringBuilder(exponent < 0 ? "⁻" : "");
    for (char digit : String.valueOf(Math.abs(exponent)).toCharArray()) {
      text.append("⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(digit - '0'));
    }
    return text.toString();
  }

  /** A duration. */
  static String seconds(double seconds) {
    if (!Double.isFinite(seconds)) {
      return "–";
    }
    if (seconds < 10) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return whole < 60 ? whole + " s" : whole / 60 + " min " + whole % 60 + " s";
  }

  /**
   * About how wide a text is in a sans-serif face, in the unit of {@code size}. Errs to the wide
   * side, because it decides what has room.
   */
  static double width(String text, double size) {
    double sum = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ("iljtfr.,:;'|!()[] -".indexOf(c) >= 0) {
        sum += 0.40;
      } else if ("mwMW@%".indexOf(c) >= 0) {
        sum += 0.98;
      } else if (c >= 'A' && c <= 'Z') {
        sum += 0.75;
      } else if (c < 0x2e80) {
        sum += 0.68;
      } else {
        sum += 1;
      }
    }
    return sum * size;
  }

  /** Cuts a text to a width, with an ellipsis where something is missing. */
  static String fit(String text, double size, double room) {
    if (width(text, size) <= room) {
      return text;
    }
    int end = text.length();
    while (end > 1 && width(text.substring(0, end), size) + size > room) {
      end--;
    }
    if (Character.isHighSurrogate(text.charAt(end - 1)) && end > 1) {
      end--;
    }
    return text.substring(0, end) + "…";
  }
}
