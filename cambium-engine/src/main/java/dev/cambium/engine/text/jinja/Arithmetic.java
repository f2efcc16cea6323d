package dev.cambium.engine.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** Python's operators on numbers, strings and lists. Integers have 63 bits; more is refused. */
final class Arithmetic {

  private Arithmetic() {}

  static Object number(Object value) {
    if (value instanceof Boolean flag) {
      return flag ? 1L : 0L;
    }
    if (value instanceof Long || value instanceof Double) {
      return value;
    }
    throw value instanceof Undefined undefined
        ? undefined.used()
        : JinjaException.failed("a number is needed, not " + Values.type(value));
  }

  static Object negated(Object value) {
    Object number = number(value);
    if (number instanceof Long whole) {
      return apply(0L, "-", whole);
    }
    return -(Double) number;
  }

  static Object apply(Object left, String operator, Object right, Run run) {
    for (Object operand : List.of(left, right)) {
      if (operand instanceof Undefined undefined) {
        throw undefined.used();
      }
    }
    if (operator.equals("+")) {
      if (left instanceof String text && right instanceof String other) {
        run.room((long) text.length() + other.length());
        return text + other;
      }
      if (left instanceof List<?> list
          && right instanceof List<?> other
          && (left instanceof Tuple) == (right instanceof Tuple)) {
        run.elements((long) list.size() + other.size());
        List<Object> all = new ArrayList<>(list);
        all.addAll(other);
        return left instanceof Tuple ? new Tuple(all) : all;
      }
    }
    if (operator.equals("*")) {
      if (right instanceof Long times && (left instanceof String || left instanceof List<?>)) {
        return repeated(left, times, run);
      }
      if (left instanceof Long times && (right instanceof String || right instanceof List<?>)) {
        return repeated(right, times, run);
      }
    }
    if (operator.equals("%") && left instanceof String pattern) {
      List<Object> values = right instanceof Tuple tuple ? tuple : List.of(right);
      return Formats.percent(pattern, values, run);
    }
    if (!Values.isNumber(left) || !Values.isNumber(right)) {
      throw JinjaException.failed(
          "'"
              + operator
              + "' is not possible on "
              + Values.type(left)
              + " and "
              + Values.type(right));
    }
    return apply(number(left), operator, number(right));
  }

  private static Object repeated(Object value, long times, Run run) {
    int count = (int) Math.max(0, Math.min(times, Run.MAX_TEXT));
    if (value instanceof String text) {
      run.room((long) text.length() * count);
      return text.repeat(count);
    }
    List<?> list = (List<?>) value;
    run.elements((long) list.size() * count);
    List<Object> all = new ArrayList<>();
    for (int i = 0; i < count && !list.isEmpty(); i++) {
      all.addAll(list);
    }
    return value instanceof Tuple ? new Tuple(all) : all;
  }

  private static Object apply(Object left, String operator, Object right) {
    boolean divides = operator.equals("/") || operator.equals("//") || operator.equals("%");
    if (divides && ((Number) right).doubleValue() == 0) {
      throw JinjaException.failed("division by zero");
    }
    if (left instanceof Long a && right instanceof Long b && !operator.equals("/")) {
      try {
        return switch (operator) {
          case "+" -> Math.addExact(a, b);
          case "-" -> Math.subtractExact(a, b);
          case "*" -> Math.multiplyExact(a, b);
          case "//" -> Math.floorDiv(a, b);
          case "%" -> Math.floorMod(a, b);
          default -> power(a, b);
        };
      } catch (ArithmeticException e) {
        throw JinjaException.failed("integers of more than 63 bits are not supported");
      }
    }
    double a = ((Number) left).doubleValue();
    double b = ((Number) right).doubleValue();
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> {
        double rest = a % b;
        yield rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
      }
      default -> Math.pow(a, b);
    };
  }

  private static Object power(long base, long exponent) {
    if (exponent < 0) {
      return Math.pow(base, exponent);
    }
    long result = 1;
    if (base == 0 || base == 1 || base == -1) {
      return exponent == 0 ? 1L : base == -1 && exponent % 2 == 0 ? 1L : base;
    }
    for (long i = 0; i < exponent; i++) {
      result = Math.multiplyExact(result, base);
    }
    return result;
  }
}
