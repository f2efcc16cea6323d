package dev.cambium.engine.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a call is given; taken one by one, in the order in which the called declares them. */
final class Arguments {

  private final String called;
  private final List<Object> positional;
  private final Map<String, Object> named;
  private int next;

  Arguments(String called, List<Object> positional, Map<String, Object> named) {
    this.called = called;
    this.positional = positional;
    this.named = new LinkedHashMap<>(named);
  }

  /** The next one, by place or by name. */
  Object take(String name, Object absent) {
    if (next < positional.size()) {
      if (named.containsKey(name)) {
        throw JinjaException.failed(called + ": two values for '" + name + "'");
      }
      return positional.get(next++);
    }
    return named(name, absent);
  }

  /** One that is given by name only. */
  Object named(String name, Object absent) {
    Object value = named.remove(name);
    return value == null ? absent : value;
  }

  Object need(String name) {
    Object value = take(name, Missing.MISSING);
    if (value == Missing.MISSING) {
      throw JinjaException.failed(called + " needs an argument '" + name + "'");
    }
    return value;
  }

  String text(String name, String absent) {
    return string(name, take(name, absent));
  }

  String needText(String name) {
    return string(name, need(name));
  }

  private String string(String name, Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw JinjaException.failed(
        called + ": '" + name + "' must be a string, not " + Values.type(value));
  }

  int integer(String name, int absent) {
    Object value = take(name, (long) absent);
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    }
    if (value instanceof Long number && number >= -Run.MOST && number <= Run.MOST) {
      return number.intValue();
    }
    throw JinjaException.failed(
        called + ": '" + name + "' must be a small integer, not " + Values.type(value));
  }

  boolean flag(String name, boolean absent) {
    return Values.isTrue(take(name, absent));
  }

  /** All that was not taken by place. */
  List<Object> rest() {
    List<Object> rest = new ArrayList<>(positional.subList(next, positional.size()));
    next = positional.size();
    return rest;
  }

  /** All that was not taken by name. */
  Map<String, Object> restNamed() {
    Map<String, Object> rest = new LinkedHashMap<>(named);
    named.clear();
    return rest;
  }

  /** Refuses what was not taken. */
  void end() {
    if (next < positional.size()) {
      throw JinjaException.failed(
          called + " takes " + next + " arguments, not " + positional.size());
    }
    if (!named.isEmpty()) {
      throw JinjaException.failed(
          called + ": the argument '" + named.keySet().iterator().next() + "' is not supported");
    }
  }

  private enum Missing {
    MISSING
  }
}
