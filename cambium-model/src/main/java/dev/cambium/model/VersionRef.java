package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a version for people: the n-th of a line, {@code banking@3}.
 *
 * @param line the line's name
 * @param number from 1
 */
public record VersionRef(String line, int number) implements Comparable<VersionRef> {

  private static final Pattern FORM =
      Pattern.compile("([a-z0-9][a-z0-9._-]{0,62})@([1-9][0-9]{0,8})");
  private static final Pattern LINE = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");

  public VersionRef {
    checkLine(line);
    if (number < 1) {
      throw new IllegalArgumentException("version numbers start at 1: " + line + "@" + number);
    }
  }

  /** Refuses a line name that could not be a file name, a URL segment and a YAML key alike. */
  public static String checkLine(String line) {
    if (!LINE.matcher(line).matches()) {
      throw new IllegalArgumentException(
          "not a line name: '"
              + line
              + "' (lower-case letters, digits, '.', '_', '-'; at most 63)");
    }
    return line;
  }

  /** Reads {@code line@n}. */
  @JsonCreator
  public static VersionRef parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "not a version (LINE@N, such as banking@3): '" + text + "'");
    }
    return new VersionRef(matcher.group(1), Integer.parseInt(matcher.group(2)));
  }

  @Override
  public int compareTo(VersionRef other) {
    int byLine = line.compareTo(other.line);
    return byLine != 0 ? byLine : Integer.compare(number, other.number);
  }

  @Override
  @JsonValue
  public String toString() {
    return line + "@" + number;
  }
}
