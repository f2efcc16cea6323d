package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One training example: plain text, or a conversation of which only the assistant's turns are
 * learnt.
 *
 * @param id unique within its file
 * @param text plain text, for causal language modelling; exclusive with {@code messages}
 * @param messages a conversation that ends with an assistant's turn
 * @param tools descriptions of tools that the chat template shows to the model in this conversation
 * @param tags slice names to values, such as {@code intent: card-lost}
 */
public record Row(
    String id,
    @Nullable String text,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Message> messages,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<VerbatimJson> tools,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, String> tags) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Row {
    messages = messages == null ? List.of() : List.copyOf(messages);
    tools = tools == null ? List.of() : List.copyOf(tools);
    tags = tags == null ? Map.of() : java.util.Collections.unmodifiableMap(new TreeMap<>(tags));
    if ((text == null) == messages.isEmpty()) {
      throw new IllegalArgumentException(
          "row " + id + ": either text or messages, not both or none");
    }
    if (!messages.isEmpty() && !messages.get(messages.size() - 1).role().equals("assistant")) {
      throw new IllegalArgumentException(
          "row " + id + ": the last message must be the assistant's");
    }
  }

  /** A row without tools. */
  public Row(String id, @Nullable String text, List<Message> messages, Map<String, String> tags) {
    this(id, text, messages, List.of(), tags);
  }

  /** A plain-text row. */
  public static Row text(String id, String text) {
    return new Row(id, text, List.of(), Map.of());
  }

  /** A question with its answer. */
  public static Row qa(String id, String prompt, String answer, Map<String, String> tags) {
    return new Row(id, null, List.of(Message.user(prompt), Message.assistant(answer)), tags);
  }
}
