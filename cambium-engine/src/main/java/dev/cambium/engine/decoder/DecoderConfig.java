package dev.cambium.engine.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The shape of a decoder of the Llama family, as {@code config.json} of a Hugging Face directory
 * tells it.
 *
 * <p>A field that changes the computation in a way this engine does not know is refused by name;
 * fields that do not (token ids, dropout, names) are kept and written back unchanged.
 *
 * @param modelType {@code llama}, {@code qwen2} or {@code mistral}
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
 * @param maxPositions longest context trained for
 * @param bias which attention projections have a bias
 * @param initializerRange deviation of fresh weights
 * @param other fields kept as they were, by name, as JSON text
 */
public record DecoderConfig(
    String modelType,
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
    double initializerRange,
    Map<String, String> other) {

  /** Which attention projections have a bias. */
  public enum AttentionBias {
    /** None of them. */
    NONE,
    /** Query, key and value, as in Qwen2. */
    QKV,
    /** Query, key, value and output: {@code attention_bias} in Llama. */
    ALL
  }

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private static final Set<String> MODEL_TYPES = Set.of("llama", "qwen2", "mistral");

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

  /** Fields whose every other value would change the computation. */
  private static final Map<String, String> NEUTRAL =
      Map.of(
          "hidden_act", "\"silu\"",
          "mlp_bias", "false",
          "pretraining_tp", "1",
          "partial_rotary_factor", "1.0",
          "use_sliding_window", "false",
          "attn_logit_softcapping", "null",
          "final_logit_softcapping", "null",
          "quantization_config", "null",
          "is_encoder_decoder", "false");

  public DecoderConfig {
    other = Collections.unmodifiableMap(new LinkedHashMap<>(other)); // an order that stays
    require(MODEL_TYPES.contains(modelType), "model_type '" + modelType + "'", MODEL_TYPES);
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

  /** The config of a Hugging Face directory. */
  public static DecoderConfig read(Path directory) {
    Path file = directory.resolve("config.json");
    try {
      return parse(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads {@code config.json}.
   *
   * @throws IllegalArgumentException naming the field, if something is missing or not supported
   */
  public static DecoderConfig parse(String json) {
    JsonNode tree;
    try {
      tree = JSON.readTree(json);
    } catch (IOException e) {
      throw new IllegalArgumentException("config.json is not JSON: " + e.getMessage(), e);
    }
    require(tree.isObject(), "not a JSON object", "an object");
    checkNeutral(tree);
    String type = text(tree, "model_type");
    int hidden = integer(tree, "hidden_size");
    int heads = integer(tree, "num_attention_heads");
    int headDim = present(tree, "head_dim") ? integer(tree, "head_dim") : hidden / heads;
    require(
        present(tree, "head_dim") || hidden % heads == 0,
        "hidden_size " + hidden + " without head_dim",
        "a multiple of num_attention_heads " + heads);
    // Spelled rope_parameters since transformers 5; before that rope_theta and rope_scaling.
    JsonNode rope = present(tree, "rope_parameters") ? tree.get("rope_parameters") : null;
    double theta =
        rope != null && present(rope, "rope_theta")
            ? number(rope, "rope_theta")
            : present(tree, "rope_theta") ? number(tree, "rope_theta") : 10_000;
    JsonNode scaling =
        rope != null ? rope : present(tree, "rope_scaling") ? tree.get("rope_scaling") : null;
    if (scaling != null
        && present(scaling, "partial_rotary_factor")
        && number(scaling, "partial_rotary_factor") != 1) {
      throw new IllegalArgumentException(
          "config.json: partial_rotary_factor "
              + scaling.get("partial_rotary_factor")
              + "; supported: 1.0");
    }
    boolean attentionBias = flag(tree, "attention_bias", false);
    AttentionBias bias =
        type.equals("qwen2")
            ? AttentionBias.QKV
            : attentionBias ? AttentionBias.ALL : AttentionBias.NONE;
    Map<String, String> other = new LinkedHashMap<>();
    tree.properties()
        .forEach(
            field -> {
              if (!READ.contains(field.getKey())) {
                other.put(field.getKey(), field.getValue().toString());
              }
            });
    return new DecoderConfig(
        type,
        hidden,
        integer(tree, "intermediate_size"),
        integer(tree, "num_hidden_layers"),
        heads,
        present(tree, "num_key_value_heads") ? integer(tree, "num_key_value_heads") : heads,
        headDim,
        present(tree, "rms_norm_eps") ? number(tree, "rms_norm_eps") : 1e-6,
        theta,
        scaling(scaling),
        integer(tree, "vocab_size"),
        flag(tree, "tie_word_embeddings", false),
        present(tree, "max_position_embeddings") ? integer(tree, "max_position_embeddings") : 2048,
        bias,
        present(tree, "initializer_range") ? number(tree, "initializer_range") : 0.02,
        other);
  }

  private static void checkNeutral(JsonNode tree) {
    NEUTRAL.forEach(
        (name, neutral) -> {
          JsonNode value = tree.get(name);
          boolean same =
              value == null
                  || value.isNull()
                  || value.toString().equals(neutral)
                  || (value.isNumber() && value.asDouble() == Double.parseDouble(neutral));
          require(same, name + " " + value, neutral);
        });
    // Qwen2 writes a window that it does not use; Mistral's is always used.
    boolean windowOff =
        tree.has("use_sliding_window") && !tree.get("use_sliding_window").asBoolean();
    require(
        !present(tree, "sliding_window") || windowOff,
        "sliding_window " + tree.get("sliding_window"),
        "null");
    if (present(tree, "layer_types")) {
      for (JsonNode kind : tree.get("layer_types")) {
        require(
            kind.asText().equals("full_attention"), "layer_types " + kind, "\"full_attention\"");
      }
    }
  }

  private static RopeScaling scaling(@Nullable JsonNode node) {
    if (node == null) {
      return RopeScaling.NONE;
    }
    String type =
        present(node, "rope_type")
            ? text(node, "rope_type")
            : present(node, "type") ? text(node, "type") : "default";
    return switch (type) {
      case "default" -> RopeScaling.NONE;
      case "linear" -> new RopeScaling.Linear(number(node, "factor"));
      case "llama3" ->
          new RopeScaling.Llama3(
              number(node, "factor"),
              number(node, "low_freq_factor"),
              number(node, "high_freq_factor"),
              integer(node, "original_max_position_embeddings"));
      default ->
          throw new IllegalArgumentException(
              "config.json: rope_scaling of type '"
                  + type
                  + "'; supported: default, linear, llama3");
    };
  }

  private static boolean present(JsonNode tree, String name) {
    return tree.hasNonNull(name);
  }

  private static String text(JsonNode tree, String name) {
    JsonNode value = tree.path(name);
    require(value.isTextual(), name + " " + tree.get(name), "a text");
    return value.asText();
  }

  private static int integer(JsonNode tree, String name) {
    JsonNode value = tree.path(name);
    require(
        value.isIntegralNumber() && value.canConvertToInt(),
        name + " " + tree.get(name),
        "an integer");
    return value.asInt();
  }

  private static double number(JsonNode tree, String name) {
    JsonNode value = tree.path(name);
    require(value.isNumber(), name + " " + tree.get(name), "a number");
    return value.asDouble();
  }

  private static boolean flag(JsonNode tree, String name, boolean absent) {
    JsonNode value = tree.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return absent;
    }
    require(value.isBoolean(), name + " " + value, "true or false");
    return value.asBoolean();
  }

  /**
   * The {@code config.json} of this configuration, read alike by transformers 4 and 5.
   *
   * @param stored the precision of the weights beside it
   */
  public String toJson(Precision stored) {
    ObjectNode tree = JSON.createObjectNode();
    tree.putArray("architectures").add(architecture());
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
    tree.put("model_type", modelType);
    tree.put("hidden_size", hiddenSize);
    tree.put("intermediate_size", intermediateSize);
    tree.put("num_hidden_layers", layers);
    tree.put("num_attention_heads", heads);
    tree.put("num_key_value_heads", keyValueHeads);
    tree.put("head_dim", headDim);
    tree.put("hidden_act", "silu");
    tree.put("rms_norm_eps", rmsNormEps);
    tree.put("rope_theta", ropeTheta);
    if (ropeScaling instanceof RopeScaling.Linear linear) {
      ObjectNode node = tree.putObject("rope_scaling");
      node.put("rope_type", "linear");
      node.put("factor", linear.factor());
    } else if (ropeScaling instanceof RopeScaling.Llama3 llama) {
      ObjectNode node = tree.putObject("rope_scaling");
      node.put("rope_type", "llama3");
      node.put("factor", llama.factor());
      node.put("low_freq_factor", llama.lowFreqFactor());
      node.put("high_freq_factor", llama.highFreqFactor());
      node.put("original_max_position_embeddings", llama.originalMaxPositions());
    } else {
      tree.putNull("rope_scaling");
    }
    tree.put("vocab_size", vocabularySize);
    tree.put("tie_word_embeddings", tiedEmbeddings);
    tree.put("max_position_embeddings", maxPositions);
    if (!modelType.equals("qwen2")) {
      tree.put("attention_bias", bias == AttentionBias.ALL);
    }
    tree.put("mlp_bias", false);
    tree.put("initializer_range", initializerRange);
    tree.put(
        "torch_dtype",
        switch (stored) {
          case F32 -> "float32";
          case BF16 -> "bfloat16";
          case F16 -> "float16";
        });
    return tree.toPrettyString() + "\n";
  }

  private String architecture() {
    return switch (modelType) {
      case "qwen2" -> "Qwen2ForCausalLM";
      case "mistral" -> "MistralForCausalLM";
      default -> "LlamaForCausalLM";
    };
  }

  /** The number of weights. */
  public long parameters() {
    return new ParameterLayout(this).size();
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
          "llama",
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
          initializerRange > 0 ? initializerRange : 1 / Math.sqrt(hiddenSize),
          other);
    }
  }
}
