package dev.cambium.engine.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways to fill values into a text; the common part of each. */
final class Formats {

  private static final Pattern PERCENT =
      Pattern.compile(
          "%(?<flags>[-0]?)(?<width>\\d{0,4})(?:\\.(?<digits>\\d{1,2}))?(?<kind>.)",
          Pattern.DOTALL);
  private static final Pattern BRACES =
      Pattern.compile("\\{\\{|}}|\\{(?<name>[^{}:!]*)(?<more>[^{}]*)}|[{}]");

  private Formats() {}

  /** {@code pattern % values}, with {@code %s}, {@code %d}, {@code %f}, {@code %r} and width. */
  static String percent(String pattern, List<Object> values, Run run) {
    StringBuilder out = new StringBuilder();
    Matcher matcher = PERCENT.matcher(pattern);
    int from = 0;
    int next = 0;
    while (matcher.find()) {
      out.append(pattern, from, matcher.start());
      from = matcher.end();
      if (matcher.group().equals("%%")) {
        out.append('%');
        continue;
      }
      if (next >= values.size()) {
        throw JinjaException.failed("not enough arguments for format string");
      }
      out.append(padded(matcher, value(matcher, values.get(next++), run)));
      run.room(out.length());
    }
    if (next < values.size()) {
      throw JinjaException.failed("not all arguments converted during string formatting");
    }
    return run.text(out.append(pattern.substring(from)).toString());
  }

  private static String value(Matcher matcher, Object value, Run run) {
    String digits = matcher.group("digits");
    switch (matcher.group("kind")) {
      case "s" -> {
        String text = Values.string(value, run);
        return digits == null
            ? text
            : text.substring(0, Math.min(text.length(), Integer.parseInt(digits)));
      }
      case "d", "i" -> {
        Object number = Arithmetic.number(value);
        return String.valueOf(number instanceof Double d ? d.longValue() : number);
      }
      case "f" -> {
        double number = ((Number) Arithmetic.number(value)).doubleValue();
        int places = digits == null ? 6 : Integer.parseInt(digits);
        return Filters.rounded(number, places).toPlainString();
      }
      default ->
          throw JinjaException.failed("the format '" + matcher.group() + "' is not supported");
    }
  }

  private static String padded(Matcher matcher, String text) {
    String width = matcher.group("width");
    int missing = width.isEmpty() ? 0 : Integer.parseInt(width) - text.length();
    if (missing <= 0) {
      return text;
    }
    return switch (matcher.group("flags")) {
      case "-" -> text + " ".repeat(missing);
      case "0" ->
          matcher.group("kind").equals("s")
              ? " ".repeat(missing) + text
              : text.startsWith("-")
                  ? "-" + "0".repeat(missing) + text.substring(1)
                  : "0".repeat(missing) + text;
      default -> " ".repeat(missing) + text;
    };
  }

  /** {@code pattern.format(…)}: fields without attributes, conversions or format. */
  static String braces(String pattern, List<Object> values, Map<String, Object> named, Run run) {
    StringBuilder out = new StringBuilder();
    Matcher matcher = BRACES.matcher(pattern);
    int from = 0;
    int next = 0;
    while (matcher.find()) {
      out.append(pattern, from, matcher.start());
      from = matcher.end();
      String whole = matcher.group();
      String name = matcher.group("name");
      if (whole.equals("{{") || whole.equals("}}")) {
        out.append(whole.charAt(0));
        continue;
      }
      if (name == null) {
        throw JinjaException.failed("a single '" + whole + "' in a format string");
      }
      Object value;
      if (!matcher.group("more").isEmpty() || name.contains(".") || name.contains("[")) {
        throw JinjaException.failed("the format '" + whole + "' is not supported");
      } else if (name.isEmpty() || name.matches("\\d{1,4}")) {
        int index = name.isEmpty() ? next++ : Integer.parseInt(name);
        if (index >= values.size()) {
          throw JinjaException.failed("replacement index " + index + " out of range");
        }
        value = values.get(index);
      } else if (named.containsKey(name)) {
        value = java.util.Objects.requireNonNull(named.get(name));
      } else {
        throw JinjaException.failed("the format string has no value for '" + name + "'");
      }
      out.append(Values.string(value, run));
      run.room(out.length());
    }
    return run.text(out.append(pattern.substring(from)).toString());
  }
}
