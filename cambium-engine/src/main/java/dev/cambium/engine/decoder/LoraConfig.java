package dev.cambium.engine.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.model.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The shape of a low-rank adapter (Hu et al., 2021), as {@code adapter_config.json} of the PEFT
 * layout tells it. Options that change the computation in a way not known here are refused by name.
 *
 * @param rank of the update
 * @param alpha the update is scaled by {@link #scale()}
 * @param targets names of the linear modules, such as {@code q_proj}, in the order of a layer
 * @param rankStabilized whether the scale is alpha / √rank (Kalajdzievski, 2023), not alpha / rank
 * @param baseModel what the file names as the base; for people only
 */
public record LoraConfig(
    int rank,
    double alpha,
    List<String> targets,
    boolean rankStabilized,
    @Nullable String baseModel) {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Fields whose every other value would change the computation, with the values that do not. */
  private static final Map<String, List<String>> NEUTRAL =
      Map.ofEntries(
          Map.entry("peft_type", List.of("\"LORA\"")),
          Map.entry("bias", List.of("\"none\"")),
          Map.entry("use_dora", List.of("false")),
          Map.entry("fan_in_fan_out", List.of("false")),
          Map.entry("modules_to_save", List.of("[]")),
          Map.entry("layers_to_transform", List.of("[]")),
          Map.entry("layers_pattern", List.of("[]")),
          Map.entry("exclude_modules", List.of("[]")),
          Map.entry("rank_pattern", List.of("{}")),
          Map.entry("alpha_pattern", List.of("{}")),
          Map.entry("lora_bias", List.of("false")),
          Map.entry("use_qalora", List.of("false")),
          Map.entry("use_bdlora", List.of("false")),
          Map.entry("alora_invocation_tokens", List.of("[]")),
          Map.entry("target_parameters", List.of("[]")),
          Map.entry("trainable_token_indices", List.of("[]", "{}")),
          Map.entry("layer_replication", List.of("[]")));

  public LoraConfig {
    if (rank < 1 || !(alpha > 0)) {
      throw new IllegalArgumentException(
          "lora: rank >= 1 and alpha > 0, not " + rank + ", " + alpha);
    }
    List<String> ordered = new ArrayList<>();
    for (String known : Recipe.Lora.ALL_PROJECTIONS) {
      if (targets.contains(known)) {
        ordered.add(known);
      }
    }
    if (ordered.isEmpty() || ordered.size() != targets.size()) {
      throw new IllegalArgumentException(
          "lora: targets "
              + targets
              + "; supported, each at most once: "
              + Recipe.Lora.ALL_PROJECTIONS);
    }
    targets = List.copyOf(ordered);
  }

  /** The shape a recipe asks for. */
  public static LoraConfig of(Recipe.Lora lora) {
    return new LoraConfig(lora.rank(), lora.alpha(), lora.targets(), false, null);
  }

  /** The factor of the update B·A. */
  public double scale() {
    return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
  }

  /** The same shape, naming another base. */
  public LoraConfig withBaseModel(@Nullable String name) {
    return new LoraConfig(rank, alpha, targets, rankStabilized, name);
  }

  static LoraConfig read(Path directory) {
    Path file = directory.resolve("adapter_config.json");
    JsonNode tree;
    try {
      tree = JSON.readTree(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
    NEUTRAL.forEach(
        (name, neutral) -> {
          JsonNode value = tree.get(name);
          if (value != null && !value.isNull() && !neutral.contains(value.toString())) {
            throw new IllegalArgumentException(
                file + ": " + name + " " + value + "; supported: " + neutral);
          }
        });
    if (!tree.path("r").isInt() || !tree.path("lora_alpha").isNumber()) {
      throw new IllegalArgumentException(
          file
              + ": r "
              + tree.get("r")
              + ", lora_alpha "
              + tree.get("lora_alpha")
              + "; both must be numbers");
    }
    JsonNode modules = tree.path("target_modules");
    List<String> targets = new ArrayList<>();
    if (modules.isArray()) {
      modules.forEach(m -> targets.add(m.asText()));
    } else if (modules.asText().equals("all-linear")) {
      targets.addAll(Recipe.Lora.ALL_PROJECTIONS);
    } else {
      throw new IllegalArgumentException(
          file + ": target_modules " + modules + "; supported: a list of names, or all-linear");
    }
    return new LoraConfig(
        tree.get("r").asInt(),
        tree.get("lora_alpha").asDouble(),
        targets,
        tree.path("use_rslora").asBoolean(false),
        tree.hasNonNull("base_model_name_or_path")
            ? tree.get("base_model_name_or_path").asText()
            : null);
  }

  String toJson() {
    ObjectNode tree = JSON.createObjectNode();
    tree.put("base_model_name_or_path", baseModel);
    tree.put("bias", "none");
    tree.put("fan_in_fan_out", false);
    tree.put("inference_mode", true);
    tree.put("init_lora_weights", true);
    if (alpha == Math.rint(alpha)) {
      tree.put("lora_alpha", (long) alpha);
    } else {
      tree.put("lora_alpha", alpha);
    }
    tree.put("lora_dropout", 0.0);
    tree.put("peft_type", "LORA");
    tree.put("r", rank);
    var modules = tree.putArray("target_modules");
    targets.forEach(modules::add);
    tree.put("task_type", "CAUSAL_LM");
    tree.put("use_dora", false);
    tree.put("use_rslora", rankStabilized);
    return tree.toPrettyString() + "\n";
  }
}
