package dev.cambium.engine.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Python's idea of values. They are {@link None}, Boolean, Long, Double, String, {@link Undefined},
 * List, {@link Tuple}, Map, {@link Lazy}, {@link Namespace} and {@link Callable}; a BigInteger may
 * come in, and go out as it is.
 */
final class Values {

  static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private Values() {}

  /** What comes from outside, copied. */
  static Object of(@Nullable Object value) {
    if (value == null) {
      return None.NONE;
    }
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    }
    if (value instanceof Float || value instanceof BigDecimal) {
      return ((Number) value).doubleValue();
    }
    if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>();
      for (Object element : list) {
        copy.add(of(element));
      }
      return copy;
    }
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      map.forEach((key, element) -> copy.put(String.valueOf(key), of(element)));
      return copy;
    }
    if (value instanceof Boolean
        || value instanceof Long
        || value instanceof Double
        || value instanceof BigInteger
        || value instanceof String) {
      return value;
    }
    throw new IllegalArgumentException("not a value for a template: " + value.getClass().getName());
  }

  static boolean isTrue(Object value) {
    if (value instanceof Boolean flag) {
      return flag;
    }
    if (value instanceof String text) {
      return !text.isEmpty();
    }
    if (value instanceof List<?> list) {
      return !list.isEmpty();
    }
    if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    if (value instanceof Number number) {
      return number.doubleValue() != 0;
    }
    return !(value instanceof None || value instanceof Undefined);
  }

  /** Python's name of a value's type. */
  static String type(Object value) {
    if (value instanceof None) {
      return "None";
    }
    if (value instanceof Boolean) {
      return "a bool";
    }
    if (value instanceof Long || value instanceof BigInteger) {
      return "an int";
    }
    if (value instanceof Double) {
      return "a float";
    }
    if (value instanceof String) {
      return "a str";
    }
    if (value instanceof Tuple) {
      return "a tuple";
    }
    if (value instanceof List<?>) {
      return "a list";
    }
    if (value instanceof Map<?, ?>) {
      return "a dict";
    }
    if (value instanceof Undefined) {
      return "an undefined value";
    }
    return value instanceof Lazy
        ? "a generator"
        : value instanceof Namespace ? "a namespace" : "a function";
  }

  /** A key of a map. */
  static Object key(Object value) {
    if (value instanceof String
        || value instanceof Long
        || value instanceof Boolean
        || value instanceof None) {
      return value;
    }
    throw value instanceof Undefined undefined
        ? undefined.used()
        : JinjaException.failed(type(value) + " as a key of a dict is not supported");
  }

  /** What a loop goes over. */
  static List<Object> elements(Object value, Run run) {
    List<Object> elements = new ArrayList<>();
    if (value instanceof List<?> list) {
      elements.addAll(list);
    } else if (value instanceof Map<?, ?> map) {
      elements.addAll(map.keySet());
    } else if (value instanceof String text) {
      run.elements(text.length());
      text.codePoints().forEach(c -> elements.add(Character.toString(c)));
    } else if (value instanceof Lazy lazy) {
      lazy.forEach(elements::add);
    } else if (!(value instanceof Undefined)) {
      throw JinjaException.failed(type(value) + " is not iterable");
    }
    run.elements(elements.size());
    return elements;
  }

  static long length(Object value) {
    if (value instanceof String text) {
      return text.codePointCount(0, text.length());
    }
    if (value instanceof List<?> list) {
      return list.size();
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    if (value instanceof Undefined) {
      return 0;
    }
    throw JinjaException.failed(type(value) + " has no length");
  }

  static boolean compares(Object left, String operator, Object right, Run run) {
    run.step();
    return switch (operator) {
      case "==" -> equal(left, right, run);
      case "!=" -> !equal(left, right, run);
      case "<" -> compare(left, right, run) < 0;
      case "<=" -> compare(left, right, run) <= 0;
      case ">" -> compare(left, right, run) > 0;
      case ">=" -> compare(left, right, run) >= 0;
      case "in" -> isIn(left, right, run);
      default -> !isIn(left, right, run);
    };
  }

  static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  private static BigDecimal exact(Object number) {
    if (number instanceof Boolean flag) {
      return flag ? BigDecimal.ONE : BigDecimal.ZERO;
    }
    if (number instanceof Double value) {
      return new BigDecimal(value);
    }
    return number instanceof BigInteger big
        ? new BigDecimal(big)
        : BigDecimal.valueOf(((Number) number).longValue());
  }

  private static boolean isOdd(Object value) {
    return value instanceof Double number && !Double.isFinite(number);
  }

  static boolean equal(Object left, Object right, Run run) {
    run.step();
    if (isNumber(left) && isNumber(right)) {
      return isOdd(left) || isOdd(right)
          ? ((Number) left).doubleValue() == ((Number) right).doubleValue()
          : exact(left).compareTo(exact(right)) == 0;
    }
    if (left instanceof String text && right instanceof String other) {
      run.charge(Math.min(text.length(), other.length()));
      return text.equals(other);
    }
    if (left instanceof List<?> list && right instanceof List<?> other) {
      if ((left instanceof Tuple) != (right instanceof Tuple) || list.size() != other.size()) {
        return false;
      }
      for (int i = 0; i < list.size(); i++) {
        if (!equal(element(list, i), element(other, i), run)) {
          return false;
        }
      }
      return true;
    }
    if (left instanceof Map<?, ?> map && right instanceof Map<?, ?> other) {
      if (!map.keySet().equals(other.keySet())) {
        return false;
      }
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        if (!equal(value(entry.getValue()), value(other.get(entry.getKey())), run)) {
          return false;
        }
      }
      return true;
    }
    return left instanceof Undefined ? right instanceof Undefined : left == right;
  }

  /** An element of a list; none is ever Java's null. */
  static Object element(List<?> list, int index) {
    return value(list.get(index));
  }

  private static Object value(@Nullable Object value) {
    return java.util.Objects.requireNonNull(value);
  }

  static int compare(Object left, Object right, Run run) {
    run.step();
    if (isNumber(left) && isNumber(right) && !isOdd(left) && !isOdd(right)) {
      return exact(left).compareTo(exact(right));
    }
    if (left instanceof String text && right instanceof String other) {
      run.charge(Math.min(text.length(), other.length()));
      return Strings.compare(text, other);
    }
    if (left instanceof List<?> list
        && right instanceof List<?> other
        && (left instanceof Tuple) == (right instanceof Tuple)) {
      for (int i = 0; i < Math.min(list.size(), other.size()); i++) {
        if (!equal(element(list, i), element(other, i), run)) {
          return compare(element(list, i), element(other, i), run);
        }
      }
      return Integer.compare(list.size(), other.size());
    }
    for (Object one : List.of(left, right)) {
      if (one instanceof Undefined undefined) {
        throw undefined.used();
      }
    }
    throw JinjaException.failed(type(left) + " and " + type(right) + " cannot be ordered");
  }

  static boolean isIn(Object value, Object container, Run run) {
    if (container instanceof String text) {
      if (!(value instanceof String part)) {
        throw JinjaException.failed("'in <string>' requires a string, not " + type(value));
      }
      run.charge(text.length());
      return text.contains(part);
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(key(value));
    }
    for (Object element : elements(container, run)) {
      if (equal(value, element, run)) {
        return true;
      }
    }
    return false;
  }

  /** How a value is written: Python's {@code str}. */
  static String string(Object value, Run run) {
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Undefined) {
      return "";
    }
    StringBuilder out = new StringBuilder();
    represent(value, run, out);
    return run.text(out.toString());
  }

  private static void represent(Object value, Run run, StringBuilder out) {
    run.room(out.length());
    if (value instanceof String text) {
      Strings.quote(text, out);
    } else if (value instanceof None) {
      out.append("None");
    } else if (value instanceof Boolean flag) {
      out.append(flag ? "True" : "False");
    } else if (value instanceof Double number) {
      out.append(Strings.ofFloat(number, "nan", "inf"));
    } else if (value instanceof Long || value instanceof BigInteger) {
      out.append(value);
    } else if (value instanceof List<?> list) {
      boolean tuple = value instanceof Tuple;
      out.append(tuple ? '(' : '[');
      for (int i = 0; i < list.size(); i++) {
        out.append(i > 0 ? ", " : "");
        represent(element(list, i), run, out);
      }
      out.append(tuple ? list.size() == 1 ? ",)" : ")" : "]");
    } else if (value instanceof Map<?, ?> map) {
      out.append('{');
      String separator = "";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        out.append(separator);
        represent(value(entry.getKey()), run, out);
        out.append(": ");
        represent(value(entry.getValue()), run, out);
        separator = ", ";
      }
      out.append('}');
    } else if (value instanceof Undefined) {
      out.append("Undefined");
    } else {
      throw JinjaException.failed(type(value) + " cannot be written out");
    }
  }
}
