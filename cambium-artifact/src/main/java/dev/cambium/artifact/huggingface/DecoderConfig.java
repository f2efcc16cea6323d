package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.safetensors.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A decoder of the Llama family, as {@code config.json} of a Hugging Face directory tells it: its
 * shape, and every choice that its computation depends on.
 *
 * <p>This is the one place that says which models are supported: what is let in, what the engine
 * computes and which tensors a model must have all follow from it. What changes the computation in
 * a way that is not known here is refused by name; fields that do not (token ids, dropout, names)
 * are kept and written back unchanged. Where a field is absent, transformers' default for the
 * family holds.
 *
 * @param family which of the published architectures it is
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the SwiGLU unit
 * @param layers number of layers
 * @param heads query heads
 * @param keyValueHeads key and value heads; divides {@code heads}
 * @param headDim width of a head; even
 * @param rmsNormEps added to the mean square
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling change of the rotary frequencies
 * @param vocabularySize rows of the embedding
 * @param tiedEmbeddings whether the output head is the embedding
 * @param maxPositions {@code max_position_embeddings}; see {@link #contextLength}
 * @param bias which attention projections have a bias
 * @param windows for each layer how many positions, its own included, a query sees; 0 for all
 *     before it. Empty if no layer has a window. Written as the fields of {@code other} say
 * @param initializerRange deviation of fresh weights
 * @param other fields kept as they were, by name, as JSON text
 */
public record DecoderConfig(
    Family family,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headDim,
    double rmsNormEps,
    double ropeTheta,
    RopeScaling ropeScaling,
    int vocabularySize,
    boolean tiedEmbeddings,
    int maxPositions,
    AttentionBias bias,
    List<Integer> windows,
    double initializerRange,
    Map<String, String> other) {

  /** A published architecture that is computed exactly. */
  public enum Family {
    /** Llama 1 to 3, SmolLM, TinyLlama and what else uses their code. */
    LLAMA("llama", "LlamaForCausalLM", 2048),
    /** Qwen 1.5 to 2.5: biases on query, key and value; a window in upper layers, if used. */
    QWEN2("qwen2", "Qwen2ForCausalLM", 32_768),
    /** Qwen 3, dense: RMS norm of every query and key head; a window in upper layers, if used. */
    QWEN3("qwen3", "Qwen3ForCausalLM", 32_768),
    /** Mistral: a window in every layer, unless it is null. */
    MISTRAL("mistral", "MistralForCausalLM", 131_072);

    private final String modelType;
    private final String architecture;
    private final int defaultPositions;

    Family(String modelType, String architecture, int defaultPositions) {
      this.modelType = modelType;
      this.architecture = architecture;
      this.defaultPositions = defaultPositions;
    }

    /** As {@code architectures} names it. */
    public String architecture() {
      return architecture;
    }
  }

  /** Which attention projections have a bias. */
  public enum AttentionBias {
    /** None of them. */
    NONE,
    /** Query, key and value, as in Qwen2. */
    QKV,
    /** Query, key, value and output: {@code attention_bias} in Llama and Qwen3. */
    ALL
  }

  /** The name of the embedding's tensor. */
  public static final String EMBEDDING = "model.embed_tokens.weight";

  /** The name of the output head's tensor, where it is not the embedding. */
  public static final String HEAD = "lm_head.weight";

  static final String FILE = "config.json";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Far beyond any model; keeps a broken configuration from calling for billions of tensors. */
  private static final int MAX_LAYERS = 10_000;

  private static final int DEFAULT_WINDOW = 4096;
  private static final int DEFAULT_MAX_WINDOW_LAYERS = 28;
  private static final int QWEN3_HEAD_DIM = 128;
  private static final String FULL = "full_attention";
  private static final String SLIDING = "sliding_attention";

  /** Fields read into the record, so not kept beside it. */
  private static final Set<String> READ =
      Set.of(
          "model_type",
          "hidden_size",
          "intermediate_size",
          "num_hidden_layers",
          "num_attention_heads",
          "num_key_value_heads",
          "head_dim",
          "rms_norm_eps",
          "rope_theta",
          "rope_scaling",
          "rope_parameters",
          "vocab_size",
          "tie_word_embeddings",
          "max_position_embeddings",
          "attention_bias",
          "initializer_range",
          "hidden_act",
          "mlp_bias",
          "torch_dtype",
          "dtype",
          "architectures");

  /** Fields whose every other value would change the computation, with the values that do not. */
  private static final Map<String, Set<String>> NEUTRAL =
      Map.ofEntries(
          Map.entry("hidden_act", Set.of("\"silu\"")),
          Map.entry("mlp_bias", Set.of("false")),
          Map.entry("pretraining_tp", Set.of("1")),
          Map.entry("partial_rotary_factor", Set.of("1.0")),
          Map.entry("original_max_position_embeddings", Set.of()),
          Map.entry("rope_interleaved", Set.of("false")),
          Map.entry("is_encoder_decoder", Set.of("false")),
          Map.entry("add_cross_attention", Set.of("false")),
          Map.entry("attn_logit_softcapping", Set.of()),
          Map.entry("final_logit_softcapping", Set.of()),
          Map.entry("use_qk_norm", Set.of("false")),
          Map.entry("qk_layernorm", Set.of("false")),
          Map.entry("embedding_multiplier", Set.of("1.0")),
          Map.entry("attention_multiplier", Set.of()),
          Map.entry("residual_multiplier", Set.of("1.0")),
          Map.entry("logits_scaling", Set.of("1.0")),
          Map.entry("scale_emb", Set.of("1.0")),
          Map.entry("scale_depth", Set.of()),
          Map.entry("num_experts", Set.of()),
          Map.entry("num_local_experts", Set.of()),
          Map.entry("n_routed_experts", Set.of()),
          Map.entry("num_experts_per_tok", Set.of()),
          Map.entry("quantization_config", Set.of()),
          Map.entry("compression_config", Set.of()),
          Map.entry("pruned_heads", Set.of("{}")),
          Map.entry("auto_map", Set.of()));

  /** Fields kept, and known to change nothing or read below. */
  private static final Set<String> KEPT =
      Set.of(
          "attention_dropout",
          "bos_token_id",
          "eos_token_id",
          "is_llama_config",
          "layer_types",
          "max_window_layers",
          "output_attentions",
          "output_hidden_states",
          "pad_token_id",
          "return_dict",
          "sliding_window",
          "transformers_version",
          "use_cache",
          "use_sliding_window",
          "_name_or_path");

  public DecoderConfig {
    windows = List.copyOf(windows);
    other = Collections.unmodifiableMap(new LinkedHashMap<>(other)); // an order that stays
    requirePositive("hidden_size", hiddenSize);
    requirePositive("intermediate_size", intermediateSize);
    requirePositive("num_hidden_layers", layers);
    requirePositive("num_attention_heads", heads);
    requirePositive("num_key_value_heads", keyValueHeads);
    requirePositive("head_dim", headDim);
    requirePositive("vocab_size", vocabularySize);
    requirePositive("max_position_embeddings", maxPositions);
    require(headDim % 2 == 0, "head_dim " + headDim, "an even number");
    require(
        heads % keyValueHeads == 0,
        "num_key_value_heads " + keyValueHeads,
        "a divisor of num_attention_heads " + heads);
    require(rmsNormEps > 0, "rms_norm_eps " + rmsNormEps, "a positive number");
    require(ropeTheta > 0, "rope_theta " + ropeTheta, "a positive number");
    require(initializerRange > 0, "initializer_range " + initializerRange, "a positive number");
    require(
        windows.isEmpty() || windows.size() == layers,
        windows.size() + " windows",
        "none, or one for each of " + layers + " layers");
  }

  private static void require(boolean condition, String found, Object expected) {
    if (!condition) {
      throw new IllegalArgumentException("config.json: " + found + "; supported: " + expected);
    }
  }

  private static void requirePositive(String name, int value) {
    require(value > 0, name + " " + value, "a positive number");
  }

  /** Starts a configuration of the {@code llama} type with its usual defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The config of a Hugging Face directory.
   *
   * @throws IllegalArgumentException naming file, field, what was found and what was expected
   */
  public static DecoderConfig read(Path directory) {
    Path file = directory.resolve(FILE);
    try {
      return parse(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(directory + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads {@code config.json}.
   *
   * @throws IllegalArgumentException naming the field, if something is missing or not supported
   */
  public static DecoderConfig parse(String json) {
    Findings findings = new Findings();
    Optional<DecoderConfig> config =
        JsonFile.parse(FILE, json, findings).flatMap(file -> read(file, findings));
    findings.throwIfRefused();
    return config.orElseThrow(() -> new IllegalStateException("config.json: refused unnamed"));
  }

  /**
   * Reads a configuration, noting every problem. Empty if its shapes cannot be told; if there is a
   * refusal, what is returned serves only to find further ones.
   */
  static Optional<DecoderConfig> read(JsonFile config, Findings findings) {
    Optional<Family> family = family(config, findings);
    if (family.isEmpty()) {
      return Optional.empty();
    }
    Family kind = family.get();
    NEUTRAL.forEach(config::onlyNeutral);
    for (String key : config.keys()) {
      if (!KEPT.contains(key) && !READ.contains(key) && !NEUTRAL.containsKey(key)) {
        findings.warn(
            config.name(),
            key,
            JsonFile.shown(config.tree().path(key)),
            "a known field",
            "It is kept as it is, and has no effect here.");
      }
    }
    int limit = Integer.MAX_VALUE;
    int context = config.positive("max_position_embeddings", kind.defaultPositions, limit);
    int vocabulary = config.positive("vocab_size", 0, limit);
    int width = config.positive("hidden_size", 0, limit);
    int inner = config.positive("intermediate_size", 0, limit);
    int layers = config.positive("num_hidden_layers", 0, MAX_LAYERS);
    int heads = config.positive("num_attention_heads", 0, limit);
    // Absent, it has a default of its own in the other families, which no file relies on.
    boolean mayLack = kind == Family.LLAMA || config.tree().has("num_key_value_heads");
    int keyHeads = config.positive("num_key_value_heads", mayLack ? heads : 0, limit);
    Rope rope = rope(config, context, findings);
    double eps = config.positiveNumber(config.tree(), "rms_norm_eps", "rms_norm_eps", 1e-6);
    double range =
        config.positiveNumber(config.tree(), "initializer_range", "initializer_range", 0.02);
    boolean tied = config.flag("tie_word_embeddings");
    AttentionBias bias = bias(config, kind);
    if (vocabulary == 0
        || width == 0
        || inner == 0
        || layers == 0
        || heads == 0
        || keyHeads == 0
        || context == 0) {
      return Optional.empty();
    }
    List<Integer> windows = windows(config, kind, layers, findings);
    boolean ownWidth = config.has("head_dim") || kind == Family.QWEN3;
    if (!ownWidth && width % heads != 0) {
      config.refuse(
          "hidden_size", width + " without head_dim", "a multiple of " + heads + " heads");
      return Optional.empty();
    }
    int headWidth =
        config.positive("head_dim", kind == Family.QWEN3 ? QWEN3_HEAD_DIM : width / heads, limit);
    if (headWidth % 2 != 0 || headWidth == 0) {
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
    DecoderConfig result =
        new DecoderConfig(
            kind,
            width,
            inner,
            layers,
            heads,
            keyHeads,
            headWidth,
            Double.isNaN(eps) ? 1e-6 : eps,
            rope.theta,
            rope.scaling,
            vocabulary,
            tied,
            context,
            bias,
            windows,
            Double.isNaN(range) ? 0.02 : range,
            otherFields(config));
    result.tell(findings);
    return Optional.of(result);
  }

  private void tell(Findings findings) {
    findings.fact("layers", layers);
    findings.fact("width", hiddenSize);
    findings.fact("inner width", intermediateSize);
    findings.fact("heads", heads + " (" + keyValueHeads + " for keys and values)");
    findings.fact("head width", headDim);
    findings.fact("context", contextLength());
    findings.fact("vocabulary", vocabularySize);
    findings.fact("embeddings", tiedEmbeddings ? "tied" : "untied");
    if (!windows.isEmpty()) {
      int window = Collections.max(windows);
      long with = windows.stream().filter(w -> w > 0).count();
      findings.fact("sliding window", window + " in " + with + " of " + layers + " layers");
    }
  }

  private static Optional<Family> family(JsonFile config, Findings findings) {
    JsonNode architectures = config.tree().path("architectures");
    if (architectures.size() == 1 && architectures.path(0).isTextual()) {
      findings.architecture(architectures.path(0).asText());
    }
    List<String> supported = Arrays.stream(Family.values()).map(Family::architecture).toList();
    Optional<Family> family =
        Arrays.stream(Family.values())
            .filter(f -> architectures.toString().equals("[\"" + f.architecture + "\"]"))
            .findFirst();
    if (family.isEmpty()) {
      findings.refuse(
          config.name(),
          "architectures",
          JsonFile.shown(architectures),
          "one of " + supported,
          "This version supports no other architecture.");
      return family;
    }
    String type = "\"" + family.get().modelType + "\"";
    if (!config.has("model_type")) {
      config.refuse("model_type", "nothing", type);
    }
    config.onlyNeutral("model_type", Set.of(type));
    return family;
  }

  private static AttentionBias bias(JsonFile config, Family family) {
    return switch (family) {
      case LLAMA, QWEN3 -> config.flag("attention_bias") ? AttentionBias.ALL : AttentionBias.NONE;
      case MISTRAL -> {
        config.onlyNeutral("attention_bias", Set.of("false"));
        yield AttentionBias.NONE;
      }
      case QWEN2 -> {
        config.onlyNeutral("attention_bias", Set.of("true"));
        yield AttentionBias.QKV;
      }
    };
  }

  /** The window of every layer; empty if there is none at all. */
  private static List<Integer> windows(
      JsonFile config, Family family, int layers, Findings findings) {
    List<Integer> windows = new ArrayList<>();
    boolean qwen = family == Family.QWEN2 || family == Family.QWEN3;
    int window = 0;
    int first = 0;
    switch (family) {
      case LLAMA -> {
        config.onlyNeutral("sliding_window", Set.of());
        config.onlyNeutral("use_sliding_window", Set.of("false"));
      }
      case MISTRAL -> {
        config.onlyNeutral("use_sliding_window", Set.of());
        window = window(config);
      }
      case QWEN2, QWEN3 -> {
        if (config.flag("use_sliding_window")) {
          window = window(config);
          first = config.natural("max_window_layers", DEFAULT_MAX_WINDOW_LAYERS);
        }
      }
    }
    JsonNode types = config.tree().path("layer_types");
    boolean listed = types.isArray();
    if (config.has("layer_types") && (!listed || types.size() != layers)) {
      config.refuse("layer_types", JsonFile.shown(types), "a list of " + layers + " kinds");
      listed = false;
    }
    for (int layer = 0; layer < layers; layer++) {
      boolean sliding = window > 0 && layer >= first;
      if (listed) {
        String type = types.path(layer).asText();
        // Qwen's code follows the list; that of the others does not look at it.
        boolean known = qwen && window > 0 ? type.equals(FULL) || type.equals(SLIDING) : false;
        if (known) {
          sliding = type.equals(SLIDING);
        } else if (!type.equals(sliding ? SLIDING : FULL)) {
          findings.refuse(
              config.name(),
              "layer_types",
              JsonFile.shown(types.path(layer)) + " for layer " + layer,
              "\"" + (sliding ? SLIDING : FULL) + "\", by the other fields",
              "Correct layer_types, or the fields about the sliding window.");
          listed = false;
        }
      }
      windows.add(sliding ? window : 0);
    }
    return windows.stream().allMatch(w -> w == 0) ? List.of() : windows;
  }

  private static int window(JsonFile config) {
    boolean isNull = config.tree().path("sliding_window").isNull();
    return isNull ? 0 : config.positive("sliding_window", DEFAULT_WINDOW, Integer.MAX_VALUE);
  }

  private static Map<String, String> otherFields(JsonFile config) {
    Map<String, String> other = new LinkedHashMap<>();
    config
        .tree()
        .properties()
        .forEach(
            field -> {
              if (!READ.contains(field.getKey())) {
                other.put(field.getKey(), field.getValue().toString());
              }
            });
    return other;
  }

  private record Rope(double theta, RopeScaling scaling) {}

  private static Rope rope(JsonFile config, int context, Findings findings) {
    // Spelled rope_parameters since transformers 5; before that rope_theta and rope_scaling.
    boolean current = config.has("rope_parameters");
    String field = current ? "rope_parameters" : "rope_scaling";
    JsonNode rope = config.has(field) ? config.tree().path(field) : MissingNode.getInstance();
    if (current && config.has("rope_scaling")) {
      config.refuse("rope_scaling", "it beside rope_parameters", "one of the two");
    }
    double theta = config.positiveNumber(config.tree(), "rope_theta", "rope_theta", 10_000.0);
    if (current && rope.isObject()) {
      theta = config.positiveNumber(rope, "rope_theta", field + ".rope_theta", theta);
    }
    theta = Double.isNaN(theta) ? 10_000 : theta;
    if (rope.isMissingNode()) {
      findings.fact("rope", "default");
      return new Rope(theta, RopeScaling.NONE);
    }
    if (!rope.isObject()) {
      config.refuse(field, JsonFile.shown(rope), "an object");
      return new Rope(theta, RopeScaling.NONE);
    }
    return new Rope(theta, RopeFields.read(config, rope, field, context, current, findings));
  }

  /** Whether queries and keys are normed, head by head, before they are rotated. */
  public boolean queryKeyNorm() {
    return family == Family.QWEN3;
  }

  /** How many positions a query of a layer sees, its own included; 0 for all before it. */
  public int window(int layer) {
    return windows.isEmpty() ? 0 : windows.get(layer);
  }

  /**
   * The longest context that can be computed as it is meant to: with dynamic scaling and YaRN
   * longer than {@code max_position_embeddings} may say.
   */
  public int contextLength() {
    double scaled =
        ropeScaling instanceof RopeScaling.Dynamic dynamic
            ? dynamic.factor() * maxPositions
            : ropeScaling instanceof RopeScaling.Yarn yarn
                ? yarn.factor() * yarn.originalMaxPositions()
                : maxPositions;
    return Math.max(maxPositions, (int) Math.min(scaled, Integer.MAX_VALUE));
  }

  /** Every tensor of the model, with its shape; the head only if it is not the embedding. */
  public SortedMap<String, List<Long>> tensors() {
    long width = hiddenSize;
    SortedMap<String, List<Long>> tensors = new TreeMap<>();
    tensors.put(EMBEDDING, List.of((long) vocabularySize, width));
    tensors.put("model.norm.weight", List.of(width));
    if (!tiedEmbeddings) {
      tensors.put(HEAD, List.of((long) vocabularySize, width));
    }
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      tensors.put(prefix + "input_layernorm.weight", List.of(width));
      tensors.put(prefix + "post_attention_layernorm.weight", List.of(width));
      if (queryKeyNorm()) {
        tensors.put(prefix + "self_attn.q_norm.weight", List.of((long) headDim));
        tensors.put(prefix + "self_attn.k_norm.weight", List.of((long) headDim));
      }
      for (Projection projection : Projection.values()) {
        List<Long> shape = shapeOf(projection);
        tensors.put(prefix + projection.path() + ".weight", shape);
        if (hasBias(projection)) {
          tensors.put(prefix + projection.path() + ".bias", List.of(shape.get(0)));
        }
      }
    }
    return tensors;
  }

  private boolean hasBias(Projection projection) {
    return projection.isAttention()
        && (bias == AttentionBias.ALL
            || (bias == AttentionBias.QKV && projection != Projection.O_PROJ));
  }

  /** A projection's shape: outputs, inputs. */
  List<Long> shapeOf(Projection projection) {
    long queries = (long) heads * headDim;
    long keys = (long) keyValueHeads * headDim;
    long width = hiddenSize;
    long inner = intermediateSize;
    return switch (projection) {
      case Q_PROJ -> List.of(queries, width);
      case K_PROJ, V_PROJ -> List.of(keys, width);
      case O_PROJ -> List.of(width, queries);
      case GATE_PROJ, UP_PROJ -> List.of(inner, width);
      case DOWN_PROJ -> List.of(width, inner);
    };
  }

  /** The same shape with another number of tokens, and the head tied to the embedding or not. */
  public DecoderConfig withVocabulary(int tokens, boolean tied) {
    return new DecoderConfig(
        family,
        hiddenSize,
        intermediateSize,
        layers,
        heads,
        keyValueHeads,
        headDim,
        rmsNormEps,
        ropeTheta,
        ropeScaling,
        tokens,
        tied,
        maxPositions,
        bias,
        windows,
        initializerRange,
        other);
  }

  /** The number of weights, tied ones once. */
  public long parameters() {
    return tensors().values().stream()
        .mapToLong(shape -> shape.stream().reduce(1L, Math::multiplyExact))
        .reduce(0, Math::addExact);
  }

  /**
   * The {@code config.json} of this configuration, read alike by transformers 4 and 5.
   *
   * @param stored the type of the weights beside it: F32, BF16 or F16
   */
  public String toJson(DType stored) {
    ObjectNode tree = JSON.createObjectNode();
    tree.putArray("architectures").add(family.architecture);
    other.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            field -> {
              try {
                tree.set(field.getKey(), JSON.readTree(field.getValue()));
              } catch (IOException e) {
                throw new UncheckedIOException("config field " + field.getKey(), e);
              }
            });
    tree.put("model_type", family.modelType);
    tree.put("hidden_size", hiddenSize);
    tree.put("intermediate_size", intermediateSize);
    tree.put("num_hidden_layers", layers);
    tree.put("num_attention_heads", heads);
    tree.put("num_key_value_heads", keyValueHeads);
    tree.put("head_dim", headDim);
    tree.put("hidden_act", "silu");
    tree.put("rms_norm_eps", rmsNormEps);
    tree.put("rope_theta", ropeTheta);
    RopeFields.write(ropeScaling, tree);
    tree.put("vocab_size", vocabularySize);
    tree.put("tie_word_embeddings", tiedEmbeddings);
    tree.put("max_position_embeddings", maxPositions);
    if (family == Family.LLAMA || family == Family.QWEN3) {
      tree.put("attention_bias", bias == AttentionBias.ALL);
    }
    if (family == Family.LLAMA) {
      tree.put("mlp_bias", false);
    }
    tree.put("initializer_range", initializerRange);
    tree.put(
        "torch_dtype",
        switch (stored) {
          case F32 -> "float32";
          case BF16 -> "bfloat16";
          case F16 -> "float16";
          default -> throw new IllegalArgumentException("weights of type " + stored);
        });
    return tree.toPrettyString() + "\n";
  }

  /** Builds a configuration of the {@code llama} type. */
  public static final class Builder {
    private int hiddenSize = 128;
    private int intermediateSize;
    private int layers = 4;
    private int heads = 4;
    private int keyValueHeads;
    private int headDim;
    private double rmsNormEps = 1e-5;
    private double ropeTheta = 10_000;
    private RopeScaling ropeScaling = RopeScaling.NONE;
    private int vocabularySize = 1024;
    private boolean tiedEmbeddings = true;
    private int maxPositions = 512;
    private boolean attentionBias;
    private double initializerRange;
    private final Map<String, String> other = new LinkedHashMap<>();

    private Builder() {}

    /** Width of the residual stream. Default 128. */
    public Builder hiddenSize(int value) {
      hiddenSize = value;
      return this;
    }

    /** Width of the SwiGLU unit. Default 8/3 of the hidden size, up to a multiple of 32. */
    public Builder intermediateSize(int value) {
      intermediateSize = value;
      return this;
    }

    /** Number of layers. Default 4. */
    public Builder layers(int value) {
      layers = value;
      return this;
    }

    /** Query heads. Default 4. */
    public Builder heads(int value) {
      heads = value;
      return this;
    }

    /** Key and value heads. Default as many as query heads. */
    public Builder keyValueHeads(int value) {
      keyValueHeads = value;
      return this;
    }

    /** Width of a head. Default the hidden size over the query heads. */
    public Builder headDim(int value) {
      headDim = value;
      return this;
    }

    /** Added to the mean square. Default 1e-5. */
    public Builder rmsNormEps(double value) {
      rmsNormEps = value;
      return this;
    }

    /** Base of the rotary frequencies. Default 10,000. */
    public Builder ropeTheta(double value) {
      ropeTheta = value;
      return this;
    }

    /** Change of the rotary frequencies. Default none. */
    public Builder ropeScaling(RopeScaling value) {
      ropeScaling = value;
      return this;
    }

    /** Rows of the embedding. Default 1,024. */
    public Builder vocabularySize(int value) {
      vocabularySize = value;
      return this;
    }

    /** Whether the output head is the embedding. Default true. */
    public Builder tiedEmbeddings(boolean value) {
      tiedEmbeddings = value;
      return this;
    }

    /** Longest context. Default 512. */
    public Builder maxPositions(int value) {
      maxPositions = value;
      return this;
    }

    /** Whether the attention projections have biases. Default false. */
    public Builder attentionBias(boolean value) {
      attentionBias = value;
      return this;
    }

    /** Deviation of fresh weights. Default 1 / √hiddenSize. */
    public Builder initializerRange(double value) {
      initializerRange = value;
      return this;
    }

    /** A field that is only kept, such as {@code eos_token_id}; the value is JSON text. */
    public Builder other(String name, String json) {
      other.put(name, json);
      return this;
    }

    /**
     * The configuration.
     *
     * @throws IllegalArgumentException naming the field that is not valid
     */
    public DecoderConfig build() {
      return new DecoderConfig(
          Family.LLAMA,
          hiddenSize,
          intermediateSize > 0 ? intermediateSize : (hiddenSize * 8 / 3 + 31) / 32 * 32,
          layers,
          heads,
          keyValueHeads > 0 ? keyValueHeads : heads,
          headDim > 0 ? headDim : hiddenSize / heads,
          rmsNormEps,
          ropeTheta,
          ropeScaling,
          vocabularySize,
          tiedEmbeddings,
          maxPositions,
          attentionBias ? AttentionBias.ALL : AttentionBias.NONE,
          List.of(),
          initializerRange > 0 ? initializerRange : 1 / Math.sqrt(hiddenSize),
          other);
    }
  }
}
