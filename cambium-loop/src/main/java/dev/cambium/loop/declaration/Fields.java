package dev.cambium.loop.declaration;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.declaration.Node.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one mapping, read by name. What is wrong is noted, and reading goes on with the
 * fallback, so that all problems are found in one pass.
 */
final class Fields {

  private final Node.Mapping mapping;
  private final String what;
  private final Problems problems;

  /**
   * Notes every field that is not known.
   *
   * @param what the mapping describes, for messages, such as {@code line 'cards'}
   */
  Fields(Node.Mapping mapping, String what, List<String> known, Problems problems) {
    this.mapping = mapping;
    this.what = what;
    this.problems = problems;
    mapping
        .fields()
        .forEach(
            (name, field) -> {
              if (!known.contains(name)) {
                problems.add(
                    field.position(),
                    what
                        + ": unknown field '"
                        + name
                        + "'"
                        + Suggestion.among(name, known, "fields"));
              }
            });
  }

  /** Where a field's value stands, or the mapping where the field is absent. */
  Position at(String name) {
    Node value = value(name);
    return value == null ? mapping.position() : value.position();
  }

  boolean has(String name) {
    return value(name) != null;
  }

  private @Nullable Node value(String name) {
    Node.Field field = mapping.fields().get(name);
    if (field == null || (field.value() instanceof Node.Scalar scalar && scalar.json().isNull())) {
      return null;
    }
    return field.value();
  }

  void missing(String name, String example) {
    problems.add(mapping.position(), what + ": '" + name + "' is missing; " + example);
  }

  private void wrong(Node value, String name, String wanted) {
    problems.add(
        value.position(), what + ": '" + name + "' must be " + wanted + ", not " + value.kind());
  }

  @Nullable String text(String name) {
    Node value = value(name);
    if (value == null) {
      return null;
    }
    if (!value.json().isTextual() || value.json().textValue().isBlank()) {
      wrong(value, name, "a text");
      return null;
    }
    return value.json().textValue();
  }

  @Nullable Double number(String name, DoublePredicate allowed, String range) {
    Node value = value(name);
    if (value == null) {
      return null;
    }
    JsonNode json = value.json();
    if (!json.isNumber() || !allowed.test(json.doubleValue())) {
      wrong(value, name, "a number " + range);
      return null;
    }
    return json.doubleValue();
  }

  double number(String name, double fallback, DoublePredicate allowed, String range) {
    Double value = number(name, allowed, range);
    return value == null ? fallback : value;
  }

  /** The numbers of a list; what is wrong is left out. */
  List<Double> numbers(String name, DoublePredicate allowed, String range) {
    List<Double> numbers = new ArrayList<>();
    Node value = value(name);
    if (value == null) {
      return numbers;
    }
    if (!(value instanceof Node.Sequence sequence)) {
      wrong(value, name, "a list of numbers, such as [1, 0.8]");
      return numbers;
    }
    for (Node element : sequence.elements()) {
      JsonNode json = element.json();
      if (json.isNumber() && allowed.test(json.doubleValue())) {
        numbers.add(json.doubleValue());
      } else {
        wrong(element, name, "a list of numbers " + range);
      }
    }
    return numbers;
  }

  long integer(String name, long fallback, long least, long most) {
    Node value = value(name);
    if (value == null) {
      return fallback;
    }
    JsonNode json = value.json();
    if (!json.isIntegralNumber()
        || !json.canConvertToLong()
        || json.longValue() < least
        || json.longValue() > most) {
      wrong(
          value,
          name,
          "a whole number"
              + (most == Long.MAX_VALUE
                  ? least == Long.MIN_VALUE ? "" : " of at least " + least
                  : " from " + least + " to " + most));
      return fallback;
    }
    return json.longValue();
  }

  boolean truth(String name, boolean fallback) {
    Node value = value(name);
    if (value == null) {
      return fallback;
    }
    if (!value.json().isBoolean()) {
      wrong(value, name, "true or false");
      return fallback;
    }
    return value.json().booleanValue();
  }

  /** Whether it is there and says false. */
  boolean isFalse(String name) {
    Node value = value(name);
    return value != null && value.json().isBoolean() && !value.json().booleanValue();
  }

  /** The texts of a list, each once, with their places. */
  Map<String, Position> texts(String name) {
    Map<String, Position> texts = new java.util.LinkedHashMap<>();
    Node value = value(name);
    if (value == null) {
      return texts;
    }
    if (!(value instanceof Node.Sequence sequence)) {
      wrong(value, name, "a list, such as [a, b]");
      return texts;
    }
    for (Node element : sequence.elements()) {
      if (!element.json().isTextual() || element.json().textValue().isBlank()) {
        wrong(element, name, "a list of texts");
      } else if (texts.putIfAbsent(element.json().textValue(), element.position()) != null) {
        problems.add(
            element.position(),
            what + ": '" + element.json().textValue() + "' is twice in '" + name + "'");
      }
    }
    return texts;
  }

  /** The mappings of a list; anything else there is noted. */
  List<Node.Mapping> mappingsOf(String name) {
    List<Node.Mapping> mappings = new ArrayList<>();
    Node value = value(name);
    if (value == null) {
      return mappings;
    }
    if (!(value instanceof Node.Sequence sequence)) {
      wrong(value, name, "a list");
      return mappings;
    }
    for (Node element : sequence.elements()) {
      if (element instanceof Node.Mapping found) {
        mappings.add(found);
      } else {
        wrong(element, name, "a list of mappings");
      }
    }
    return mappings;
  }

  Node.@Nullable Mapping mapping(String name) {
    Node value = value(name);
    if (value == null) {
      return null;
    }
    if (!(value instanceof Node.Mapping found)) {
      wrong(value, name, "a mapping of names to values");
      return null;
    }
    return found;
  }

  /** The mappings under a mapping's names; anything else there is noted. */
  List<Map.Entry<String, Node.Mapping>> mappings(String name) {
    Node.Mapping found = mapping(name);
    List<Map.Entry<String, Node.Mapping>> entries = new ArrayList<>();
    if (found != null) {
      found
          .fields()
          .forEach(
              (key, field) -> {
                if (field.value() instanceof Node.Mapping entry) {
                  entries.add(Map.entry(key, entry));
                } else {
                  wrong(field.value(), key, "a mapping of names to values");
                }
              });
    }
    return entries;
  }

  /** Where a name of a mapping under {@code name} stands. */
  Position key(String name, String key) {
    Node.Mapping found = mapping(name);
    Node.Field field = found == null ? null : found.fields().get(key);
    return field == null ? at(name) : field.position();
  }
}
