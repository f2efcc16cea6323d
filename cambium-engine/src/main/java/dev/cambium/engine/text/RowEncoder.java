package dev.cambium.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.engine.text.TemplateException.Reason;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import dev.cambium.model.ToolCall;
import dev.cambium.model.VerbatimJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * From rows and conversations to token ids: the one encoding that training, evaluation and serving
 * use, so that they agree.
 *
 * <p>A conversation is rendered by the model's template and encoded piece by piece, cut where an
 * assistant's turn begins and where it ends. So the ids of a prompt are always the beginning of the
 * ids of the conversation that answers it, also where the tokenizer would rather have joined
 * characters across the border. Learnt are the assistant's turns up to and with the token that ends
 * them; of a plain text everything, and EOS.
 *
 * <p>Names of special tokens in what people wrote stay text. Thread-safe.
 */
public final class RowEncoder implements AutoCloseable {

  private static final Set<String> ROLES = Set.of("system", "user", "assistant", "tool");

  /** Of the characters that Unicode keeps for such inner use: U+FDD0 to U+FDEF. */
  private static final char FIRST_GUARD = '\uFDD0';

  private static final char LAST_GUARD = '\uFDEF';

  private static final List<String> PROBE_TEXTS =
      List.of(
          "The quick brown fox.",
          " leading and  double spaces\n\n\tand tabs",
          "3.14 + 2 = 1,024 km/h",
          "Größe, naïve, 東京, 😀",
          "{\"key\": [1, true, null]}");

  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> template;

  /** An encoder from its parts. */
  public RowEncoder(Tokenizer tokenizer, Optional<ChatTemplate> template) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /** The encoder of a model directory. */
  public static RowEncoder load(Path dir) throws IOException {
    Tokenizer tokenizer = Tokenizer.load(dir);
    try {
      RowEncoder encoder =
          new RowEncoder(tokenizer, ChatTemplate.load(dir, tokenizer.namedTokens()));
      ProbeFile.check(dir, encoder);
      return encoder;
    } catch (IOException | RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /**
   * The encoder of an adapter on a model: with the adapter's tokenizer and template, where it
   * brings them.
   */
  public static RowEncoder load(Path model, Path adapter) throws IOException {
    if (!Files.isRegularFile(adapter.resolve(ModelText.TOKENIZER))) {
      return load(model);
    }
    Tokenizer tokenizer = Tokenizer.load(model, adapter);
    Optional<ChatTemplate> own = ChatTemplate.load(adapter, tokenizer.namedTokens());
    return new RowEncoder(
        tokenizer, own.isPresent() ? own : ChatTemplate.load(model, tokenizer.namedTokens()));
  }

  /** The tokenizer. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** Whether conversations can be encoded, and not plain text only. */
  public boolean hasTemplate() {
    return template.isPresent();
  }

  /**
   * A training row.
   *
   * @param maxTokens longer rows are cut at the end
   * @throws TemplateException if the template cannot be used, or not for this row
   */
  public Encoded row(Row row, int maxTokens) {
    String text = row.text();
    return text != null
        ? text(text, maxTokens)
        : conversation(row.messages(), VerbatimJson.trees(row.tools()), maxTokens);
  }

  /** A plain text, with EOS at its end. */
  public Encoded text(String text, int maxTokens) {
    int[] ids = tokenizer.encodeDocument(text);
    int end = tokenizer.eos().orElse(-1);
    if (end >= 0 && (ids.length == 0 || ids[ids.length - 1] != end)) {
      ids = Arrays.copyOf(ids, ids.length + 1);
      ids[ids.length - 1] = end;
    }
    boolean[] supervised = new boolean[ids.length];
    Arrays.fill(supervised, true);
    return cut(ids, supervised, maxTokens);
  }

  /**
   * A conversation that ends with an assistant's turn.
   *
   * @param tools descriptions that the template shows to the model; may be empty
   */
  public Encoded conversation(List<Message> messages, List<JsonNode> tools, int maxTokens) {
    if (messages.isEmpty() || !isAssistant(messages.get(messages.size() - 1))) {
      throw new IllegalArgumentException("a conversation to learn must end with the assistant");
    }
    Rendering rendering = rendering(messages, tools);
    String whole = rendering.render(messages.size(), false);
    return pieces(rendering, whole).encoded(maxTokens);
  }

  /**
   * What a model is given so that it answers.
   *
   * @param messages a conversation that does not end with the assistant
   */
  public int[] prompt(List<Message> messages, List<JsonNode> tools) {
    if (messages.isEmpty() || isAssistant(messages.get(messages.size() - 1))) {
      throw new IllegalArgumentException("a prompt must end with the user or a tool");
    }
    Rendering rendering = rendering(messages, tools);
    String whole = rendering.render(messages.size(), true);
    Pieces pieces = pieces(rendering, whole);
    pieces.add(whole.length(), false);
    return Arrays.copyOf(pieces.ids, pieces.ids.length);
  }

  /**
   * Checks that the template renders the beginning of a conversation to the beginning of what it
   * renders the whole to, and ends the assistant's turns with a token at which generation stops.
   *
   * @throws TemplateException naming what does not hold
   */
  public void checkTemplate(List<Message> messages) {
    Rendering rendering = rendering(messages, List.of());
    boolean answered = isAssistant(messages.get(messages.size() - 1));
    pieces(rendering, rendering.render(messages.size(), !answered));
  }

  private static boolean isAssistant(Message message) {
    return message.role().equals("assistant");
  }

  private Pieces pieces(Rendering rendering, String whole) {
    Pieces pieces = new Pieces(whole, rendering.guard);
    for (int turn = 0; turn < rendering.messages.size(); turn++) {
      if (!isAssistant(rendering.messages.get(turn))) {
        continue;
      }
      String before = rendering.render(turn, true);
      boolean last = turn == rendering.messages.size() - 1;
      String upTo = last ? whole : rendering.render(turn + 1, false);
      requirePrefix(before, upTo, turn);
      requirePrefix(upTo, whole, turn + 1);
      pieces.add(before.length(), false);
      pieces.add(endOfTurn(upTo, before.length()), true);
    }
    return pieces;
  }

  private static void requirePrefix(String beginning, String whole, int turns) {
    if (!whole.startsWith(beginning)) {
      int at = 0;
      while (at < Math.min(beginning.length(), whole.length())
          && beginning.charAt(at) == whole.charAt(at)) {
        at++;
      }
      throw new TemplateException(
          Reason.NOT_PREFIX_STABLE,
          "the chat template is not prefix-stable: the first "
              + turns
              + " messages render differently alone and within the conversation, from character "
              + at
              + " on: '"
              + excerpt(beginning, at)
              + "' and '"
              + excerpt(whole, at)
              + "'");
    }
  }

  private static String excerpt(String text, int at) {
    return text.substring(at, Math.min(text.length(), at + 40)).replace("\n", "\\n");
  }

  /** Where the last stop token of a turn ends. */
  private int endOfTurn(String text, int from) {
    int end = -1;
    for (String token : tokenizer.specialTokens()) {
      if (tokenizer.specialToken(token).filter(tokenizer::isStop).isPresent()) {
        int at = text.lastIndexOf(token);
        if (at >= from) {
          end = Math.max(end, at + token.length());
        }
      }
    }
    if (end < 0) {
      throw new TemplateException(
          Reason.NO_END_OF_TURN,
          "the chat template ends the assistant's turn ('"
              + excerpt(text, from)
              + "') without a token at which generation stops");
    }
    return end;
  }

  private Rendering rendering(List<Message> messages, List<JsonNode> tools) {
    ChatTemplate chat =
        template.orElseThrow(
            () ->
                new TemplateException(
                    Reason.ABSENT,
                    "this model has no chat template (chat_template.jinja, or chat_template in"
                        + " tokenizer_config.json): it takes plain text only"));
    for (Message message : messages) {
      if (!ROLES.contains(message.role())) {
        throw new IllegalArgumentException(
            "unknown role '" + message.role() + "': system, user, assistant or tool");
      }
    }
    char guard = guard(messages, tools);
    List<Message> guarded = messages.stream().map(m -> guarded(m, guard)).toList();
    List<JsonNode> guardedTools = tools.stream().map(t -> guarded(t, guard)).toList();
    return new Rendering(chat, guarded, guardedTools, guard);
  }

  private Message guarded(Message message, char guard) {
    return new Message(
        message.role(),
        tokenizer.guard(message.content(), guard),
        message.toolCalls().stream()
            .map(
                call ->
                    new ToolCall(
                        guarded(call.id(), guard),
                        tokenizer.guard(call.name(), guard),
                        VerbatimJson.of(guarded(call.arguments().tree(), guard))))
            .toList(),
        guarded(message.toolCallId(), guard),
        guarded(message.name(), guard));
  }

  private @Nullable String guarded(@Nullable String text, char guard) {
    return text == null ? null : tokenizer.guard(text, guard);
  }

  private JsonNode guarded(JsonNode tree, char guard) {
    String json = tree.toString();
    String safe = tokenizer.guard(json, guard);
    if (safe.equals(json)) {
      return tree;
    }
    try {
      return ModelText.MAPPER.readTree(safe);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "what describes or calls a tool holds a special token: " + json, e);
    }
  }

  /** A character that occurs nowhere in what people wrote. */
  private static char guard(List<Message> messages, List<JsonNode> tools) {
    for (char guard = FIRST_GUARD; guard <= LAST_GUARD; guard++) {
      char candidate = guard;
      if (messages.stream().noneMatch(m -> m.toString().indexOf(candidate) >= 0)
          && tools.stream().noneMatch(t -> t.toString().indexOf(candidate) >= 0)) {
        return candidate;
      }
    }
    throw new IllegalArgumentException("a conversation holds all of Unicode's U+FDD0 to U+FDEF");
  }

  private Encoded cut(int[] ids, boolean[] supervised, int maxTokens) {
    if (ids.length > 0) {
      supervised[0] = false;
    }
    return ids.length <= maxTokens
        ? new Encoded(ids, supervised, false)
        : new Encoded(Arrays.copyOf(ids, maxTokens), Arrays.copyOf(supervised, maxTokens), true);
  }

  /** Texts with their ids, among them a conversation if there is a template. */
  public List<TokenProbe> probes() {
    List<TokenProbe> probes = new ArrayList<>();
    for (String text : PROBE_TEXTS) {
      probes.add(new TokenProbe(text, boxed(tokenizer.encodeDocument(text))));
    }
    for (String token : tokenizer.specialTokens()) {
      if (tokenizer.specialToken(token).filter(tokenizer::isStop).isPresent()) {
        probes.add(new TokenProbe(token, boxed(tokenizer.encodePlain(token))));
      }
    }
    if (template.isPresent()) {
      List<Message> messages = List.of(Message.user("Is 2 + 2 = 4?"));
      probes.add(new TokenProbe("user: Is 2 + 2 = 4?", boxed(prompt(messages, List.of()))));
    }
    return probes;
  }

  /**
   * Checks that this encoder gives the ids that were stored with a model.
   *
   * @throws IllegalStateException naming the first text that is encoded differently
   */
  public void checkProbes(List<TokenProbe> stored) {
    List<TokenProbe> now = probes();
    for (int i = 0; i < Math.max(now.size(), stored.size()); i++) {
      if (i >= now.size() || i >= stored.size() || !now.get(i).equals(stored.get(i))) {
        throw new IllegalStateException(
            "the tokenizer or the chat template is not the one this model was made with: probe "
                + (i + 1)
                + " is "
                + (i < now.size() ? now.get(i) : "absent")
                + ", stored was "
                + (i < stored.size() ? stored.get(i) : "absent"));
      }
    }
  }

  private static List<Integer> boxed(int[] ids) {
    return Arrays.stream(ids).boxed().toList();
  }

  @Override
  public void close() {
    tokenizer.close();
  }

  /** Messages whose beginnings are rendered, with a guard in special tokens' names. */
  private record Rendering(
      ChatTemplate template, List<Message> messages, List<JsonNode> tools, char guard) {

    String render(int turns, boolean addGenerationPrompt) {
      return template.render(messages.subList(0, turns), tools, addGenerationPrompt);
    }
  }

  /** Ids of a growing beginning of a rendered text. */
  private final class Pieces {
    private final String text;
    private final char guard;
    private int end;
    private int[] ids = new int[0];
    private boolean[] supervised = new boolean[0];

    Pieces(String text, char guard) {
      this.text = text;
      this.guard = guard;
    }

    /** Adds the piece up to a position. */
    void add(int to, boolean learnt) {
      int before = ids.length;
      int[] all = tokenizer.encodeGuarded(text.substring(0, to), guard);
      if (all.length < before || !Arrays.equals(all, 0, before, ids, 0, before)) {
        // The tokenizer joins characters across the border; a prompt that ends here would not.
        int[] piece = tokenizer.encodeGuarded(text.substring(end, to), guard);
        all = Arrays.copyOf(ids, before + piece.length);
        System.arraycopy(piece, 0, all, before, piece.length);
      }
      ids = all;
      supervised = Arrays.copyOf(supervised, all.length);
      Arrays.fill(supervised, before, all.length, learnt);
      end = to;
    }

    Encoded encoded(int maxTokens) {
      return cut(ids, supervised, maxTokens);
    }
  }
}
