package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One turn of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content the text, exactly; may be empty where tools are called
 * @param toolCalls calls that the assistant asks for in this turn
 * @param toolCallId which call a tool's turn answers
 * @param name of the tool whose turn it is
 */
public record Message(
    String role,
    String content,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<ToolCall> toolCalls,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String toolCallId,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String name) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Message {
    toolCalls = toolCalls == null ? List.of() : List.copyOf(toolCalls);
  }

  /** A turn that is text and nothing else. */
  public Message(String role, String content) {
    this(role, content, List.of(), null, null);
  }

  /**
   * Content and calls in one text, to read and to compare; a model sees what its template makes.
   */
  public String summary() {
    StringBuilder text = new StringBuilder(content);
    for (ToolCall call : toolCalls) {
      text.append(text.isEmpty() ? "" : "\n").append(call.name()).append(call.arguments().text());
    }
    return text.toString();
  }

  /** A turn of the user. */
  public static Message user(String content) {
    return new Message("user", content);
  }

  /** A turn of the model; the only text that training learns to produce. */
  public static Message assistant(String content) {
    return new Message("assistant", content);
  }

  /** An instruction ahead of the conversation. */
  public static Message system(String content) {
    return new Message("system", content);
  }
}
