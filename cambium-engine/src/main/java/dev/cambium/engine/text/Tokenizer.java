package dev.cambium.engine.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A model's tokenizer, from its {@code tokenizer.json}, with the tokens that have a role.
 *
 * <p>The work is done by Hugging Face's own library, so ids are those of every other program that
 * reads the file. Nothing is fetched: the native library is inside the jar.
 *
 * <p>Text comes in two kinds. {@link #encodePlain} takes what a person wrote: a special token's
 * name in it is letters like any others. {@link #encodeMarkup} takes what a chat template rendered:
 * there the names are tokens. Thread-safe.
 */
public final class Tokenizer implements AutoCloseable {

  static {
    // The library asks the network for GPU builds of itself, and reports its use on some clouds.
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
  }

  private static final Map<String, String> AS_IN_FILE =
      Map.of("truncation", "false", "padding", "false");

  private final Path file;
  private final byte[] source;
  private final HuggingFaceTokenizer markup;
  private @Nullable HuggingFaceTokenizer plain;
  private final Map<String, Integer> special;
  private final boolean matchesNormalized;
  private final SpecialTokens roles;
  private final int vocabularySize;

  private Tokenizer(
      Path file,
      byte[] source,
      HuggingFaceTokenizer markup,
      Map<String, Integer> special,
      boolean matchesNormalized,
      SpecialTokens roles,
      int vocabularySize) {
    this.file = file;
    this.source = source;
    this.markup = markup;
    this.special = special;
    this.matchesNormalized = matchesNormalized;
    this.roles = roles;
    this.vocabularySize = vocabularySize;
  }

  /**
   * Loads the tokenizer of a model directory.
   *
   * @throws IOException if {@code tokenizer.json} is missing, or the library refuses it
   */
  public static Tokenizer load(Path dir) throws IOException {
    return load(dir, dir);
  }

  /**
   * Loads a tokenizer that has tokens beyond those of its model.
   *
   * @param model directory of the model, for what {@code dir} does not say
   * @param dir directory with the tokenizer
   */
  static Tokenizer load(Path model, Path dir) throws IOException {
    Path file = dir.resolve(ModelText.TOKENIZER);
    if (!Files.isRegularFile(file)) {
      throw new IOException(
          "no tokenizer.json in " + dir + ": only tokenizers in that format are read");
    }
    JsonNode json = ModelText.json(file);
    if (!(json instanceof ObjectNode description)) {
      throw new IOException(file + " is not a JSON object");
    }
    description.putNull("truncation");
    description.putNull("padding");
    boolean matchesNormalized = false;
    Map<String, Integer> special = new TreeMap<>();
    Map<String, Integer> added = new HashMap<>();
    int size = size(description.path("model").path("vocab"));
    for (JsonNode token : description.path("added_tokens")) {
      String text = token.path("content").asText();
      int id = token.path("id").asInt(-1);
      size = Math.max(size, id + 1);
      added.put(text, id);
      if (token.path("special").asBoolean() && !text.isEmpty()) {
        special.put(text, id);
        // Such a token is looked for in the normalized text, which may name it where this does not.
        matchesNormalized |= token.path("normalized").asBoolean();
      }
    }
    JsonNode vocabulary = description.path("model").path("vocab");
    SpecialTokens roles =
        SpecialTokens.read(
            model,
            dir,
            text -> {
              Integer id = added.get(text);
              JsonNode inVocabulary = vocabulary.path(text);
              return id != null
                  ? Optional.of(id)
                  : inVocabulary.isInt() ? Optional.of(inVocabulary.intValue()) : Optional.empty();
            });
    byte[] source = ModelText.MAPPER.writeValueAsBytes(description);
    return new Tokenizer(file, source, open(source, file), special, matchesNormalized, roles, size);
  }

  /** One more than the greatest id of a vocabulary. */
  private static int size(JsonNode vocabulary) {
    int size = vocabulary.isArray() ? vocabulary.size() : 0;
    if (vocabulary.isObject()) {
      for (JsonNode id : vocabulary) {
        size = Math.max(size, id.asInt() + 1);
      }
    }
    return size;
  }

  private static HuggingFaceTokenizer open(byte[] source, Path file) throws IOException {
    try {
      return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(source), AS_IN_FILE);
    } catch (RuntimeException e) {
      throw new IOException(file + " is not a tokenizer that can be loaded: " + e.getMessage(), e);
    }
  }

  /**
   * What encodes a text whose special tokens' names stay text: the tokenizer without these tokens,
   * or, since most texts name none and a second tokenizer takes time to make, the tokenizer itself.
   */
  private HuggingFaceTokenizer forText(String text) {
    for (String token : special.keySet()) {
      if (matchesNormalized || text.contains(token)) {
        return plain();
      }
    }
    return markup;
  }

  private synchronized HuggingFaceTokenizer plain() {
    HuggingFaceTokenizer opened = plain;
    if (opened == null) {
      try {
        ObjectNode description = (ObjectNode) ModelText.MAPPER.readTree(source);
        ArrayNode kept = ModelText.MAPPER.createArrayNode();
        for (JsonNode token : description.path("added_tokens")) {
          if (!token.path("special").asBoolean()) {
            kept.add(token);
          }
        }
        description.set("added_tokens", kept);
        opened = open(ModelText.MAPPER.writeValueAsBytes(description), file);
      } catch (IOException e) {
        throw new UncheckedIOException("without its special tokens, " + e.getMessage(), e);
      }
      plain = opened;
    }
    return opened;
  }

  /**
   * The ids of a document, begun by the tokens that the model's own post-processor puts around a
   * text (such as BOS). Special tokens' names in it stay text.
   */
  public int[] encodeDocument(String text) {
    return ids(forText(text).encode(text, true, false).getIds());
  }

  /** The ids of a text, with nothing added. Special tokens' names in it stay text. */
  public int[] encodePlain(String text) {
    return text.isEmpty() ? new int[0] : ids(forText(text).encode(text, false, false).getIds());
  }

  /** The ids of a rendered template: names of special tokens are those tokens. */
  public int[] encodeMarkup(String text) {
    return text.isEmpty() ? new int[0] : ids(markup.encode(text, false, false).getIds());
  }

  /**
   * The ids of a rendered template in which {@code guard} stands inside each special token's name
   * that came from a person and not from the template (see {@link #guard}).
   */
  int[] encodeGuarded(String text, char guard) {
    if (text.indexOf(guard) < 0) {
      return encodeMarkup(text);
    }
    // As the library does: cut at the special tokens, and encode what lies between by itself.
    int[] ids = new int[text.length() + 16];
    int count = 0;
    int at = 0;
    while (at < text.length()) {
      int next = text.length();
      @Nullable String token = null;
      for (String candidate : special.keySet()) {
        int found = text.indexOf(candidate, at);
        if (found >= 0
            && (found < next
                || (found == next && token != null && candidate.length() > token.length()))) {
          next = found;
          token = candidate;
        }
      }
      int[] part = encodePlain(text.substring(at, next).replace(String.valueOf(guard), ""));
      ids = room(ids, count + part.length + 1);
      System.arraycopy(part, 0, ids, count, part.length);
      count += part.length;
      at = next;
      if (token != null) {
        ids[count++] = special.getOrDefault(token, -1);
        at += token.length();
      }
    }
    return Arrays.copyOf(ids, count);
  }

  private static int[] room(int[] array, int needed) {
    return needed <= array.length
        ? array
        : Arrays.copyOf(array, Math.max(needed, 2 * array.length));
  }

  /**
   * A text in which every special token's name is broken up by a guard character, so that a
   * template can carry it without its becoming that token.
   */
  String guard(String text, char guard) {
    String guarded = text;
    for (String token : special.keySet()) {
      if (guarded.contains(token)) {
        int cut = token.offsetByCodePoints(0, 1);
        guarded = guarded.replace(token, token.substring(0, cut) + guard + token.substring(cut));
      }
    }
    return guarded;
  }

  /** The text of ids; special tokens are left out. */
  public String decode(int[] ids) {
    return decode(ids, true);
  }

  /** The text of ids. Bytes that are not UTF-8 become U+FFFD. */
  public String decode(int[] ids, boolean skipSpecial) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wide[i] = ids[i];
    }
    return wide.length == 0 ? "" : markup.decode(wide, skipSpecial);
  }

  /** The id of a special token by its text, such as {@code <|im_end|>}. */
  public Optional<Integer> specialToken(String text) {
    return Optional.ofNullable(special.get(text));
  }

  /** Texts of all special tokens. */
  public Set<String> specialTokens() {
    return special.keySet();
  }

  /** The token that begins a text. */
  public Optional<Integer> bos() {
    return roles.bos();
  }

  /** The token that ends a text. */
  public Optional<Integer> eos() {
    return roles.eos();
  }

  /** Ids at which generation stops, ascending: EOS and those that the model's settings name. */
  public List<Integer> stopIds() {
    return List.copyOf(roles.stops());
  }

  boolean isStop(int id) {
    return roles.stops().contains(id);
  }

  /** Roles such as {@code bos_token} with their tokens' texts, for chat templates. */
  public Map<String, String> namedTokens() {
    return roles.named();
  }

  /** One more than the greatest id; a model's embedding may have more rows, never fewer. */
  public int vocabularySize() {
    return vocabularySize;
  }

  /** Ids of all special tokens. */
  TreeSet<Integer> specialIds() {
    return new TreeSet<>(special.values());
  }

  private static int[] ids(long[] wide) {
    int[] ids = new int[wide.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Math.toIntExact(wide[i]);
    }
    return ids;
  }

  @Override
  public synchronized void close() {
    markup.close();
    HuggingFaceTokenizer opened = plain;
    if (opened != null) {
      opened.close();
    }
  }
}
