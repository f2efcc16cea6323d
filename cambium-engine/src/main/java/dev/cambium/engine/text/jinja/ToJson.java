package dev.cambium.engine.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The {@code tojson} of chat templates, byte for byte as Python's {@code json.dumps} writes it;
 * unlike Jinja's own, transformers' leaves HTML and other alphabets alone.
 */
final class ToJson {

  private static final int MAX_DEPTH = 200;

  private final Run run;
  private final StringBuilder out = new StringBuilder();
  private final boolean ascii;
  private final Optional<String> indent;
  private final String comma;
  private final String colon;
  private final boolean sorted;

  private ToJson(Arguments arguments, Run run) {
    this.run = run;
    this.ascii = arguments.flag("ensure_ascii", false);
    this.indent = indent(arguments.take("indent", None.NONE));
    Object separators = arguments.take("separators", None.NONE);
    this.sorted = arguments.flag("sort_keys", false);
    if (separators == None.NONE) {
      this.comma = indent.isPresent() ? "," : ", ";
      this.colon = ": ";
    } else if (separators instanceof List<?> two
        && two.size() == 2
        && two.get(0) instanceof String first
        && two.get(1) instanceof String second) {
      this.comma = first;
      this.colon = second;
    } else {
      throw JinjaException.failed("tojson: 'separators' must be two strings");
    }
  }

  private static Optional<String> indent(Object value) {
    if (value == None.NONE) {
      return Optional.empty();
    }
    if (value instanceof String text) {
      return Optional.of(text);
    }
    long width = value instanceof Long number ? number : -1;
    if (width < 0 || width > 100) {
      throw JinjaException.failed("tojson: 'indent' must be a string or a number from 0 to 100");
    }
    return Optional.of(" ".repeat((int) width));
  }

  static Object filter(Object value, Arguments arguments, Run run) {
    ToJson json = new ToJson(arguments, run);
    json.write(value, 0);
    return json.out.toString();
  }

  private void write(Object value, int depth) {
    run.room(out.length());
    if (depth > MAX_DEPTH) {
      throw JinjaException.unbounded("tojson: nested more than " + MAX_DEPTH + " deep");
    }
    if (value == None.NONE) {
      out.append("null");
    } else if (value instanceof Map<?, ?> map) {
      List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
      if (sorted) {
        entries.sort((a, b) -> Strings.compare(key(a), key(b)));
      }
      writeAll(entries.iterator(), '{', '}', depth);
    } else if (value instanceof List<?> list) {
      writeAll(list.iterator(), '[', ']', depth);
    } else if (value instanceof Boolean || value instanceof Long || value instanceof BigInteger) {
      out.append(value);
    } else if (value instanceof Double number) {
      out.append(Strings.ofFloat(number, "NaN", "Infinity"));
    } else if (value instanceof String text) {
      quote(text);
    } else {
      throw value instanceof Undefined undefined
          ? undefined.used()
          : JinjaException.failed(Values.type(value) + " has no JSON form");
    }
  }

  private static String key(Map.Entry<?, ?> entry) {
    Object key = entry.getKey();
    return key == None.NONE ? "null" : String.valueOf(key);
  }

  private void writeAll(Iterator<?> members, char open, char close, int depth) {
    out.append(open);
    boolean any = members.hasNext();
    while (members.hasNext()) {
      newLine(depth + 1);
      Object member = java.util.Objects.requireNonNull(members.next());
      if (open == '{' && member instanceof Map.Entry<?, ?> entry) {
        quote(key(entry));
        out.append(colon);
        write(java.util.Objects.requireNonNull(entry.getValue()), depth + 1);
      } else {
        write(member, depth + 1);
      }
      out.append(members.hasNext() ? comma : "");
    }
    if (any) {
      newLine(depth);
    }
    out.append(close);
  }

  private void newLine(int depth) {
    indent.ifPresent(one -> out.append('\n').append(one.repeat(depth)));
  }

  private void quote(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 0x20 || (ascii && c > 0x7e)) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
