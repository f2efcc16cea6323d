package dev.cambium.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.engine.text.TemplateException.Reason;
import dev.cambium.engine.text.jinja.Jinja;
import dev.cambium.engine.text.jinja.JinjaException;
import dev.cambium.model.Message;
import dev.cambium.model.ToolCall;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template: Jinja that turns messages into the text that the model was trained on.
 *
 * <p>Rendered as Hugging Face's {@code apply_chat_template} does: a template sees {@code messages},
 * {@code tools} and {@code documents} (none if empty), {@code add_generation_prompt}, {@code
 * bos_token} and the model's other named tokens, and {@code raise_exception}. There is no clock:
 * {@code strftime_now} is undefined, because the same messages must always give the same text. What
 * a message holds is data and never evaluated. Thread-safe.
 */
public final class ChatTemplate {

  /** Names in {@code tokenizer_config.json}, where a model has several templates. */
  private static final String DEFAULT = "default";

  private static final String WITH_TOOLS = "tool_use";

  private final Jinja plain;
  private final Jinja withTools;
  private final Map<String, String> named;

  private ChatTemplate(Jinja plain, Jinja withTools, Map<String, String> named) {
    this.plain = plain;
    this.withTools = withTools;
    this.named = Map.copyOf(named);
  }

  /**
   * A template from its source, with the texts of roles such as {@code eos_token}.
   *
   * @throws TemplateException if it is not Jinja, or uses what is not supported
   */
  public static ChatTemplate of(String source, Map<String, String> namedTokens) {
    Jinja jinja = parse(source);
    return new ChatTemplate(jinja, jinja, namedTokens);
  }

  private static Jinja parse(String source) {
    try {
      return Jinja.parse(source);
    } catch (JinjaException e) {
      throw refused(e);
    }
  }

  /**
   * The template of a model directory: {@code chat_template.jinja}, or else the one in {@code
   * tokenizer_config.json}. Where there are several by name, as transformers chooses: {@code
   * tool_use}, if there is one, when there are tools, otherwise {@code default}.
   *
   * @throws TemplateException as {@link #of}; also if there are several and none is the default
   */
  public static Optional<ChatTemplate> load(Path dir, Map<String, String> namedTokens)
      throws IOException {
    Path file = dir.resolve(ModelText.TEMPLATE);
    if (Files.isRegularFile(file)) {
      return Optional.of(of(Files.readString(file, StandardCharsets.UTF_8), namedTokens));
    }
    JsonNode template =
        ModelText.json(dir.resolve(ModelText.TOKENIZER_CONFIG)).path("chat_template");
    if (!template.isArray()) {
      return template.isTextual()
          ? Optional.of(of(template.asText(), namedTokens))
          : Optional.empty();
    }
    Map<String, String> sources = new LinkedHashMap<>();
    template.forEach(one -> sources.put(one.path("name").asText(), one.path("template").asText()));
    String source = sources.get(DEFAULT);
    if (source == null) {
      throw new TemplateException(
          Reason.ABSENT,
          "the chat templates in "
              + ModelText.TOKENIZER_CONFIG
              + " are "
              + new TreeSet<>(sources.keySet())
              + ", none is called "
              + DEFAULT);
    }
    Jinja plain = parse(source);
    String other = sources.get(WITH_TOOLS);
    return Optional.of(new ChatTemplate(plain, other == null ? plain : parse(other), namedTokens));
  }

  /**
   * Renders messages.
   *
   * @param tools descriptions that the template shows to the model; may be empty
   * @param addGenerationPrompt whether to end with what precedes an assistant's answer
   * @throws TemplateException if the template fails, refuses the messages or does not end
   */
  public String render(List<Message> messages, List<JsonNode> tools, boolean addGenerationPrompt) {
    Map<String, @Nullable Object> variables = new LinkedHashMap<>(named);
    List<Map<String, Object>> turns = new ArrayList<>();
    for (Message message : messages) {
      Map<String, Object> turn = new LinkedHashMap<>();
      turn.put("role", message.role());
      turn.put("content", message.content());
      if (!message.toolCalls().isEmpty()) {
        turn.put("tool_calls", message.toolCalls().stream().map(ChatTemplate::call).toList());
      }
      if (message.toolCallId() != null) {
        turn.put("tool_call_id", message.toolCallId());
      }
      if (message.name() != null) {
        turn.put("name", message.name());
      }
      turns.add(turn);
    }
    List<@Nullable Object> described = new ArrayList<>();
    for (JsonNode tool : tools) {
      described.add(ModelText.MAPPER.convertValue(tool, Object.class));
    }
    variables.put("messages", turns);
    variables.put("tools", tools.isEmpty() ? null : described);
    variables.put("documents", null);
    variables.put("add_generation_prompt", addGenerationPrompt);
    try {
      return (tools.isEmpty() ? plain : withTools).render(variables);
    } catch (JinjaException e) {
      throw refused(e);
    }
  }

  /** As the template sees it: {@code {type, function: {name, arguments}}}, with its id if any. */
  private static Map<String, Object> call(ToolCall call) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", call.name());
    function.put("arguments", ModelText.MAPPER.convertValue(call.arguments().tree(), Object.class));
    Map<String, Object> result = new LinkedHashMap<>();
    if (call.id() != null) {
      result.put("id", call.id());
    }
    result.put("type", "function");
    result.put("function", function);
    return result;
  }

  private static TemplateException refused(JinjaException e) {
    return switch (e.kind()) {
      case RAISED ->
          new TemplateException(
              Reason.RAISED, "the chat template refuses these messages: " + e.getMessage());
      case UNBOUNDED ->
          new TemplateException(
              Reason.UNBOUNDED,
              "the chat template does not end: line " + e.line() + ": " + e.getMessage());
      case FAILED ->
          new TemplateException(
              Reason.FAILED, "the chat template failed: line " + e.line() + ": " + e.getMessage());
    };
  }
}
