package dev.cambium.engine.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;

/** The methods of Python's strings. */
final class StringMethods {

  /** Those that Python has and this has not: named, never taken for absent. */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "encode",
          "format_map",
          "isascii",
          "isidentifier",
          "isprintable",
          "istitle",
          "maketrans",
          "translate");

  private StringMethods() {}

  static Optional<Callable> named(String text, String name) {
    if (UNSUPPORTED.contains(name)) {
      throw JinjaException.failed("the method '" + name + "' of strings is not supported");
    }
    Callable plain = plain(text, name);
    if (plain == null) {
      return Optional.empty();
    }
    return Optional.of(
        (run, arguments) -> {
          run.charge(text.length());
          Object value = plain.call(run, arguments);
          arguments.end();
          return value instanceof String made ? run.text(made) : value;
        });
  }

  private static @org.jspecify.annotations.Nullable Callable plain(String text, String name) {
    return switch (name) {
      case "strip" -> (run, a) -> Strings.strip(text, set(a), true, true);
      case "lstrip" -> (run, a) -> Strings.strip(text, set(a), true, false);
      case "rstrip" -> (run, a) -> Strings.strip(text, set(a), false, true);
      case "startswith" -> (run, a) -> any(a.need("prefix"), text::startsWith);
      case "endswith" -> (run, a) -> any(a.need("suffix"), text::endsWith);
      case "removeprefix" ->
          (run, a) -> {
            String prefix = a.needText("prefix");
            return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
          };
      case "removesuffix" ->
          (run, a) -> {
            String suffix = a.needText("suffix");
            return text.endsWith(suffix)
                ? text.substring(0, text.length() - suffix.length())
                : text;
          };
      case "upper" -> (run, a) -> text.toUpperCase(Locale.ROOT);
      case "lower", "casefold" -> (run, a) -> text.toLowerCase(Locale.ROOT);
      case "title" -> (run, a) -> title(text);
      case "capitalize" -> (run, a) -> capitalize(text);
      case "swapcase" -> (run, a) -> swapCase(text);
      case "replace" ->
          (run, a) ->
              replace(text, a.needText("old"), a.needText("new"), a.integer("count", -1), run);
      case "find" -> (run, a) -> index(text, text.indexOf(a.needText("sub")));
      case "rfind" -> (run, a) -> index(text, text.lastIndexOf(a.needText("sub")));
      case "index" -> (run, a) -> found(index(text, text.indexOf(a.needText("sub"))));
      case "rindex" -> (run, a) -> found(index(text, text.lastIndexOf(a.needText("sub"))));
      case "count" -> (run, a) -> count(text, a.needText("sub"));
      case "split" -> (run, a) -> split(text, a, false);
      case "rsplit" -> (run, a) -> split(text, a, true);
      case "splitlines" -> (run, a) -> lines(text, a.flag("keepends", false));
      case "partition" ->
          (run, a) -> {
            String separator = separator(a.needText("sep"));
            int at = text.indexOf(separator);
            return at < 0 ? new Tuple(List.of(text, "", "")) : parted(text, at, separator);
          };
      case "rpartition" ->
          (run, a) -> {
            String separator = separator(a.needText("sep"));
            int at = text.lastIndexOf(separator);
            return at < 0 ? new Tuple(List.of("", "", text)) : parted(text, at, separator);
          };
      case "join" -> (run, a) -> join(text, Values.elements(a.need("iterable"), run), run);
      case "format" -> (run, a) -> Formats.braces(text, a.rest(), a.restNamed(), run);
      case "center" -> (run, a) -> center(text, a.integer("width", 0), fill(a));
      case "ljust" ->
          (run, a) -> {
            int missing = missing(text, a.integer("width", 0));
            return text + fill(a).repeat(missing);
          };
      case "rjust" ->
          (run, a) -> {
            int missing = missing(text, a.integer("width", 0));
            return fill(a).repeat(missing) + text;
          };
      case "zfill" ->
          (run, a) -> {
            String zeros = "0".repeat(missing(text, a.integer("width", 0)));
            boolean sign = text.startsWith("-") || text.startsWith("+");
            return sign ? text.charAt(0) + zeros + text.substring(1) : zeros + text;
          };
      case "expandtabs" -> (run, a) -> expandTabs(text, a.integer("tabsize", 8), run);
      case "isdigit", "isnumeric", "isdecimal" -> (run, a) -> all(text, Character::isDigit);
      case "isalpha" -> (run, a) -> all(text, Character::isLetter);
      case "isalnum" -> (run, a) -> all(text, Character::isLetterOrDigit);
      case "isspace" -> (run, a) -> all(text, Strings::isSpace);
      case "isupper" -> (run, a) -> cased(text, Character::isUpperCase, Character::isLowerCase);
      case "islower" -> (run, a) -> cased(text, Character::isLowerCase, Character::isUpperCase);
      default -> null;
    };
  }

  private static String set(Arguments arguments) {
    Object set = arguments.take("chars", None.NONE);
    if (set instanceof String text) {
      // To strip no characters is not to strip white space.
      return text.isEmpty() ? "\uffff" : text;
    }
    return "";
  }

  private interface Matches {
    boolean at(String part);
  }

  private static boolean any(Object parts, Matches matches) {
    for (Object part : parts instanceof Tuple tuple ? tuple : List.of(parts)) {
      if (!(part instanceof String text)) {
        throw JinjaException.failed("a string or a tuple of strings is needed");
      }
      if (matches.at(text)) {
        return true;
      }
    }
    return false;
  }

  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean[] inWord = new boolean[1];
    text.codePoints()
        .forEach(
            c -> {
              out.appendCodePoint(inWord[0] ? Character.toLowerCase(c) : Character.toTitleCase(c));
              inWord[0] = Character.isLetter(c);
            });
    return out.toString();
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return text.substring(0, first).toUpperCase(Locale.ROOT)
        + text.substring(first).toLowerCase(Locale.ROOT);
  }

  private static String swapCase(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .forEach(
            c ->
                out.appendCodePoint(
                    Character.isUpperCase(c)
                        ? Character.toLowerCase(c)
                        : Character.toUpperCase(c)));
    return out.toString();
  }

  /** Replaces the first occurrences; all if {@code most} is negative. */
  static String replace(String text, String old, String by, int most, Run run) {
    if (old.isEmpty()) {
      throw JinjaException.failed("to replace an empty string is not supported");
    }
    long times = count(text, old);
    times = most < 0 ? times : Math.min(times, most);
    run.room(text.length() + times * ((long) by.length() - old.length()));
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (long i = 0; i < times; i++) {
      int at = text.indexOf(old, from);
      out.append(text, from, at).append(by);
      from = at + old.length();
    }
    return out.append(text, from, text.length()).toString();
  }

  private static long index(String text, int at) {
    return at < 0 ? -1 : text.codePointCount(0, at);
  }

  private static long found(long at) {
    if (at < 0) {
      throw JinjaException.failed("substring not found");
    }
    return at;
  }

  private static long count(String text, String part) {
    if (part.isEmpty()) {
      return text.codePointCount(0, text.length()) + 1L;
    }
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private static String separator(String separator) {
    if (separator.isEmpty()) {
      throw JinjaException.failed("empty separator");
    }
    return separator;
  }

  private static Tuple parted(String text, int at, String separator) {
    return new Tuple(
        List.of(text.substring(0, at), separator, text.substring(at + separator.length())));
  }

  private static List<Object> split(String text, Arguments arguments, boolean fromEnd) {
    Object given = arguments.take("sep", None.NONE);
    int most = arguments.integer("maxsplit", -1);
    if (given == None.NONE) {
      if (most >= 0) {
        throw JinjaException.failed(
            "to split at white space a given number of times is not supported");
      }
      return words(text);
    }
    if (!(given instanceof String sep)) {
      throw JinjaException.failed("the separator must be a string");
    }
    String separator = separator(sep);
    List<Object> parts = new ArrayList<>();
    if (fromEnd) {
      int to = text.length();
      while (most < 0 || parts.size() < most) {
        int at =
            to < separator.length() ? -1 : text.lastIndexOf(separator, to - separator.length());
        if (at < 0) {
          break;
        }
        parts.add(text.substring(at + separator.length(), to));
        to = at;
      }
      parts.add(text.substring(0, to));
      Collections.reverse(parts);
      return parts;
    }
    int from = 0;
    while (most < 0 || parts.size() < most) {
      int at = text.indexOf(separator, from);
      if (at < 0) {
        break;
      }
      parts.add(text.substring(from, at));
      from = at + separator.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static List<Object> words(String text) {
    List<Object> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    for (char c : text.toCharArray()) {
      if (!Strings.isSpace(c)) {
        word.append(c);
      } else if (!word.isEmpty()) {
        words.add(word.toString());
        word.setLength(0);
      }
    }
    if (!word.isEmpty()) {
      words.add(word.toString());
    }
    return words;
  }

  static List<Object> lines(String text, boolean keepEnds) {
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if ("\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029".indexOf(text.charAt(i)) >= 0) {
        int end = i;
        if (text.startsWith("\r\n", i)) {
          i++;
        }
        lines.add(text.substring(from, keepEnds ? i + 1 : end));
        from = i + 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    return lines;
  }

  private static String join(String separator, List<Object> parts, Run run) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < parts.size(); i++) {
      if (!(parts.get(i) instanceof String part)) {
        throw JinjaException.failed("join needs strings, not " + Values.type(parts.get(i)));
      }
      out.append(i > 0 ? separator : "").append(part);
      run.room(out.length());
    }
    return out.toString();
  }

  private static int missing(String text, int width) {
    return Math.max(0, width - text.codePointCount(0, text.length()));
  }

  private static String fill(Arguments arguments) {
    String fill = arguments.text("fillchar", " ");
    if (fill.codePointCount(0, fill.length()) != 1) {
      throw JinjaException.failed("the fill character must be exactly one character long");
    }
    return fill;
  }

  static String center(String text, int width, String fill) {
    int missing = missing(text, width);
    // Python's rule: the odd one goes left where the width is odd.
    int left = missing / 2 + (missing & width & 1);
    return fill.repeat(left) + text + fill.repeat(missing - left);
  }

  private static String expandTabs(String text, int size, Run run) {
    StringBuilder out = new StringBuilder();
    int column = 0;
    for (char c : text.toCharArray()) {
      if (c == '\t') {
        int blanks = size > 0 ? size - column % size : 0;
        out.append(" ".repeat(blanks));
        run.room(out.length());
        column += blanks;
      } else {
        out.append(c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
      }
    }
    return out.toString();
  }

  private static boolean all(String text, IntPredicate is) {
    return !text.isEmpty() && text.codePoints().allMatch(is);
  }

  private static boolean cased(String text, IntPredicate is, IntPredicate isNot) {
    return text.codePoints().anyMatch(is) && text.codePoints().noneMatch(isNot);
  }
}
