package dev.cambium.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Quantities as people read them. */
final class Texts {

  private static final Pattern COLOUR = Pattern.compile("\u001b\\[(32|31|33|2|1|0)m");

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);

  private Texts() {}

  /**
   * A text without what could command a terminal, or show it in another order than it is in:
   * control characters but line breaks and tabs, and marks of direction. Our own colours stay.
   */
  static String harmless(String text) {
    StringBuilder harmless = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\u001b') {
        Matcher colour = COLOUR.matcher(text).region(i, text.length());
        if (colour.lookingAt()) {
          harmless.append(colour.group());
          i = colour.end() - 1;
          continue;
        }
      }
      boolean harmful =
          Character.isISOControl(c) && c != '\n' && c != '\t'
              || c >= '\u202a' && c <= '\u202e'
              || c >= '\u2066' && c <= '\u2069';
      if (harmful) {
        harmless.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        harmless.append(c);
      }
    }
    return harmless.toString();
  }

  static String bytes(long bytes) {
    if (bytes < 1_000) {
      return bytes + " B";
    }
    String[] units = {"kB", "MB", "GB", "TB"};
    double value = bytes;
    int unit = -1;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1_000;
      unit++;
    }
    return String.format(Locale.ROOT, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
  }

  static String seconds(double seconds) {
    if (seconds < 10) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + " s";
    }
    return whole < 3600
        ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole % 3600 / 60);
  }

  static String share(double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.3f", value);
  }

  static String time(Instant instant) {
    return TIME.format(instant.atZone(ZoneId.systemDefault()));
  }

  static String count(long count, String one) {
    return count + " " + (count == 1 ? one : one + "s");
  }

  /** The first line of a text, cut where it is long. */
  static String brief(String text, int most) {
    String flat = text.strip().replaceAll("\\s+", " ");
    return flat.length() <= most ? flat : flat.substring(0, most - 1) + "…";
  }
}
