package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One evaluation item of a suite.
 *
 * @param id unique within its suite
 * @param text plain text, for scorers of likelihood; exclusive with {@code messages}
 * @param messages the conversation up to the answer (last turn: the user's)
 * @param answer the right answer, for scorers that compare
 * @param choices for the choice scorer: the candidates, among them the answer
 * @param tags slice names to values
 */
public record Item(
    String id,
    @Nullable String text,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Message> messages,
    @Nullable String answer,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> choices,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, String> tags) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Item {
    messages = messages == null ? List.of() : List.copyOf(messages);
    choices = choices == null ? List.of() : List.copyOf(choices);
    tags = tags == null ? Map.of() : java.util.Collections.unmodifiableMap(new TreeMap<>(tags));
    if ((text == null) == messages.isEmpty()) {
      throw new IllegalArgumentException(
          "item " + id + ": either text or messages, not both or none");
    }
    if (!choices.isEmpty() && (answer == null || !choices.contains(answer))) {
      throw new IllegalArgumentException("item " + id + ": the answer is not among the choices");
    }
  }

  /** A question with its answer. */
  public static Item qa(String id, String prompt, String answer, Map<String, String> tags) {
    return new Item(id, null, List.of(Message.user(prompt)), answer, List.of(), tags);
  }
}
