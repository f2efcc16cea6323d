package dev.cambium.artifact.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A {@code tokenizer.json} in the words of llama.cpp. That program has the cutting of text before
 * BPE built in, under names; what it has no name for cannot be said.
 */
final class Vocabulary {

  /** Of llama.cpp's token types. */
  private static final int NORMAL = 1;

  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private static final String LLAMA3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
          + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String QWEN2 = LLAMA3.replace("\\p{N}{1,3}", "\\p{N}");

  private final JsonNode json;
  private final List<String> notes = new ArrayList<>();

  Vocabulary(JsonNode json) {
    this.json = json;
  }

  /** What a person should know of what is written. */
  List<String> notes() {
    return List.copyOf(notes);
  }

  /**
   * Writes tokens, types, merges and the name of the cutting.
   *
   * @param rows of the embedding; ids without a token get one that nothing is encoded to
   */
  void write(GgufWriter writer, int rows) {
    JsonNode model = json.path("model");
    boolean sentencePiece = model.path("byte_fallback").asBoolean();
    writer.put("tokenizer.ggml.model", sentencePiece ? "llama" : "gpt2");
    if (sentencePiece) {
      writer.put("tokenizer.ggml.pre", "default");
      writer.put("tokenizer.ggml.add_space_prefix", prefixesSpace());
    } else {
      writer.put("tokenizer.ggml.pre", cutting());
    }
    Map<Integer, String> tokens = new HashMap<>();
    model.path("vocab").properties().forEach(e -> tokens.put(e.getValue().asInt(), e.getKey()));
    Map<Integer, Boolean> added = new HashMap<>();
    for (JsonNode one : json.path("added_tokens")) {
      tokens.put(one.path("id").asInt(), one.path("content").asText());
      added.put(one.path("id").asInt(), one.path("special").asBoolean());
    }
    String unknown = model.path("unk_token").asText("");
    List<String> texts = new ArrayList<>(rows);
    List<Integer> types = new ArrayList<>(rows);
    for (int id = 0; id < rows; id++) {
      String text = tokens.getOrDefault(id, "[PAD" + id + "]");
      int type = NORMAL;
      if (!tokens.containsKey(id)) {
        type = UNUSED;
      } else if (sentencePiece && text.equals(unknown)) {
        type = UNKNOWN;
      } else if (added.containsKey(id)) {
        type = added.get(id) ? CONTROL : USER_DEFINED;
      } else if (sentencePiece && text.matches("<0x[0-9A-F]{2}>")) {
        type = BYTE;
      }
      texts.add(text);
      types.add(type);
    }
    writer.put("tokenizer.ggml.tokens", texts);
    writer.put("tokenizer.ggml.token_type", types);
    List<String[]> merges = merges();
    if (sentencePiece) {
      writer.put("tokenizer.ggml.scores", scores(texts, types, merges));
    } else if (!merges.isEmpty()) {
      writer.put(
          "tokenizer.ggml.merges", merges.stream().map(pair -> pair[0] + " " + pair[1]).toList());
    }
  }

  private List<String[]> merges() {
    List<String[]> merges = new ArrayList<>();
    for (JsonNode merge : json.path("model").path("merges")) {
      merges.add(
          merge.isArray()
              ? new String[] {merge.path(0).asText(), merge.path(1).asText()}
              : merge.asText().split(" ", 2));
    }
    return merges;
  }

  /**
   * For llama.cpp's SentencePiece, which joins any two neighbours that make a token, that of the
   * highest score first: the order of the merges. It comes to the same only if every pair that
   * makes a token is a merge, and the merges that make a token follow one another.
   */
  private static List<Float> scores(
      List<String> texts, List<Integer> types, List<String[]> merges) {
    Set<String> known = new HashSet<>();
    for (int id = 0; id < texts.size(); id++) {
      if (types.get(id) == NORMAL) {
        known.add(texts.get(id));
      }
    }
    Map<String, Integer> order = new HashMap<>();
    Map<String, Integer> pairs = new HashMap<>();
    String before = "";
    for (String[] pair : merges) {
      String made = pair[0] + pair[1];
      if (!made.equals(before)) {
        requireMerges(order.put(made, order.size() + 1) == null, made);
      }
      pairs.merge(made, 1, Integer::sum);
      before = made;
    }
    List<Float> scores = new ArrayList<>();
    for (int id = 0; id < texts.size(); id++) {
      String text = texts.get(id);
      int splits = 0;
      if (types.get(id) == NORMAL) {
        for (int cut = 1; cut < text.length(); cut++) {
          boolean both =
              known.contains(text.substring(0, cut)) && known.contains(text.substring(cut));
          splits += both ? 1 : 0;
        }
        requireMerges(splits == pairs.getOrDefault(text, 0), text);
      }
      scores.add(-(float) order.getOrDefault(text, 0));
    }
    return scores;
  }

  private static void requireMerges(boolean holds, String token) {
    require(
        holds,
        "model.merges",
        "merges of \"" + token + "\" that are not all pairs that make it, one after another",
        "those that SentencePiece gives");
  }

  /** Whether a space is put before each text, as SentencePiece does. */
  private boolean prefixesSpace() {
    require(json.path("model").path("type").asText(), Set.of("BPE"), "model.type");
    JsonNode normalizer = json.path("normalizer");
    JsonNode cutting = json.path("pre_tokenizer");
    boolean none = cutting.isMissingNode() || cutting.isNull();
    JsonNode steps = normalizer.path("normalizers");
    boolean replaces =
        steps.size() == 2
            && steps.path(0).path("prepend").asText().equals("▁")
            && isReplacement(steps.path(1));
    if (none && (replaces || isReplacement(normalizer))) {
      return replaces;
    }
    String scheme = cutting.path("prepend_scheme").asText("");
    boolean metaspace =
        (normalizer.isMissingNode() || normalizer.isNull())
            && cutting.path("type").asText().equals("Metaspace")
            && !cutting.path("split").asBoolean(true)
            && (scheme.equals("always") || scheme.equals("never"));
    require(
        metaspace,
        "normalizer and pre_tokenizer",
        shortened(normalizer + " and " + cutting),
        "a space before every piece of text, or none (prepend_scheme always or never; first puts one"
            + " at the beginning only)");
    return scheme.equals("always");
  }

  private static boolean isReplacement(JsonNode step) {
    return step.path("pattern").path("String").asText().equals(" ")
        && step.path("content").asText().equals("▁");
  }

  private String cutting() {
    JsonNode model = json.path("model");
    require(model.path("type").asText(), Set.of("BPE"), "model.type");
    for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      require(model.path(affix).asText("").replace("null", ""), Set.of(""), "model." + affix);
    }
    JsonNode normalizer = json.path("normalizer");
    String normal = normalizer.path("type").asText("");
    require(normal, Set.of("", "NFC"), "normalizer.type");
    if (normal.equals("NFC")) {
      notes.add(
          "tokenizer.json composes characters (NFC), llama.cpp does not: text with decomposed"
              + " accents is cut differently there.");
    }
    List<JsonNode> steps = new ArrayList<>();
    JsonNode cutting = json.path("pre_tokenizer");
    if (cutting.path("type").asText().equals("Sequence")) {
      cutting.path("pretokenizers").forEach(steps::add);
    } else {
      steps.add(cutting);
    }
    String name = named(steps).orElse("");
    require(
        !name.isEmpty(),
        "pre_tokenizer",
        shortened(cutting.toString()),
        "that of GPT-2, SmolLM, Llama 3 or Qwen 2, which llama.cpp has built in");
    boolean ignores = model.path("ignore_merges").asBoolean();
    require(
        ignores == name.equals("llama-bpe"),
        "model.ignore_merges",
        String.valueOf(ignores),
        !ignores + ", as llama.cpp has it for " + name);
    return name;
  }

  private static Optional<String> named(List<JsonNode> steps) {
    JsonNode last = steps.get(steps.size() - 1);
    if (!last.path("type").asText().equals("ByteLevel")
        || last.path("add_prefix_space").asBoolean(true)) {
      return Optional.empty();
    }
    boolean cuts = last.path("use_regex").asBoolean(true);
    if (steps.size() == 1) {
      return cuts ? Optional.of("gpt-2") : Optional.empty();
    }
    JsonNode first = steps.get(0);
    if (steps.size() != 2) {
      return Optional.empty();
    }
    if (first.path("type").asText().equals("Digits")) {
      return cuts && first.path("individual_digits").asBoolean()
          ? Optional.of("smollm")
          : Optional.empty();
    }
    boolean splits =
        first.path("type").asText().equals("Split")
            && first.path("behavior").asText().equals("Isolated")
            && !first.path("invert").asBoolean()
            && !cuts;
    String pattern = first.path("pattern").path("Regex").asText();
    if (splits && pattern.equals(LLAMA3)) {
      return Optional.of("llama-bpe");
    }
    return splits && pattern.equals(QWEN2) ? Optional.of("qwen2") : Optional.empty();
  }

  private static void require(String found, Set<String> expected, String key) {
    require(
        expected.contains(found),
        key,
        "\"" + found + "\"",
        String.join(" or ", new TreeSet<>(expected)));
  }

  private static void require(boolean holds, String key, String found, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "tokenizer.json: " + key + ": found " + found + "; GGUF can say " + expected + " only");
    }
  }

  private static String shortened(String text) {
    return text.length() > 200 ? text.substring(0, 200) + "…" : text;
  }

  /** What the post-processor puts before (or after) a text: a token's name, if it is one. */
  Optional<String> around(boolean before) {
    List<JsonNode> steps = new ArrayList<>();
    JsonNode processor = json.path("post_processor");
    if (processor.path("type").asText().equals("Sequence")) {
      processor.path("processors").forEach(steps::add);
    } else {
      steps.add(processor);
    }
    for (JsonNode step : steps) {
      if (!step.path("type").asText().equals("TemplateProcessing")) {
        continue;
      }
      JsonNode pieces = step.path("single");
      JsonNode piece = pieces.path(before ? 0 : pieces.size() - 1).path("SpecialToken");
      int specials = 0;
      for (JsonNode one : pieces) {
        specials += one.has("SpecialToken") ? 1 : 0;
      }
      boolean both =
          pieces.path(0).has("SpecialToken") && pieces.path(pieces.size() - 1).has("SpecialToken");
      require(
          specials <= (both ? 2 : 1),
          "post_processor",
          shortened(pieces.toString()),
          "one token before and one after a text");
      return piece.isMissingNode() ? Optional.empty() : Optional.of(piece.path("id").asText());
    }
    return Optional.empty();
  }
}
