package dev.cambium.engine.text.jinja;

import dev.cambium.engine.text.jinja.JinjaException.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What every template can call. There is no clock among it: a text depends on messages only. */
final class Globals {

  private static final Map<String, Object> ALL = make();

  private Globals() {}

  static Map<String, Object> all() {
    return ALL;
  }

  private static Map<String, Object> make() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("raise_exception", (Callable) Globals::raise);
    all.put("range", (Callable) Globals::range);
    all.put("dict", (Callable) Globals::dict);
    all.put("namespace", (Callable) (run, a) -> new Namespace(fields(a)));
    all.put(
        "cycler",
        (Callable)
            (run, a) -> {
              List<Object> values = a.rest();
              a.end();
              if (values.isEmpty()) {
                throw JinjaException.failed("at least one item has to be provided");
              }
              return new Cycler(values);
            });
    all.put("joiner", (Callable) Globals::joiner);
    return all;
  }

  private static Object raise(Run run, Arguments arguments) {
    throw new JinjaException(
        Kind.RAISED, Values.string(arguments.need("message"), run), run.line());
  }

  private static Object range(Run run, Arguments arguments) {
    long first = arguments.integer("start", 0);
    Object second = arguments.take("stop", None.NONE);
    int step = arguments.integer("step", 1);
    arguments.end();
    if (step == 0) {
      throw JinjaException.failed("range() arg 3 must not be zero");
    }
    long start = second == None.NONE ? 0 : first;
    Object end = second == None.NONE ? (Object) first : second;
    if (!(end instanceof Long stop)) {
      throw JinjaException.failed("range needs integers, not " + Values.type(end));
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      numbers.add(i);
      run.elements(numbers.size());
    }
    return numbers;
  }

  private static Map<String, Object> fields(Arguments arguments) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (Object given : arguments.rest()) {
      if (!(given instanceof Map<?, ?> map)) {
        throw JinjaException.failed("a dict is needed, not " + Values.type(given));
      }
      map.forEach(
          (key, value) -> fields.put(String.valueOf(key), java.util.Objects.requireNonNull(value)));
    }
    fields.putAll(arguments.restNamed());
    return fields;
  }

  private static Object dict(Run run, Arguments arguments) {
    return new LinkedHashMap<Object, Object>(fields(arguments));
  }

  private static Object joiner(Run run, Arguments arguments) {
    String separator = arguments.text("sep", ", ");
    arguments.end();
    boolean[] used = new boolean[1];
    return (Callable)
        (again, none) -> {
          none.end();
          String text = used[0] ? separator : "";
          used[0] = true;
          return text;
        };
  }

  /** Gives its values in turn. */
  static final class Cycler {
    private final List<Object> values;
    private int at;

    Cycler(List<Object> values) {
      this.values = values;
    }

    Object attribute(String name) {
      return switch (name) {
        case "next" ->
            (Callable)
                (run, arguments) -> {
                  arguments.end();
                  Object value = values.get(at);
                  at = (at + 1) % values.size();
                  return value;
                };
        case "reset" ->
            (Callable)
                (run, arguments) -> {
                  arguments.end();
                  at = 0;
                  return None.NONE;
                };
        case "current" -> values.get(at);
        default -> new Undefined("a cycler has no attribute '" + name + "'");
      };
    }
  }
}
