package dev.cambium.engine.text;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes two things that the template library does not read as Python does in a form that it reads.
 *
 * <p>The value of a keyword argument goes into parentheses, for {@code f(x=a|length - 1)} would be
 * taken for {@code f((x=a|length) - 1)}; and {@code [::-1]} becomes a call of {@code reversed()}.
 */
final class PythonSyntax {

  private static final Pattern REVERSED = Pattern.compile("\\[\\s*:\\s*:\\s*-\\s*1\\s*]");

  private PythonSyntax() {}

  static String rewrite(String source) {
    StringBuilder out = new StringBuilder(source.length() + 16);
    int at = 0;
    while (at < source.length()) {
      int open = opening(source, at);
      out.append(source, at, open);
      if (open == source.length()) {
        break;
      }
      if (source.startsWith("{#", open)) {
        int end = source.indexOf("#}", open);
        end = end < 0 ? source.length() : end + 2;
        out.append(source, open, end);
        at = end;
      } else {
        at = expression(source, open, out);
      }
    }
    return out.toString();
  }

  /** Where the next tag, expression or comment begins. */
  private static int opening(String source, int from) {
    for (int i = from; i + 1 < source.length(); i++) {
      if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return source.length();
  }

  /** Copies one tag or expression; returns where it ends. */
  private static int expression(String source, int open, StringBuilder out) {
    String close = source.charAt(open + 1) == '%' ? "%}" : "}}";
    boolean macro = source.substring(open + 2).stripLeading().matches("(?s)-?\\s*macro\\b.*");
    out.append(source, open, open + 2);
    Deque<Character> brackets = new ArrayDeque<>();
    // Depths of brackets at which a parenthesis of ours is open.
    Deque<Integer> ours = new ArrayDeque<>();
    int i = open + 2;
    while (i < source.length()) {
      char c = source.charAt(i);
      if (brackets.isEmpty() && source.startsWith(close, i)) {
        out.append(close);
        return i + 2;
      }
      if (c == '\'' || c == '"') {
        int end = quoted(source, i);
        out.append(source, i, end);
        i = end;
        continue;
      }
      Matcher reversed = REVERSED.matcher(source).region(i, source.length());
      if (c == '[' && reversed.lookingAt()) {
        out.append(".reversed()");
        i = reversed.end();
        continue;
      }
      if ((c == ',' || c == ')') && !ours.isEmpty() && ours.peek() == brackets.size()) {
        out.append(')');
        ours.pop();
      }
      if (c == '(' || c == '[' || c == '{') {
        brackets.push(c);
      } else if ((c == ')' || c == ']' || c == '}') && !brackets.isEmpty()) {
        brackets.pop();
      }
      out.append(c);
      if (c == '='
          && !macro
          && !brackets.isEmpty()
          && brackets.peek() == '('
          && i + 1 < source.length()
          && source.charAt(i + 1) != '='
          && "=!<>".indexOf(source.charAt(i - 1)) < 0) {
        out.append('(');
        ours.push(brackets.size());
      }
      i++;
    }
    return i;
  }

  /** Where a string that begins at {@code from} ends. */
  private static int quoted(String source, int from) {
    for (int i = from + 1; i < source.length(); i++) {
      if (source.charAt(i) == '\\') {
        i++;
      } else if (source.charAt(i) == source.charAt(from)) {
        return i + 1;
      }
    }
    return source.length();
  }
}
