package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A JSON object that a chat template shows to a model, such as a tool's description: the order of
 * its members and the way its numbers are written are part of what the model reads. Canonical JSON
 * would change both, so it is stored as a text.
 *
 * @param text the object's JSON
 */
public record VerbatimJson(@JsonValue String text) {

  public VerbatimJson {
    parse(text);
  }

  /**
   * Of an object, or of the text of one.
   *
   * @throws IllegalArgumentException if it is neither
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static VerbatimJson of(JsonNode json) {
    return new VerbatimJson(json.isTextual() ? json.textValue() : json.toString());
  }

  /** The object, its members in their order. */
  public ObjectNode tree() {
    return parse(text);
  }

  /** The objects, in their order. */
  public static List<JsonNode> trees(List<VerbatimJson> objects) {
    return objects.stream().<JsonNode>map(VerbatimJson::tree).toList();
  }

  private static ObjectNode parse(String text) {
    try {
      if (Json.mapper().readTree(text) instanceof ObjectNode object) {
        return object;
      }
      throw new IllegalArgumentException("not a JSON object: " + text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
