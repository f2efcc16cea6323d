package dev.cambium.engine.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens, with {@code trim_blocks} and {@code lstrip_blocks} set, as
 * transformers sets them. Follows {@code jinja2.lexer}.
 */
final class Lexer {

  enum Kind {
    TEXT,
    /** Begins an expression that is written out. */
    PRINT,
    PRINT_END,
    TAG,
    TAG_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  record Token(Kind kind, String text, int line) {
    boolean is(String operator) {
      return kind == Kind.OPERATOR && text.equals(operator);
    }

    boolean isName(String name) {
      return kind == Kind.NAME && text.equals(name);
    }
  }

  private static final Pattern FLOAT =
      Pattern.compile(
          "(?<!\\.)(\\d+_)*\\d+((\\.(\\d+_)*\\d+)?[eE][+-]?(\\d+_)*\\d+|\\.(\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile("0[xX](_?[0-9a-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+|[0-9](_?[0-9])*");
  private static final Pattern NAME =
      Pattern.compile("[\\p{L}_][\\p{L}\\p{Nd}\\p{M}_]*", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw\\s*(?:-%}\\s*|%})");
  private static final Pattern END_RAW =
      Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\\n?)");
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")",
          "[", "]", "{", "}", ",", ".", ":", "|", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private boolean atLineStart = true;

  private Lexer(String source) {
    String unified = source.replace("\r\n", "\n").replace('\r', '\n');
    this.source = unified.endsWith("\n") ? unified.substring(0, unified.length() - 1) : unified;
  }

  static List<Token> tokens(String source) {
    Lexer lexer = new Lexer(source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int open = opening(at);
      String text = source.substring(at, open);
      if (open == source.length()) {
        add(Kind.TEXT, text);
        at = open;
        break;
      }
      char sort = source.charAt(open + 1);
      char sign = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
      add(Kind.TEXT, before(text, sort, sign));
      count(text);
      at = open;
      if (sort == '#') {
        comment();
      } else if (sort == '%' && matches(RAW)) {
        raw();
      } else {
        add(sort == '%' ? Kind.TAG : Kind.PRINT, "");
        at += sign == '-' || sign == '+' ? 3 : 2;
        inside(sort);
      }
    }
    add(Kind.END, "");
  }

  private int opening(int from) {
    for (int i = from; i + 1 < source.length(); i++) {
      if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return source.length();
  }

  /** What remains of the text before a tag. */
  private String before(String text, char sort, char sign) {
    if (sign == '-') {
      return Strings.strip(text, "", false, true);
    }
    if (sign != '+' && sort != '{') {
      int start = text.lastIndexOf('\n') + 1;
      if ((start > 0 || atLineStart) && start < text.length() && text.substring(start).isBlank()) {
        return text.substring(0, start);
      }
    }
    return text;
  }

  private void comment() {
    int end = source.indexOf("#}", at + 2);
    if (end < 0) {
      throw failed("a comment without an end");
    }
    boolean strips = end > at + 2 && source.charAt(end - 1) == '-';
    boolean keeps = end > at + 2 && source.charAt(end - 1) == '+';
    finish(end + 2, strips, !keeps);
  }

  private void raw() {
    Matcher begin = RAW.matcher(source).region(at, source.length());
    begin.lookingAt();
    advance(begin.end());
    Matcher end = END_RAW.matcher(source);
    if (!end.find(at)) {
      throw failed("a raw block without an end");
    }
    String text = source.substring(at, end.start());
    add(Kind.TEXT, before(text, '%', end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0)));
    advance(end.end());
  }

  private void inside(char sort) {
    Deque<Character> brackets = new ArrayDeque<>();
    String close = sort == '%' ? "%}" : "}}";
    while (at < source.length()) {
      if (brackets.isEmpty()) {
        boolean strips = source.startsWith("-" + close, at);
        boolean keeps = sort == '%' && source.startsWith("+" + close, at);
        if (strips || keeps || source.startsWith(close, at)) {
          add(sort == '%' ? Kind.TAG_END : Kind.PRINT_END, "");
          finish(at + (strips || keeps ? 3 : 2), strips, sort == '%' && !keeps);
          return;
        }
      }
      char c = source.charAt(at);
      if (Strings.isSpace(c)) {
        advance(at + 1);
      } else if (c == '\'' || c == '"') {
        string(c);
      } else if (!take(FLOAT, Kind.FLOAT)
          && !take(INTEGER, Kind.INTEGER)
          && !take(NAME, Kind.NAME)) {
        operator(brackets);
      }
    }
    throw failed("a tag without an end");
  }

  private void operator(Deque<Character> brackets) {
    String operator =
        OPERATORS.stream()
            .filter(o -> source.startsWith(o, at))
            .findFirst()
            .orElseThrow(() -> failed("unexpected character '" + source.charAt(at) + "'"));
    switch (operator) {
      case "(" -> brackets.push(')');
      case "[" -> brackets.push(']');
      case "{" -> brackets.push('}');
      case ")", "]", "}" -> {
        if (brackets.isEmpty() || brackets.pop() != operator.charAt(0)) {
          throw failed("unexpected '" + operator + "'");
        }
      }
      default -> {}
    }
    add(Kind.OPERATOR, operator);
    at += operator.length();
  }

  private boolean take(Pattern pattern, Kind kind) {
    Matcher matcher = pattern.matcher(source).region(at, source.length());
    matcher.useTransparentBounds(true);
    if (!matcher.lookingAt()) {
      return false;
    }
    add(kind, matcher.group());
    at = matcher.end();
    return true;
  }

  private void string(char quote) {
    StringBuilder text = new StringBuilder();
    int i = at + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      char c = source.charAt(i);
      if (c != '\\' || i + 1 >= source.length()) {
        text.append(c);
        i++;
      } else {
        i = escape(i + 1, text);
      }
    }
    if (i >= source.length()) {
      throw failed("a string without an end");
    }
    add(Kind.STRING, text.toString());
    advance(i + 1);
  }

  /** Python's escapes. */
  private int escape(int i, StringBuilder text) {
    char c = source.charAt(i);
    int digits =
        switch (c) {
          case 'x' -> 2;
          case 'u' -> 4;
          case 'U' -> 8;
          default -> 0;
        };
    if (digits > 0) {
      String hex = source.substring(i + 1, Math.min(source.length(), i + 1 + digits));
      if (!hex.matches("[0-9a-fA-F]{" + digits + "}")) {
        throw failed("an escape \\" + c + " without " + digits + " hexadecimal digits");
      }
      long point = Long.parseLong(hex, 16);
      if (point > Character.MAX_CODE_POINT) {
        throw failed("no character \\" + c + hex);
      }
      text.appendCodePoint((int) point);
      return i + 1 + digits;
    }
    if (c >= '0' && c <= '7') {
      int end = i;
      while (end < Math.min(source.length(), i + 3)
          && source.charAt(end) >= '0'
          && source.charAt(end) <= '7') {
        end++;
      }
      text.append((char) Integer.parseInt(source.substring(i, end), 8));
      return end;
    }
    switch (c) {
      case '\n' -> {}
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case 'r' -> text.append('\r');
      case 'a' -> text.append('\u0007');
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case 'v' -> text.append('\u000b');
      case '\\', '\'', '"' -> text.append(c);
      case 'N' -> throw failed("\\N in a string is not supported");
      default -> text.append('\\').append(c);
    }
    return i + 1;
  }

  /** Goes past the end of a tag, and past what the end takes with it. */
  private void finish(int end, boolean strips, boolean trims) {
    int to = end;
    if (strips) {
      while (to < source.length() && Strings.isSpace(source.charAt(to))) {
        to++;
      }
    } else if (trims && to < source.length() && source.charAt(to) == '\n') {
      to++;
    }
    advance(to);
  }

  private void advance(int to) {
    count(source.substring(at, to));
    atLineStart = source.charAt(to - 1) == '\n';
    at = to;
  }

  private void count(String text) {
    line += (int) text.chars().filter(c -> c == '\n').count();
  }

  private boolean matches(Pattern pattern) {
    return pattern.matcher(source).region(at, source.length()).lookingAt();
  }

  private void add(Kind kind, String text) {
    if (kind != Kind.TEXT || !text.isEmpty()) {
      tokens.add(new Token(kind, text, line));
    }
  }

  private JinjaException failed(String message) {
    return JinjaException.failed(message).at(line);
  }
}
