package dev.cambium.engine.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What lies behind a dot and in brackets. */
final class Attributes {

  /** What the sandbox keeps templates from, as it would change what they are given. */
  private static final Set<String> CHANGING =
      Set.of(
          "append",
          "clear",
          "extend",
          "insert",
          "pop",
          "popitem",
          "remove",
          "reverse",
          "setdefault",
          "sort",
          "update");

  private Attributes() {}

  /** {@code value.name}: a method or field first, then an element. */
  static Object attribute(Object value, String name) {
    Object found = own(value, name);
    if (found instanceof Undefined && value instanceof Map<?, ?> map && map.containsKey(name)) {
      return java.util.Objects.requireNonNull(map.get(name));
    }
    return found;
  }

  /** {@code value[index]}: an element first, then a method or field. */
  static Object item(Object value, Object index) {
    if (value instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (value instanceof Map<?, ?> map
        && (index instanceof String || index instanceof Long || index instanceof Boolean)
        && map.containsKey(index)) {
      return java.util.Objects.requireNonNull(map.get(index));
    }
    if (index instanceof Long number) {
      if (value instanceof List<?> list) {
        long at = number < 0 ? list.size() + number : number;
        if (at >= 0 && at < list.size()) {
          return Values.element(list, (int) at);
        }
      }
      if (value instanceof String text) {
        int length = text.codePointCount(0, text.length());
        long at = number < 0 ? length + number : number;
        if (at >= 0 && at < length) {
          return Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) at)));
        }
      }
    }
    if (index instanceof String name) {
      return own(value, name);
    }
    return new Undefined(Values.type(value) + " has no such element");
  }

  private static Object own(Object value, String name) {
    if (value instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (name.startsWith("__")) {
      throw JinjaException.failed("access to attribute '" + name + "' is unsafe");
    }
    if (value instanceof String text) {
      Optional<Callable> method = StringMethods.named(text, name);
      if (method.isPresent()) {
        return method.get();
      }
    } else if (value instanceof Loop.State loop) {
      return loop.attribute(name);
    } else if (value instanceof Namespace namespace) {
      Object field = namespace.variables().get(name);
      if (field != null) {
        return field;
      }
    } else if (value instanceof Map<?, ?> || value instanceof List<?>) {
      if (CHANGING.contains(name) && !(value instanceof Tuple)) {
        boolean list = value instanceof List<?>;
        boolean has =
            list
                ? !Set.of("popitem", "setdefault", "update").contains(name)
                : Set.of("clear", "pop", "popitem", "setdefault", "update").contains(name);
        if (has) {
          return unsafe(name, list ? "list" : "dict");
        }
      }
      Optional<Callable> method =
          value instanceof Map<?, ?> map ? ofMap(map, name) : ofList((List<?>) value, name);
      if (method.isPresent()) {
        return method.get();
      }
    } else if (value instanceof Globals.Cycler cycler) {
      return cycler.attribute(name);
    }
    return new Undefined(Values.type(value) + " has no attribute '" + name + "'");
  }

  private static Callable unsafe(String name, String type) {
    return (run, arguments) -> {
      throw JinjaException.failed(
          "access to attribute '" + name + "' of '" + type + "' object is unsafe.");
    };
  }

  private static Optional<Callable> ofMap(Map<?, ?> map, String name) {
    return Optional.ofNullable(
        switch (name) {
          case "items" ->
              (run, arguments) -> {
                arguments.end();
                return items(map);
              };
          case "keys" ->
              (run, arguments) -> {
                arguments.end();
                return new ArrayList<Object>(map.keySet());
              };
          case "values" ->
              (run, arguments) -> {
                arguments.end();
                return new ArrayList<Object>(map.values());
              };
          case "copy" ->
              (run, arguments) -> {
                arguments.end();
                return new LinkedHashMap<Object, Object>(map);
              };
          case "get" ->
              (run, arguments) -> {
                Object key = Values.key(arguments.need("key"));
                Object absent = arguments.take("default", None.NONE);
                arguments.end();
                Object value = map.get(key);
                return value == null ? absent : value;
              };
          default -> null;
        });
  }

  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>();
    map.forEach((key, value) -> items.add(new Tuple(List.of(key, value))));
    return items;
  }

  private static Optional<Callable> ofList(List<?> list, String name) {
    return Optional.ofNullable(
        switch (name) {
          case "index" ->
              (run, arguments) -> {
                Object sought = arguments.need("value");
                arguments.end();
                for (int i = 0; i < list.size(); i++) {
                  if (Values.equal(Values.element(list, i), sought, run)) {
                    return (long) i;
                  }
                }
                throw JinjaException.failed("the value is not in the list");
              };
          case "count" ->
              (run, arguments) -> {
                Object sought = arguments.need("value");
                arguments.end();
                long count = 0;
                for (int i = 0; i < list.size(); i++) {
                  count += Values.equal(Values.element(list, i), sought, run) ? 1 : 0;
                }
                return count;
              };
          case "copy" ->
              list instanceof Tuple
                  ? null
                  : (run, arguments) -> {
                    arguments.end();
                    return new ArrayList<Object>(list);
                  };
          default -> null;
        });
  }

  /** {@code value[start:stop:step]}. */
  static Object slice(
      Object value, Optional<Object> start, Optional<Object> stop, Optional<Object> step, Run run) {
    if (!(value instanceof List<?>) && !(value instanceof String)) {
      throw value instanceof Undefined undefined
          ? undefined.used()
          : JinjaException.failed(Values.type(value) + " cannot be sliced");
    }
    long by = bound(step, 1);
    if (by == 0) {
      throw JinjaException.failed("slice step cannot be zero");
    }
    int size = (int) Values.length(value);
    run.charge(size);
    long from = clamp(bound(start, by > 0 ? 0 : Integer.MAX_VALUE), size, by);
    boolean open = stop.isEmpty() || stop.get() == None.NONE;
    long to = open ? (by > 0 ? size : -1) : clamp(bound(stop, 0), size, by);
    if (value instanceof String text) {
      if (by == 1) {
        int begin = text.offsetByCodePoints(0, (int) from);
        return from >= to
            ? ""
            : text.substring(begin, text.offsetByCodePoints(begin, (int) (to - from)));
      }
      int[] characters = text.codePoints().toArray();
      StringBuilder part = new StringBuilder();
      for (long i = from; by > 0 ? i < to : i > to; i += by) {
        part.appendCodePoint(characters[(int) i]);
      }
      return part.toString();
    }
    List<Object> part = new ArrayList<>();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      part.add(Values.element((List<?>) value, (int) i));
    }
    return value instanceof Tuple ? new Tuple(part) : part;
  }

  private static long clamp(long index, int size, long step) {
    long at = index < 0 ? Math.max(index, -size - 1L) + size : index;
    return step > 0 ? Math.max(0, Math.min(at, size)) : Math.max(-1, Math.min(at, size - 1L));
  }

  private static long bound(Optional<Object> value, long absent) {
    if (value.isEmpty() || value.get() == None.NONE) {
      return absent;
    }
    if (value.get() instanceof Long number && BigInteger.valueOf(number).bitLength() < 32) {
      return number;
    }
    throw JinjaException.failed("a slice needs integers, not " + Values.type(value.get()));
  }
}
