package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Whether {@code tokenizer.json} is that of the model beside it, as far as files can tell: its ids
 * lie within the embedding, the tokens with a role have the ids that the configurations name, and
 * the other files that list tokens list the same. Two tokenizers that agree in all of this cannot
 * be told apart here; the facts say what was compared.
 */
final class TokenizerFiles {

  static final String TOKENIZER = "tokenizer.json";
  static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  static final String GENERATION_CONFIG = "generation_config.json";
  private static final String SPECIAL_TOKENS = "special_tokens_map.json";
  private static final String VOCABULARY = "vocab.json";

  private static final String REMEDY = "Give the tokenizer that the model was trained with.";

  private final Folder folder;
  private final Findings findings;
  private final Map<String, Long> ids = new HashMap<>();
  private final Map<Long, String> tokens = new HashMap<>();
  private final Set<Long> special = new TreeSet<>();
  private final Set<String> compared = new TreeSet<>();

  private TokenizerFiles(Folder folder, Findings findings) {
    this.folder = folder;
    this.findings = findings;
  }

  static void check(Folder folder, Optional<DecoderConfig> model, Findings findings) {
    TokenizerFiles files = new TokenizerFiles(folder, findings);
    boolean known = files.readTokenizer(model);
    Optional<JsonFile> config = files.open(DecoderConfig.FILE, false);
    Optional<JsonFile> generation = files.open(GENERATION_CONFIG, true);
    if (known) {
      files.checkRoles(config, generation);
      files.checkAddedTokens();
      files.checkVocabulary();
      findings.fact(
          "tokenizer compared by",
          files.compared.isEmpty()
              ? "the range of its ids only: whether the model was trained with it cannot be told"
              : String.join(", ", files.compared));
    }
    model.ifPresent(
        m -> {
          config.ifPresent(c -> files.checkIds(c, m.vocabularySize(), known));
          generation.ifPresent(g -> files.checkIds(g, m.vocabularySize(), known));
        });
  }

  /**
   * A file that may not be there.
   *
   * @param names whether to name what is wrong with its form; others do that for some files
   */
  private Optional<JsonFile> open(String name, boolean names) {
    if (!folder.has(name)) {
      return Optional.empty();
    }
    if (names) {
      folder.take(name);
    }
    return JsonFile.read(folder, name, names ? findings : new Findings());
  }

  private boolean readTokenizer(Optional<DecoderConfig> model) {
    if (!folder.has(TOKENIZER)) {
      findings.refuse(
          TOKENIZER,
          "",
          "no such file",
          "the tokenizer that the model was trained with",
          "Save it beside the model (in Python: tokenizer.save_pretrained).");
      return false;
    }
    Optional<JsonFile> file = open(TOKENIZER, true);
    if (file.isEmpty()) {
      return false;
    }
    JsonNode tree = file.get().tree();
    JsonNode vocabulary = tree.path("model").path("vocab");
    // By token (BPE, WordPiece), or a list with a token and its score at each id (Unigram).
    if (vocabulary.isArray()) {
      for (int id = 0; id < vocabulary.size(); id++) {
        add(vocabulary.path(id).path(0).asText(), id);
      }
    }
    vocabulary.properties().forEach(entry -> add(entry.getKey(), entry.getValue().asLong(-1)));
    for (JsonNode added : tree.path("added_tokens")) {
      add(added.path("content").asText(), added.path("id").asLong(-1));
      if (added.path("special").asBoolean()) {
        special.add(added.path("id").asLong(-1));
      }
    }
    if (tokens.isEmpty()) {
      file.get().refuse("model.vocab", "no tokens", "a vocabulary");
      return false;
    }
    long highest = tokens.keySet().stream().mapToLong(Long::longValue).max().orElse(-1);
    long lowest = tokens.keySet().stream().mapToLong(Long::longValue).min().orElse(0);
    findings.fact("tokenizer ids", highest + 1);
    if (lowest < 0) {
      file.get().refuse("model.vocab", tokens.get(lowest) + " without an id", "an id for each");
      return false;
    }
    return model.isEmpty() || isWithin(highest, model.get().vocabularySize());
  }

  private void add(String token, long id) {
    ids.put(token, id);
    tokens.put(id, token);
  }

  private boolean isWithin(long highest, long rows) {
    if (highest >= rows) {
      findings.refuse(
          TOKENIZER,
          "model.vocab",
          "a token with id " + highest,
          "ids below " + rows + ", the rows of the embedding",
          REMEDY);
      return false;
    }
    if (highest + 1 < rows - rows / 8) {
      // Embeddings are rounded up by some hundred rows, not by an eighth.
      findings.warn(
          TOKENIZER,
          "model.vocab",
          "ids up to " + highest + " only",
          "about as many as the " + rows + " rows of the embedding",
          "Make sure that the model was trained with this tokenizer.");
    }
    return true;
  }

  /** Tokens with a role, by name in one file and by id in others. */
  private void checkRoles(Optional<JsonFile> config, Optional<JsonFile> generation) {
    Optional<JsonFile> named = open(TOKENIZER_CONFIG, false);
    Optional<JsonFile> older = open(SPECIAL_TOKENS, true);
    for (String role : List.of("bos", "eos", "pad")) {
      String key = role + "_token";
      @Nullable String token = text(named, key);
      String file = TOKENIZER_CONFIG;
      if (token == null) {
        token = text(older, key);
        file = SPECIAL_TOKENS;
      }
      if (token == null) {
        continue;
      }
      @Nullable Long id = ids.get(token);
      boolean decides = !role.equals("pad"); // padding is never computed with
      if (id == null) {
        if (decides) {
          findings.refuse(
              file,
              key,
              shown(token),
              "a token of " + TOKENIZER,
              "Python would add it with an id of its own. Save it so (tokenizer = AutoTokenizer."
                  + "from_pretrained(DIR); tokenizer.save_pretrained(DIR)), or remove "
                  + key
                  + " if the model was not trained with it.");
        } else {
          tell(false, file, key, shown(token), "a token of " + TOKENIZER);
        }
        continue;
      }
      Set<Long> expected = new TreeSet<>();
      config.ifPresent(c -> collect(c.tree().path(key + "_id"), expected));
      generation.ifPresent(g -> collect(g.tree().path(key + "_id"), expected));
      if (!expected.isEmpty()) {
        compared.add(key);
        if (!expected.contains(id) && decides && areSpecial(id, expected)) {
          // Tokens with a role there too, so the tokenizer is the model's, with another choice.
          findings.warn(
              file,
              key,
              shown(token) + ", id " + id,
              "the token of id " + expected + ", by " + key + "_id of the model's configuration",
              role.equals("eos")
                  ? "Both are heeded, as in Python: generation stops at each of them, and texts end"
                      + " with "
                      + shown(token)
                      + "."
                  : "As in Python, texts and templates begin with " + shown(token) + ".");
        } else if (!expected.contains(id)) {
          tell(
              decides,
              file,
              key,
              shown(token) + ", id " + id + " in " + TOKENIZER,
              "the token of id "
                  + expected
                  + ", by "
                  + key
                  + "_id of "
                  + DecoderConfig.FILE
                  + " or "
                  + GENERATION_CONFIG);
        }
      }
    }
  }

  private boolean areSpecial(long id, Set<Long> others) {
    return special.contains(id) && special.containsAll(others);
  }

  private void tell(boolean decides, String file, String key, String found, String expected) {
    if (decides) {
      findings.refuse(file, key, found, expected, REMEDY);
    } else {
      findings.warn(file, key, found, expected, "It has no effect here.");
    }
  }

  private static @Nullable String text(Optional<JsonFile> file, String key) {
    if (file.isEmpty()) {
      return null;
    }
    // The text itself, or an object that describes an added token.
    JsonNode value = file.get().tree().path(key);
    JsonNode text = value.isObject() ? value.path("content") : value;
    return text.isTextual() && !text.asText().isEmpty() ? text.asText() : null;
  }

  private static void collect(JsonNode values, Set<Long> into) {
    for (JsonNode value : values.isArray() ? values : List.of(values)) {
      if (value.isIntegralNumber() && value.asLong() >= 0) {
        into.add(value.asLong());
      }
    }
  }

  /** The added tokens that the tokenizer's configuration lists by id. */
  private void checkAddedTokens() {
    Optional<JsonFile> config = open(TOKENIZER_CONFIG, false);
    if (config.isEmpty()) {
      return;
    }
    for (Map.Entry<String, JsonNode> entry :
        config.get().tree().path("added_tokens_decoder").properties()) {
      compared.add("added tokens");
      String token = entry.getValue().path("content").asText();
      long id = entry.getKey().matches("\\d{1,9}") ? Long.parseLong(entry.getKey()) : -1;
      if (!token.equals(tokens.get(id))) {
        findings.refuseEach(
            "added tokens of another tokenizer",
            TOKENIZER_CONFIG,
            "added_tokens_decoder." + entry.getKey(),
            shown(token),
            "the token that has this id in " + TOKENIZER + ", " + shown(tokens.get(id)),
            REMEDY);
      }
    }
  }

  /** The vocabulary that slow tokenizers read, which lies beside tokenizer.json in older models. */
  private void checkVocabulary() {
    if (!folder.has(VOCABULARY)) {
      return;
    }
    Optional<JsonFile> vocabulary = open(VOCABULARY, true);
    if (vocabulary.isEmpty()) {
      return;
    }
    compared.add(VOCABULARY);
    for (Map.Entry<String, JsonNode> entry : vocabulary.get().tree().properties()) {
      @Nullable Long id = ids.get(entry.getKey());
      if (id == null || id != entry.getValue().asLong(-1)) {
        findings.refuseEach(
            "tokens of another vocabulary",
            VOCABULARY,
            shown(entry.getKey()),
            "id " + JsonFile.shown(entry.getValue()),
            id == null ? "a token of " + TOKENIZER : "id " + id + ", by " + TOKENIZER,
            REMEDY);
      }
    }
  }

  /** Ids that a configuration names: rows of the embedding, and tokens of the tokenizer. */
  private void checkIds(JsonFile file, long rows, boolean known) {
    for (String key : List.of("bos_token_id", "eos_token_id", "pad_token_id")) {
      JsonNode all = file.tree().path(key);
      for (JsonNode id : all.isArray() ? all : List.of(all)) {
        // -1 is how some exports of pad_token_id write "none".
        boolean none =
            id.isMissingNode() || id.isNull() || (key.equals("pad_token_id") && id.asLong(0) == -1);
        if (none) {
          continue;
        }
        if (!(id.isIntegralNumber() && id.asLong() >= 0 && id.asLong() < rows)) {
          findings.refuse(
              file.name(),
              key,
              JsonFile.shown(id),
              "an id from 0 to " + (rows - 1),
              "Correct " + key + " in " + file.name() + ".");
        } else if (known && !tokens.containsKey(id.asLong())) {
          boolean others = false;
          for (JsonNode other : all) {
            others |= tokens.containsKey(other.asLong(-1));
          }
          if (others) {
            // One of several: generation would stop there, as in Python; no text has it.
            findings.warn(
                file.name(),
                key,
                JsonFile.shown(id),
                "the id of a token of " + TOKENIZER,
                "Generation stops at it all the same, as it does in Python.");
          } else {
            tell(
                !key.startsWith("pad"),
                file.name(),
                key,
                JsonFile.shown(id),
                "the id of a token of " + TOKENIZER);
          }
        }
      }
    }
  }

  private static String shown(@Nullable String token) {
    return token == null ? "none" : "\"" + token + "\"";
  }
}
