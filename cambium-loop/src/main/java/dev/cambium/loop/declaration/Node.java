package dev.cambium.loop.declaration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import java.util.Map;

/** A piece of YAML that knows where it stands. */
sealed interface Node {

  /** Where it begins. */
  Position position();

  /** The same without positions. */
  JsonNode json();

  /** What it is, for messages. */
  String kind();

  /** Line and column, from 1. */
  record Position(int line, int column) {}

  /**
   * A mapping.
   *
   * @param fields in the order of the file
   */
  record Mapping(Position position, Map<String, Field> fields) implements Node {
    @Override
    public JsonNode json() {
      var object = JsonNodeFactory.instance.objectNode();
      fields.forEach((name, field) -> object.set(name, field.value().json()));
      return object;
    }

    @Override
    public String kind() {
      return "a mapping";
    }
  }

  /** A value under its key, which has a place of its own. */
  record Field(Position position, Node value) {}

  /** A sequence. */
  record Sequence(Position position, List<Node> elements) implements Node {
    @Override
    public JsonNode json() {
      var array = JsonNodeFactory.instance.arrayNode();
      elements.forEach(element -> array.add(element.json()));
      return array;
    }

    @Override
    public String kind() {
      return "a list";
    }
  }

  /**
   * A text, a number, true, false or null.
   *
   * @param json the value as YAML resolves it
   */
  record Scalar(Position position, JsonNode json) implements Node {
    @Override
    public String kind() {
      return switch (json.getNodeType()) {
        case NULL -> "nothing";
        case NUMBER -> "the number " + json.asText();
        case BOOLEAN -> "the truth value " + json.asText();
        default -> "'" + json.asText() + "'";
      };
    }
  }
}
