package dev.cambium.loop.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.model.Message;
import dev.cambium.model.ToolCall;
import dev.cambium.model.VerbatimJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads the fields of one JSON object, and says which one is wrong and why. */
final class Form {

  private static final Set<String> ROLES =
      new TreeSet<>(Set.of("system", "user", "assistant", "tool"));
  private static final List<String> MESSAGE =
      List.of("role", "content", "tool_calls", "tool_call_id", "name");
  private static final int LONGEST_ID = 200;

  /** What is wrong with a row. Caught in this package; never seen outside. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    final String column;

    Malformed(String column, String reason) {
      super(reason, null, false, false);
      this.column = column;
    }

    String reason() {
      return String.valueOf(getMessage());
    }
  }

  private final ObjectNode json;

  Form(ObjectNode json, List<String> known) throws Malformed {
    this.json = json;
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      if (!known.contains(field.getKey())) {
        throw new Malformed(
            field.getKey(), "unknown field" + Suggestion.among(field.getKey(), known, "fields"));
      }
    }
  }

  boolean has(String field) {
    return json.hasNonNull(field);
  }

  /** A field that may be absent, and may be empty. */
  @Nullable String optional(String field) throws Malformed {
    JsonNode value = json.get(field);
    if (value == null || value.isNull()) {
      return null;
    }
    if (value.isNumber() || value.isBoolean()) {
      return value.asText();
    }
    if (!value.isTextual()) {
      throw new Malformed(field, "must be a text, not " + kind(value));
    }
    return wellFormed(field, value.textValue());
  }

  /** A field that must be there and hold more than white space. */
  String required(String field) throws Malformed {
    String value = optional(field);
    if (value == null) {
      throw new Malformed(field, "is missing");
    }
    if (value.isBlank()) {
      throw new Malformed(field, "is empty");
    }
    return value;
  }

  @Nullable String id() throws Malformed {
    String id = optional("id");
    if (id == null) {
      return null;
    }
    if (id.isBlank() || id.length() > LONGEST_ID || !id.equals(id.strip())) {
      throw new Malformed(
          "id", "must have 1 to " + LONGEST_ID + " characters without white space at the ends");
    }
    return id;
  }

  List<Message> messages() throws Malformed {
    JsonNode list = json.get("messages");
    if (list == null || !list.isArray() || list.isEmpty()) {
      throw new Malformed("messages", "must be a list of at least one {role, content}");
    }
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      String place = "messages[" + i + "]";
      if (!(list.get(i) instanceof ObjectNode object)) {
        throw new Malformed(place, "must be {role, content}");
      }
      Form form;
      try {
        form = new Form(object, MESSAGE);
        String role = form.required("role");
        if (!ROLES.contains(role)) {
          throw new Malformed(
              "role", "no role '" + role + "'" + Suggestion.among(role, ROLES, "roles"));
        }
        messages.add(form.message(role));
      } catch (Malformed e) {
        throw new Malformed(place + "." + e.column, e.reason());
      }
    }
    return messages;
  }

  private Message message(String role) throws Malformed {
    List<ToolCall> calls = toolCalls();
    if (!calls.isEmpty() && !role.equals("assistant")) {
      throw new Malformed("tool_calls", "are the assistant's, not a turn's of role " + role);
    }
    for (String field : List.of("tool_call_id", "name")) {
      if (has(field) && !role.equals("tool")) {
        throw new Malformed(field, "is for turns of role tool, not " + role);
      }
    }
    String content = calls.isEmpty() ? required("content") : optional("content");
    return new Message(
        role,
        content == null ? "" : content,
        calls,
        has("tool_call_id") ? required("tool_call_id") : null,
        has("name") ? required("name") : null);
  }

  /** Calls as the chat APIs spell them: {@code [{type: function, function: {name, arguments}}]}. */
  private List<ToolCall> toolCalls() throws Malformed {
    List<ToolCall> calls = new ArrayList<>();
    for (ObjectNode object : objects("tool_calls")) {
      String place = "tool_calls[" + calls.size() + "].";
      try {
        Form call = new Form(object, List.of("id", "type", "function"));
        if (call.has("type") && !call.required("type").equals("function")) {
          throw new Malformed("type", "must be function");
        }
        if (!(object.get("function") instanceof ObjectNode inner)) {
          throw new Malformed("function", "must be {name, arguments}");
        }
        String id = call.has("id") ? call.required("id") : null;
        place += "function.";
        Form function = new Form(inner, List.of("name", "arguments"));
        calls.add(new ToolCall(id, function.required("name"), function.verbatim("arguments")));
      } catch (Malformed e) {
        throw new Malformed(place + e.column, e.reason());
      }
    }
    return calls;
  }

  /** Descriptions of tools, as the chat APIs spell them. */
  List<VerbatimJson> tools() throws Malformed {
    List<VerbatimJson> tools = new ArrayList<>();
    for (ObjectNode object : objects("tools")) {
      wellFormed("tools[" + tools.size() + "]", object.toString());
      tools.add(VerbatimJson.of(object));
    }
    return tools;
  }

  private List<ObjectNode> objects(String field) throws Malformed {
    JsonNode list = json.get(field);
    if (list == null || list.isNull()) {
      return List.of();
    }
    if (!list.isArray()) {
      throw new Malformed(field, "must be a list of objects, not " + kind(list));
    }
    List<ObjectNode> objects = new ArrayList<>();
    for (JsonNode element : list) {
      if (!(element instanceof ObjectNode object)) {
        throw new Malformed(
            field + "[" + objects.size() + "]", "must be an object, not " + kind(element));
      }
      objects.add(object);
    }
    return objects;
  }

  /** An object, or the JSON of one in a text; absent means empty. */
  private VerbatimJson verbatim(String field) throws Malformed {
    JsonNode value = json.hasNonNull(field) ? json.get(field) : json.objectNode();
    try {
      VerbatimJson object = VerbatimJson.of(value);
      wellFormed(field, object.tree().toString());
      return object;
    } catch (IllegalArgumentException e) {
      throw new Malformed(field, "must be an object, or its JSON in a text: " + e.getMessage());
    }
  }

  Map<String, String> tags() throws Malformed {
    JsonNode tags = json.get("tags");
    if (tags == null || tags.isNull()) {
      return Map.of();
    }
    if (!tags.isObject()) {
      throw new Malformed("tags", "must be an object of names to texts, not " + kind(tags));
    }
    Map<String, String> result = new TreeMap<>();
    for (Map.Entry<String, JsonNode> tag : tags.properties()) {
      String place = "tags." + tag.getKey();
      if (tag.getKey().isBlank() || !tag.getValue().isValueNode() || tag.getValue().isNull()) {
        throw new Malformed(place, "must be a text, a number or true or false, with a name");
      }
      wellFormed(place, tag.getKey());
      result.put(tag.getKey(), wellFormed(place, tag.getValue().asText()));
    }
    return result;
  }

  List<String> texts(String field) throws Malformed {
    JsonNode list = json.get(field);
    if (list == null || list.isNull()) {
      return List.of();
    }
    if (!list.isArray()) {
      throw new Malformed(field, "must be a list of texts, not " + kind(list));
    }
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      JsonNode text = list.get(i);
      if (!text.isTextual() || text.textValue().isBlank()) {
        throw new Malformed(field + "[" + i + "]", "must be a text that is not empty");
      }
      texts.add(wellFormed(field, text.textValue()));
    }
    return texts;
  }

  private static String wellFormed(String field, String text) throws Malformed {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new Malformed(field, "half a surrogate pair, which is no character, at index " + i);
      }
    }
    return text;
  }

  private static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "a list";
      case OBJECT -> "an object";
      case NULL -> "nothing";
      default -> "a " + node.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
    };
  }
}
