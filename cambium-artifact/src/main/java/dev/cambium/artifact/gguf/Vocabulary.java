package dev.cambium.artifact.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
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

  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;

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
    writer.put("tokenizer.ggml.model", "gpt2");
    writer.put("tokenizer.ggml.pre", cutting());
    JsonNode model = json.path("model");
    Map<Integer, String> tokens = new HashMap<>();
    model.path("vocab").properties().forEach(e -> tokens.put(e.getValue().asInt(), e.getKey()));
    Map<Integer, Boolean> added = new HashMap<>();
    for (JsonNode one : json.path("added_tokens")) {
      tokens.put(one.path("id").asInt(), one.path("content").asText());
      added.put(one.path("id").asInt(), one.path("special").asBoolean());
    }
    List<String> texts = new ArrayList<>(rows);
    List<Integer> types = new ArrayList<>(rows);
    for (int id = 0; id < rows; id++) {
      texts.add(tokens.getOrDefault(id, "[PAD" + id + "]"));
      types.add(
          !tokens.containsKey(id)
              ? UNUSED
              : !added.containsKey(id) ? NORMAL : added.get(id) ? CONTROL : USER_DEFINED);
    }
    writer.put("tokenizer.ggml.tokens", texts);
    writer.put("tokenizer.ggml.token_type", types);
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : model.path("merges")) {
      merges.add(
          merge.isArray() ? merge.path(0).asText() + " " + merge.path(1).asText() : merge.asText());
    }
    if (!merges.isEmpty()) {
      writer.put("tokenizer.ggml.merges", merges);
    }
  }

  private String cutting() {
    JsonNode model = json.path("model");
    require(model.path("type").asText(), Set.of("BPE"), "model.type");
    require(!model.path("byte_fallback").asBoolean(), "model.byte_fallback", "true", "false");
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
