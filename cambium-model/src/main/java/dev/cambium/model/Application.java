package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an application version adds to its model; stored as {@code application.json}.
 *
 * @param system instruction ahead of every conversation
 * @param prompt template of the user's turn, in which {@code {input}} stands for what the user
 *     wrote; none means the input as it is
 * @param tools descriptions of the tools that the chat template shows to the model
 * @param maxNewTokens the longest answer
 * @param temperature 0 for greedy decoding
 */
public record Application(
    @Nullable String system,
    @Nullable String prompt,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<VerbatimJson> tools,
    int maxNewTokens,
    double temperature) {

  public static final String FILE = "application.json";

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Application {
    tools = tools == null ? List.of() : List.copyOf(tools);
    if (maxNewTokens == 0) {
      maxNewTokens = Scorer.DEFAULT_MAX_NEW_TOKENS;
    }
    if (prompt != null && !prompt.contains("{input}")) {
      throw new IllegalArgumentException("the prompt of an application must contain {input}");
    }
  }

  /** The user's turn for an input. */
  public String userTurn(String input) {
    return prompt == null ? input : prompt.replace("{input}", input);
  }
}
