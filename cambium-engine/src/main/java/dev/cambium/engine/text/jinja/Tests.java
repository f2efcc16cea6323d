package dev.cambium.engine.text.jinja;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What may follow {@code is}. */
final class Tests {

  /** A test. */
  @FunctionalInterface
  interface Test {
    boolean holds(Object value, Arguments arguments, Run run);
  }

  private static final Map<String, Test> ALL = all();

  private Tests() {}

  static Optional<Test> named(String name) {
    Test test = ALL.get(name);
    if (test == null) {
      return Optional.empty();
    }
    return Optional.of(
        (value, arguments, run) -> {
          boolean holds = test.holds(value, arguments, run);
          arguments.end();
          return holds;
        });
  }

  private static Map<String, Test> all() {
    Map<String, Test> all = new LinkedHashMap<>();
    all.put("defined", (value, a, run) -> !(value instanceof Undefined));
    all.put("undefined", (value, a, run) -> value instanceof Undefined);
    all.put("none", (value, a, run) -> value == None.NONE);
    all.put("boolean", (value, a, run) -> value instanceof Boolean);
    all.put("true", (value, a, run) -> value instanceof Boolean flag && flag);
    all.put("false", (value, a, run) -> value instanceof Boolean flag && !flag);
    all.put("integer", (value, a, run) -> value instanceof Long || value instanceof BigInteger);
    all.put("float", (value, a, run) -> value instanceof Double);
    all.put("number", (value, a, run) -> Values.isNumber(value));
    all.put("string", (value, a, run) -> value instanceof String);
    all.put("mapping", (value, a, run) -> value instanceof Map<?, ?>);
    all.put("sequence", (value, a, run) -> hasLength(value) || value instanceof Undefined);
    all.put(
        "iterable",
        (value, a, run) -> hasLength(value) || value instanceof Lazy || value instanceof Undefined);
    all.put("callable", (value, a, run) -> value instanceof Callable);
    all.put("sameas", (value, a, run) -> isSame(value, a.need("other")));
    all.put("in", (value, a, run) -> Values.isIn(value, a.need("seq"), run));
    all.put("odd", (value, a, run) -> Values.equal(rest(value, 2L, run), 1L, run));
    all.put("even", (value, a, run) -> Values.equal(rest(value, 2L, run), 0L, run));
    all.put(
        "divisibleby", (value, a, run) -> Values.equal(rest(value, a.need("num"), run), 0L, run));
    all.put(
        "lower",
        (value, a, run) -> {
          String text = Values.string(value, run);
          return text.equals(text.toLowerCase(Locale.ROOT))
              && !text.equals(text.toUpperCase(Locale.ROOT));
        });
    all.put(
        "upper",
        (value, a, run) -> {
          String text = Values.string(value, run);
          return text.equals(text.toUpperCase(Locale.ROOT))
              && !text.equals(text.toLowerCase(Locale.ROOT));
        });
    all.put("filter", (value, a, run) -> Filters.named(Values.string(value, run)).isPresent());
    all.put("test", (value, a, run) -> ALL.containsKey(Values.string(value, run)));
    for (List<String> names :
        List.of(
            List.of("==", "eq", "equalto"),
            List.of("!=", "ne"),
            List.of("<", "lt", "lessthan"),
            List.of("<=", "le"),
            List.of(">", "gt", "greaterthan"),
            List.of(">=", "ge"))) {
      for (String name : names) {
        all.put(
            name, (value, a, run) -> Values.compares(value, names.get(0), a.need("other"), run));
      }
    }
    return all;
  }

  private static boolean hasLength(Object value) {
    return value instanceof String || value instanceof List<?> || value instanceof Map<?, ?>;
  }

  private static boolean isSame(Object value, Object other) {
    boolean constant = value instanceof Boolean || value instanceof Long;
    return constant ? value.equals(other) : value == other;
  }

  private static Object rest(Object value, Object divisor, Run run) {
    return Arithmetic.apply(value, "%", divisor, run);
  }
}
