package dev.cambium.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaProcessors;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.OutputTooBigException;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import dev.cambium.engine.text.TemplateException.Reason;
import dev.cambium.model.Message;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model's chat template: Jinja that turns messages into the text that the model was trained on.
 *
 * <p>Rendered as Hugging Face's {@code apply_chat_template} does: blocks are trimmed, and a
 * template sees {@code messages}, {@code tools} (none if empty), {@code add_generation_prompt},
 * {@code bos_token} and the model's other named tokens, {@code raise_exception} and Python's string
 * methods. There is no clock: {@code strftime_now} is undefined, because the same messages must
 * always give the same text. What a message holds is data and never evaluated. Thread-safe.
 */
public final class ChatTemplate {

  /** Nodes that one rendering may visit; real templates stay under a few hundred a message. */
  private static final int MAX_STEPS = 100_000;

  private static final int MAX_OUTPUT = 16_000_000;
  private static final int MAX_COLLECTION = 100_000;

  private static final Jinjava ENGINE = engine();

  /** What all renderings of a thread share; making it anew costs more than most renderings. */
  private static final ThreadLocal<Context> GLOBALS =
      ThreadLocal.withInitial(ENGINE::getGlobalContextCopy);

  private static final ThreadLocal<int[]> STEPS = ThreadLocal.withInitial(() -> new int[1]);

  private final String source;
  private final Map<String, String> named;

  private ChatTemplate(String source, Map<String, String> named) {
    // Jinja drops one newline at the end of a template.
    String trimmed = source.endsWith("\n") ? source.substring(0, source.length() - 1) : source;
    this.source = PythonSyntax.rewrite(trimmed);
    this.named = named;
  }

  /** A template from its source, with the texts of roles such as {@code eos_token}. */
  public static ChatTemplate of(String source, Map<String, String> namedTokens) {
    return new ChatTemplate(source, Map.copyOf(namedTokens));
  }

  /**
   * The template of a model directory: {@code chat_template.jinja}, or else the one in {@code
   * tokenizer_config.json} (the one called {@code default}, where there are several).
   */
  public static Optional<ChatTemplate> load(Path dir, Map<String, String> namedTokens)
      throws IOException {
    Path file = dir.resolve(ModelText.TEMPLATE);
    if (Files.isRegularFile(file)) {
      return Optional.of(of(Files.readString(file, StandardCharsets.UTF_8), namedTokens));
    }
    JsonNode template =
        ModelText.json(dir.resolve(ModelText.TOKENIZER_CONFIG)).path("chat_template");
    if (template.isArray()) {
      for (JsonNode one : template) {
        if (one.path("name").asText().equals("default")) {
          return Optional.of(of(one.path("template").asText(), namedTokens));
        }
      }
    }
    return template.isTextual()
        ? Optional.of(of(template.asText(), namedTokens))
        : Optional.empty();
  }

  /**
   * Renders messages.
   *
   * @param tools descriptions that the template shows to the model; may be empty
   * @param addGenerationPrompt whether to end with what precedes an assistant's answer
   * @throws TemplateException if the template fails, refuses the messages or does not end
   */
  public String render(List<Message> messages, List<JsonNode> tools, boolean addGenerationPrompt) {
    Map<String, Object> bindings = new LinkedHashMap<>(named);
    List<Map<String, Object>> turns = new ArrayList<>();
    for (Message message : messages) {
      Map<String, Object> turn = new LinkedHashMap<>();
      turn.put("role", message.role());
      turn.put("content", message.content());
      turns.add(turn);
    }
    bindings.put("messages", turns);
    bindings.put("add_generation_prompt", addGenerationPrompt);
    if (!tools.isEmpty()) {
      List<@Nullable Object> values = new ArrayList<>();
      for (JsonNode tool : tools) {
        values.add(ModelText.MAPPER.convertValue(tool, Object.class));
      }
      bindings.put("tools", values);
    } else {
      bindings.put("tools", null);
    }
    STEPS.get()[0] = 0;
    JinjavaInterpreter interpreter =
        new JinjavaInterpreter(
            ENGINE,
            new Context(GLOBALS.get(), bindings, ENGINE.getGlobalConfig().getDisabled()),
            ENGINE.getGlobalConfig());
    JinjavaInterpreter.pushCurrent(interpreter);
    try {
      String text = interpreter.render(source);
      refuseErrors(interpreter.getErrorsCopy());
      return text;
    } catch (InterpretException e) {
      refuseErrors(interpreter.getErrorsCopy());
      throw new TemplateException(
          isTooBig(e) ? Reason.UNBOUNDED : Reason.FAILED,
          "the chat template failed: " + e.getMessage());
    } catch (StackOverflowError e) {
      throw new TemplateException(Reason.UNBOUNDED, "the chat template recurses without end");
    } catch (Stop e) {
      refuseErrors(interpreter.getErrorsCopy());
      throw stopped();
    } finally {
      JinjavaInterpreter.popCurrent();
    }
  }

  private static boolean isTooBig(InterpretException e) {
    return e.getCause() instanceof OutputTooBigException;
  }

  private static TemplateException stopped() {
    return new TemplateException(
        Reason.UNBOUNDED, "the chat template was stopped after " + MAX_STEPS + " steps");
  }

  private static void refuseErrors(List<TemplateError> errors) {
    for (TemplateError error : errors) {
      for (@Nullable Throwable at = error.getException(); at != null; at = at.getCause()) {
        if (at instanceof Raised) {
          throw new TemplateException(
              Reason.RAISED, "the chat template refuses these messages: " + at.getMessage());
        }
        if (at instanceof Stop) {
          throw stopped();
        }
      }
    }
    for (TemplateError error : errors) {
      switch (error.getReason()) {
        case OUTPUT_TOO_BIG, COLLECTION_TOO_BIG ->
            throw new TemplateException(
                Reason.UNBOUNDED,
                "the chat template grows without end: line "
                    + error.getLineno()
                    + ": "
                    + error.getMessage());
        default -> {
          // Undefined names are only warned of, in Jinja too.
          if (error.getReason() != TemplateError.ErrorReason.UNKNOWN
              || error.getSeverity() == TemplateError.ErrorType.FATAL) {
            throw new TemplateException(
                Reason.FAILED,
                "the chat template failed: line " + error.getLineno() + ": " + error.getMessage());
          }
        }
      }
    }
  }

  private static Jinjava engine() {
    JinjavaConfig config =
        JinjavaConfig.newBuilder()
            .withTrimBlocks(true)
            .withLstripBlocks(true)
            .withNestedInterpretationEnabled(false)
            .withMaxOutputSize(MAX_OUTPUT)
            .withMaxStringLength(MAX_OUTPUT)
            .withMaxListSize(MAX_COLLECTION)
            .withMaxMapSize(MAX_COLLECTION)
            .withRangeLimit(MAX_COLLECTION)
            .withMaxRenderDepth(20)
            .withMaxMacroRecursionDepth(10)
            .withEnableRecursiveMacroCalls(true)
            .withLegacyOverrides(
                // All that brings the library closer to Jinja; the exception takes it further away.
                LegacyOverrides.Builder.from(LegacyOverrides.ALL)
                    .withWhitespaceRequiredWithinTokens(false)
                    .build())
            .withElResolver(PythonMethods.resolver())
            .withProcessors(
                JinjavaProcessors.newBuilder()
                    .withNodePreProcessor((node, interpreter) -> step(interpreter))
                    .build())
            .withDisabled(
                Map.of(
                    Context.Library.TAG,
                    Set.of("include", "import", "from", "extends", "block"),
                    Context.Library.FILTER,
                    Set.of("random", "shuffle", "log"),
                    Context.Library.FUNCTION,
                    Set.of(":today", ":unixtimestamp", ":strtotime", ":datetimeformat")))
            .build();
    Jinjava engine = new Jinjava(config);
    engine.registerFunction(
        new ELFunctionDefinition(
            "", "raise_exception", ChatTemplate.class, "raiseException", String.class));
    engine.registerFilter(new ToJson());
    engine.registerTag(new GenerationTag());
    return engine;
  }

  /** The library goes on after errors; nothing after the first one matters here. */
  private static void step(JinjavaInterpreter interpreter) {
    List<TemplateError> errors = interpreter.getErrors();
    boolean failed =
        !errors.isEmpty()
            && errors.get(errors.size() - 1).getSeverity() == TemplateError.ErrorType.FATAL;
    if (failed || ++STEPS.get()[0] > MAX_STEPS) {
      throw new Stop();
    }
  }

  /** What a template calls to refuse messages. */
  public static Object raiseException(String message) {
    throw new Raised(message);
  }

  private static final class Raised extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Raised(String message) {
      super(message);
    }
  }

  /** Extends Error: the template library must not take it for a template's fault and go on. */
  private static final class Stop extends Error {
    private static final long serialVersionUID = 1L;
  }
}
