package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an application version adds to its model; stored as {@code application.json}.
 *
 * @param system instruction ahead of every conversation
 * @param prompt template of the user's turn, in which {@code {input}} stands for what the user
 *     wrote; none means the input as it is
 * @param examples questions with their answers, shown ahead of every conversation
 * @param tools descriptions of the tools that the chat template shows to the model
 * @param maxNewTokens the longest answer
 * @param temperature 0 for greedy decoding
 */
public record Application(
    @Nullable String system,
    @Nullable String prompt,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Example> examples,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<VerbatimJson> tools,
    int maxNewTokens,
    double temperature) {

  public static final String FILE = "application.json";

  /** What {@link #prompt} has in the place of what the user wrote. */
  public static final String INPUT = "{input}";

  private static final int SHOWN = 60;

  /**
   * A question with its answer.
   *
   * @param input as a user would write it; it gets the same {@link #prompt} around it
   * @param answer exactly
   */
  public record Example(String input, String answer) {}

  /** Without examples. */
  public Application(
      @Nullable String system,
      @Nullable String prompt,
      List<VerbatimJson> tools,
      int maxNewTokens,
      double temperature) {
    this(system, prompt, List.of(), tools, maxNewTokens, temperature);
  }

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Application {
    examples = examples == null ? List.of() : List.copyOf(examples);
    tools = tools == null ? List.of() : List.copyOf(tools);
    if (maxNewTokens == 0) {
      maxNewTokens = Scorer.DEFAULT_MAX_NEW_TOKENS;
    }
    if (prompt != null && !prompt.contains(INPUT)) {
      throw new IllegalArgumentException("the prompt of an application must contain {input}");
    }
  }

  /** The bytes of its file. */
  public byte[] bytes() {
    return Json.canonical(this);
  }

  /**
   * The version that this is on a parent.
   *
   * @param parent manifest of a model or an adapter
   */
  public Manifest on(Digest parent) {
    byte[] bytes = bytes();
    return new Manifest(
        VersionKind.APPLICATION,
        parent,
        List.of(new FileEntry(FILE, bytes.length, Digest.of(bytes))));
  }

  /** How this differs from another one, for people; tools aside, which are seldom short. */
  public String changeFrom(Application other) {
    List<String> changes = new ArrayList<>();
    if (!Objects.equals(system, other.system)) {
      changes.add("system " + quoted(system));
    }
    if (!Objects.equals(prompt, other.prompt)) {
      changes.add("prompt " + quoted(prompt));
    }
    if (!examples.equals(other.examples)) {
      changes.add(examples.size() == 1 ? "1 example" : examples.size() + " examples");
    }
    if (!tools.equals(other.tools)) {
      changes.add("other tools");
    }
    if (maxNewTokens != other.maxNewTokens) {
      changes.add("max-new-tokens " + maxNewTokens);
    }
    if (temperature != other.temperature) {
      changes.add("temperature " + temperature);
    }
    return changes.isEmpty() ? "as it is" : String.join(", ", changes);
  }

  private static String quoted(@Nullable String text) {
    if (text == null) {
      return "none";
    }
    return text.codePointCount(0, text.length()) <= SHOWN
        ? "'" + text + "'"
        : "'" + text.substring(0, text.offsetByCodePoints(0, SHOWN)) + "…'";
  }

  /** The user's turn for an input. */
  public String userTurn(String input) {
    return prompt == null ? input : prompt.replace(INPUT, input);
  }
}
