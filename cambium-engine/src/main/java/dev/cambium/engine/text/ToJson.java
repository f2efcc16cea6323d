package dev.cambium.engine.text;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.AdvancedFilter;
import com.hubspot.jinjava.objects.PyWrapper;
import com.hubspot.jinjava.objects.SafeString;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The {@code tojson} of chat templates, byte for byte as Python's {@code json.dumps(…,
 * ensure_ascii=False)} writes it; the template library's own differs in its spaces.
 */
final class ToJson implements AdvancedFilter {

  @Override
  public String getName() {
    return "tojson";
  }

  @Override
  public Object filter(
      @Nullable Object value,
      JinjavaInterpreter interpreter,
      Object[] args,
      Map<String, Object> named) {
    Object indent = named.get("indent");
    StringBuilder out = new StringBuilder();
    write(value, indent instanceof Number n ? n.intValue() : -1, 0, out);
    return out.toString();
  }

  private static void write(@Nullable Object value, int indent, int depth, StringBuilder out) {
    if (depth > 200) {
      throw new IllegalArgumentException("tojson: nested more than 200 deep");
    }
    if (value == null) {
      out.append("null");
    } else if (value instanceof Map<?, ?> map) {
      writeAll(map.entrySet().iterator(), '{', '}', indent, depth, out);
    } else if (value instanceof Iterable<?> list) {
      writeAll(list.iterator(), '[', ']', indent, depth, out);
    } else if (value instanceof Boolean
        || value instanceof Integer
        || value instanceof Long
        || value instanceof BigInteger) {
      out.append(value);
    } else if (value instanceof BigDecimal decimal) {
      writeFloat(decimal.doubleValue(), out);
    } else if (value instanceof Number number) {
      writeFloat(number.doubleValue(), out);
    } else if (value instanceof CharSequence || value instanceof SafeString) {
      quote(value.toString(), out);
    } else if (value instanceof PyWrapper) {
      quote(value.toString(), out);
    } else {
      throw new IllegalArgumentException("tojson: no JSON form of " + value.getClass().getName());
    }
  }

  private static void writeAll(
      Iterator<?> members, char open, char close, int indent, int depth, StringBuilder out) {
    out.append(open);
    boolean any = members.hasNext();
    while (members.hasNext()) {
      newLine(indent, depth + 1, out);
      Object member = members.next();
      if (open == '{' && member instanceof Map.Entry<?, ?> entry) {
        quote(String.valueOf(entry.getKey()), out);
        out.append(": ");
        write(entry.getValue(), indent, depth + 1, out);
      } else {
        write(member, indent, depth + 1, out);
      }
      if (members.hasNext()) {
        out.append(indent < 0 ? ", " : ",");
      }
    }
    if (any) {
      newLine(indent, depth, out);
    }
    out.append(close);
  }

  private static void newLine(int indent, int depth, StringBuilder out) {
    if (indent >= 0) {
      out.append('\n').append(" ".repeat(indent * depth));
    }
  }

  /** Python's repr of a float: the shortest digits, exponent form outside 1e-4 to 1e16. */
  private static void writeFloat(double value, StringBuilder out) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      out.append(Double.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
      return;
    }
    double size = Math.abs(value);
    BigDecimal shortest = new BigDecimal(Double.toString(value));
    if (size == 0 || (size >= 1e-4 && size < 1e16)) {
      String plain = shortest.toPlainString();
      out.append(plain.contains(".") ? plain : plain + ".0");
      return;
    }
    BigDecimal digits = shortest.stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    BigDecimal mantissa = digits.movePointLeft(exponent).stripTrailingZeros();
    out.append(mantissa.toPlainString())
        .append('e')
        .append(exponent < 0 ? '-' : '+')
        .append(Math.abs(exponent) < 10 ? "0" : "")
        .append(Math.abs(exponent));
  }

  private static void quote(String text, StringBuilder out) {
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
          if (c < 0x20) {
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
