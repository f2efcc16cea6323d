package dev.cambium.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * The tokens with a role, gathered from {@code tokenizer_config.json} (or the older {@code
 * special_tokens_map.json}), {@code generation_config.json} and {@code config.json}.
 *
 * @param named role such as {@code bos_token} to the token's text
 * @param bos id of the token that begins a text
 * @param eos id of the token that ends a text
 * @param stops ids at which generation stops, ascending
 */
record SpecialTokens(
    Map<String, String> named,
    Optional<Integer> bos,
    Optional<Integer> eos,
    TreeSet<Integer> stops) {

  /**
   * Reads the roles.
   *
   * @param dir the model's directory
   * @param over files that count before the model's own; may be the same directory
   */
  static SpecialTokens read(Path dir, Path over, Function<String, Optional<Integer>> idOf)
      throws IOException {
    Map<String, String> named = new LinkedHashMap<>();
    for (Path file :
        List.of(
            dir.resolve("special_tokens_map.json"),
            dir.resolve(ModelText.TOKENIZER_CONFIG),
            over.resolve("special_tokens_map.json"),
            over.resolve(ModelText.TOKENIZER_CONFIG))) {
      JsonNode config = ModelText.json(file);
      config
          .fields()
          .forEachRemaining(
              field -> {
                if (field.getKey().endsWith("_token")) {
                  // Either the text itself, or an object that describes an added token.
                  JsonNode value = field.getValue();
                  JsonNode text = value.isObject() ? value.path("content") : value;
                  if (text.isTextual()) {
                    named.put(field.getKey(), text.textValue());
                  }
                }
              });
    }
    JsonNode config = ModelText.json(dir.resolve("config.json"));
    JsonNode generation = ModelText.json(dir.resolve("generation_config.json"));
    TreeSet<Integer> stops = new TreeSet<>();
    collect(generation.path("eos_token_id"), stops);
    collect(config.path("eos_token_id"), stops);
    Optional<Integer> eos = Optional.ofNullable(named.get("eos_token")).flatMap(idOf);
    if (eos.isEmpty()) {
      eos = first(config.path("eos_token_id"));
    }
    Optional<Integer> bos = Optional.ofNullable(named.get("bos_token")).flatMap(idOf);
    if (bos.isEmpty()) {
      bos = first(config.path("bos_token_id"));
    }
    eos.ifPresent(stops::add);
    return new SpecialTokens(Map.copyOf(named), bos, eos, stops);
  }

  private static Optional<Integer> first(JsonNode ids) {
    TreeSet<Integer> all = new TreeSet<>();
    collect(ids.isArray() ? ids.path(0) : ids, all);
    return all.isEmpty() ? Optional.empty() : Optional.of(all.first());
  }

  private static void collect(JsonNode ids, TreeSet<Integer> into) {
    if (ids.isArray()) {
      ids.forEach(id -> collect(id, into));
    } else if (ids.isInt()) {
      into.add(ids.intValue());
    }
  }
}
