package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The tensors that a Llama's {@code config.json} calls for, and their shapes.
 *
 * @param vocabulary rows of the embedding
 * @param width of the residual stream
 * @param inner width of the SwiGLU unit
 * @param queries width of all query heads together
 * @param keys width of all key (or value) heads together
 * @param tied whether the output head is the embedding
 * @param attentionBias whether query, key, value and output projections have a bias
 */
record LlamaShape(
    long vocabulary,
    long width,
    long inner,
    int layers,
    long queries,
    long keys,
    boolean tied,
    boolean attentionBias) {

  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String HEAD = "lm_head.weight";
  private static final String ARCHITECTURE = "LlamaForCausalLM";

  /** Far beyond any model; keeps a broken configuration from calling for billions of tensors. */
  private static final int MAX_LAYERS = 10_000;

  /** Fields whose every other value would change the computation, with the values that do not. */
  private static final Map<String, Set<String>> NEUTRAL =
      Map.ofEntries(
          Map.entry("model_type", Set.of("\"llama\"")),
          Map.entry("hidden_act", Set.of("\"silu\"")),
          Map.entry("mlp_bias", Set.of("false")),
          Map.entry("pretraining_tp", Set.of("1")),
          Map.entry("partial_rotary_factor", Set.of("1.0")),
          Map.entry("is_encoder_decoder", Set.of("false")),
          Map.entry("add_cross_attention", Set.of("false")),
          Map.entry("use_sliding_window", Set.of("false")),
          Map.entry("sliding_window", Set.of()),
          Map.entry("attn_logit_softcapping", Set.of()),
          Map.entry("final_logit_softcapping", Set.of()),
          Map.entry("quantization_config", Set.of()),
          Map.entry("pruned_heads", Set.of("{}")),
          Map.entry("auto_map", Set.of()));

  /** Fields read here, or known to change nothing about the computation. */
  private static final Set<String> KNOWN =
      Set.of(
          "architectures",
          "attention_bias",
          "attention_dropout",
          "bos_token_id",
          "dtype",
          "eos_token_id",
          "head_dim",
          "hidden_size",
          "initializer_range",
          "intermediate_size",
          "layer_types",
          "max_position_embeddings",
          "num_attention_heads",
          "num_hidden_layers",
          "num_key_value_heads",
          "output_attentions",
          "output_hidden_states",
          "pad_token_id",
          "return_dict",
          "rms_norm_eps",
          "rope_parameters",
          "rope_scaling",
          "rope_theta",
          "tie_word_embeddings",
          "torch_dtype",
          "transformers_version",
          "use_cache",
          "vocab_size",
          "_name_or_path");

  private static final Map<String, Set<String>> ROPE_FIELDS =
      Map.of(
          "default", Set.of(),
          "linear", Set.of("factor"),
          "llama3",
              Set.of(
                  "factor",
                  "low_freq_factor",
                  "high_freq_factor",
                  "original_max_position_embeddings"));

  /** Reads a configuration; empty, with problems, if its shapes cannot be told. */
  static Optional<LlamaShape> read(JsonFile config, Findings findings) {
    JsonNode architectures = config.tree().path("architectures");
    if (architectures.size() == 1 && architectures.path(0).isTextual()) {
      findings.architecture(architectures.path(0).asText());
    }
    if (!architectures.toString().equals("[\"" + ARCHITECTURE + "\"]")) {
      findings.refuse(
          config.name(),
          "architectures",
          JsonFile.shown(architectures),
          "[\"" + ARCHITECTURE + "\"]",
          "This version supports no other architecture.");
      return Optional.empty();
    }
    if (!config.has("model_type")) {
      config.refuse("model_type", "nothing", "\"llama\"");
    }
    NEUTRAL.forEach(config::onlyNeutral);
    for (JsonNode type : config.tree().path("layer_types")) {
      if (!type.asText().equals("full_attention")) {
        config.refuse("layer_types", JsonFile.shown(type), "\"full_attention\" in every layer");
        break;
      }
    }
    for (String key : config.keys()) {
      if (!KNOWN.contains(key) && !NEUTRAL.containsKey(key)) {
        findings.warn(
            config.name(),
            key,
            JsonFile.shown(config.tree().path(key)),
            "a known field",
            "It is kept as it is, and has no effect here.");
      }
    }
    checkRope(config, findings);
    config.positiveNumber(config.tree(), "rms_norm_eps", "rms_norm_eps", 1e-6);

    int limit = Integer.MAX_VALUE;
    int vocabulary = config.positive("vocab_size", 0, limit);
    int width = config.positive("hidden_size", 0, limit);
    int inner = config.positive("intermediate_size", 0, limit);
    int layers = config.positive("num_hidden_layers", 0, MAX_LAYERS);
    int heads = config.positive("num_attention_heads", 0, limit);
    int keyHeads = config.positive("num_key_value_heads", heads, limit);
    int context = config.positive("max_position_embeddings", 2048, limit);
    if (vocabulary == 0 || width == 0 || inner == 0 || layers == 0 || heads == 0 || keyHeads == 0) {
      return Optional.empty();
    }
    if (!config.has("head_dim") && width % heads != 0) {
      config.refuse(
          "hidden_size", width + " without head_dim", "a multiple of " + heads + " heads");
      return Optional.empty();
    }
    int headWidth = config.positive("head_dim", width / heads, limit);
    if (headWidth % 2 != 0) {
      config.refuse("head_dim", String.valueOf(headWidth), "an even number");
      return Optional.empty();
    }
    if (heads % keyHeads != 0) {
      config.refuse(
          "num_key_value_heads",
          String.valueOf(keyHeads),
          "a divisor of num_attention_heads, " + heads);
      return Optional.empty();
    }
    findings.fact("layers", layers);
    findings.fact("width", width);
    findings.fact("inner width", inner);
    findings.fact("heads", heads + " (" + keyHeads + " for keys and values)");
    findings.fact("head width", headWidth);
    findings.fact("context", context);
    findings.fact("vocabulary", vocabulary);
    LlamaShape shape =
        new LlamaShape(
            vocabulary,
            width,
            inner,
            layers,
            (long) heads * headWidth,
            (long) keyHeads * headWidth,
            config.flag("tie_word_embeddings"),
            config.flag("attention_bias"));
    findings.fact("embeddings", shape.tied ? "tied" : "untied");
    return Optional.of(shape);
  }

  private static void checkRope(JsonFile config, Findings findings) {
    // Spelled rope_parameters since transformers 5; before that rope_theta and rope_scaling.
    boolean current = config.has("rope_parameters");
    String field = current ? "rope_parameters" : "rope_scaling";
    JsonNode rope = config.has(field) ? config.tree().path(field) : MissingNode.getInstance();
    if (current && config.has("rope_scaling")) {
      config.refuse("rope_scaling", "it beside rope_parameters", "one of the two");
    }
    config.positiveNumber(config.tree(), "rope_theta", "rope_theta", 10_000.0);
    if (rope.isMissingNode()) {
      findings.fact("rope", "default");
      return;
    }
    if (!rope.isObject()) {
      config.refuse(field, JsonFile.shown(rope), "an object");
      return;
    }
    JsonNode named = rope.has("rope_type") ? rope.path("rope_type") : rope.path("type");
    String type = named.isMissingNode() && current ? "default" : named.asText();
    Set<String> needed = ROPE_FIELDS.getOrDefault(type, Set.of());
    if (!ROPE_FIELDS.containsKey(type)) {
      findings.refuse(
          config.name(),
          field + ".rope_type",
          JsonFile.shown(named),
          "default, linear or llama3",
          "This version supports no other scaling of the rotary embedding.");
      return;
    }
    findings.fact("rope", type);
    for (String key : needed) {
      config.positiveNumber(rope, key, field + "." + key, null);
    }
    if (needed.contains("original_max_position_embeddings")
        && rope.path("original_max_position_embeddings").isNumber()) {
      config.positive(
          rope,
          "original_max_position_embeddings",
          field + ".original_max_position_embeddings",
          0,
          Integer.MAX_VALUE);
    }
    if (current) {
      config.positiveNumber(rope, "rope_theta", field + ".rope_theta", 10_000.0);
    }
    rope.fieldNames()
        .forEachRemaining(
            key -> {
              boolean known =
                  needed.contains(key)
                      || key.equals("rope_type")
                      || key.equals("type")
                      || (current && key.equals("rope_theta"))
                      || (key.equals("partial_rotary_factor") && rope.path(key).asDouble() == 1);
              if (!known && !rope.path(key).isNull()) {
                findings.refuse(
                    config.name(),
                    field + "." + key,
                    JsonFile.shown(rope.path(key)),
                    "no such option for rope_type " + type,
                    "It changes the computation in a way that this version does not support.");
              }
            });
  }

  /** Every tensor of the model, with its shape; the head only if it is not the embedding. */
  SortedMap<String, List<Long>> tensors() {
    SortedMap<String, List<Long>> tensors = new TreeMap<>();
    tensors.put(EMBEDDING, List.of(vocabulary, width));
    tensors.put("model.norm.weight", List.of(width));
    if (!tied) {
      tensors.put(HEAD, List.of(vocabulary, width));
    }
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      tensors.put(prefix + "input_layernorm.weight", List.of(width));
      tensors.put(prefix + "post_attention_layernorm.weight", List.of(width));
      for (Projection projection : Projection.values()) {
        List<Long> shape = shapeOf(projection);
        tensors.put(prefix + projection.path() + ".weight", shape);
        if (attentionBias && projection.isAttention()) {
          tensors.put(prefix + projection.path() + ".bias", List.of(shape.get(0)));
        }
      }
    }
    return tensors;
  }

  /** A projection's shape: outputs, inputs. */
  List<Long> shapeOf(Projection projection) {
    return switch (projection) {
      case Q_PROJ -> List.of(queries, width);
      case K_PROJ, V_PROJ -> List.of(keys, width);
      case O_PROJ -> List.of(width, queries);
      case GATE_PROJ, UP_PROJ -> List.of(inner, width);
      case DOWN_PROJ -> List.of(width, inner);
    };
  }
}
