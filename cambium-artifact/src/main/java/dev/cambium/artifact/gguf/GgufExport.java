package dev.cambium.artifact.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.DecoderConfig.Family;
import dev.cambium.artifact.huggingface.RopeScaling;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.HalfPrecision;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes a Hugging Face model directory as one GGUF file, with its tokenizer and chat template.
 *
 * <p>What llama.cpp computes otherwise, or has no word for, is refused by name: windows of
 * attention, dynamic scaling, ramps of YaRN other than its own, tokenizers whose cutting it does
 * not have built in. Queries and keys of Llama and Mistral go in interleaved, as that program
 * rotates neighbours where Hugging Face rotates halves; Qwen's stay as they are.
 */
public final class GgufExport {

  /** The program's version of quantized layouts. */
  private static final int QUANTIZATION_VERSION = 2;

  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"));

  /** Other programs' JSON: it may hold any fields. */
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private final Path model;
  private final DecoderConfig config;
  private final Quantization quantization;
  private final GgufWriter writer = new GgufWriter();
  private final List<String> notes = new ArrayList<>();

  private GgufExport(Path model, DecoderConfig config, Quantization quantization) {
    this.model = model;
    this.config = config;
    this.quantization = quantization;
  }

  /**
   * What was written.
   *
   * @param size of the file in bytes
   * @param notes what a person should know of how another program will read it
   */
  public record Written(long size, List<String> notes) {}

  /**
   * Writes a file, as a whole or not at all.
   *
   * @param model Hugging Face directory
   * @param file created or replaced
   * @param name of the model, for people
   * @throws IllegalArgumentException naming what the format cannot say, or a weight that it cannot
   *     hold
   */
  public static Written write(Path model, Path file, String name, Quantization quantization) {
    GgufExport export = new GgufExport(model, DecoderConfig.read(model), quantization);
    SortedMap<String, SafetensorsFile> files = new TreeMap<>();
    try {
      export.metadata(name);
      export.vocabulary();
      open(model, files);
      export.tensors(files);
      return new Written(export.writer.write(file), List.copyOf(export.notes));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + model + ": " + e, e);
    } finally {
      files.values().stream().distinct().forEach(SafetensorsFile::close);
    }
  }

  /** Every tensor's file. */
  private static void open(Path model, SortedMap<String, SafetensorsFile> files)
      throws IOException {
    List<Path> paths;
    try (Stream<Path> all = Files.list(model)) {
      paths = all.filter(p -> p.toString().endsWith(".safetensors")).sorted().toList();
    }
    for (Path path : paths) {
      SafetensorsFile file = SafetensorsFile.open(path);
      file.tensors().keySet().forEach(name -> files.put(name, file));
    }
  }

  // ------------------------------------------------------------------------------- metadata

  private String architecture() {
    return switch (config.family()) {
      case LLAMA, MISTRAL -> "llama";
      case QWEN2 -> "qwen2";
      case QWEN3 -> "qwen3";
    };
  }

  private boolean rotatesNeighbours() {
    return config.family() == Family.LLAMA || config.family() == Family.MISTRAL;
  }

  private void metadata(String name) {
    for (int layer = 0; layer < config.layers(); layer++) {
      if (config.window(layer) > 0 && config.window(layer) < config.contextLength()) {
        throw unsayable(
            "sliding_window",
            config.window(layer) + " of " + config.contextLength() + " positions",
            "attention to all positions for this architecture");
      }
    }
    String prefix = architecture() + ".";
    writer.put("general.architecture", architecture());
    writer.put("general.type", "model");
    writer.put("general.name", name);
    writer.put("general.file_type", quantization.fileType());
    writer.put("general.quantization_version", QUANTIZATION_VERSION);
    writer.put(prefix + "block_count", config.layers());
    writer.put(prefix + "context_length", config.contextLength());
    writer.put(prefix + "embedding_length", config.hiddenSize());
    writer.put(prefix + "feed_forward_length", config.intermediateSize());
    writer.put(prefix + "attention.head_count", config.heads());
    writer.put(prefix + "attention.head_count_kv", config.keyValueHeads());
    writer.put(prefix + "attention.key_length", config.headDim());
    writer.put(prefix + "attention.value_length", config.headDim());
    writer.put(prefix + "attention.layer_norm_rms_epsilon", (float) config.rmsNormEps());
    writer.put(prefix + "rope.dimension_count", config.headDim());
    writer.put(prefix + "rope.freq_base", (float) config.ropeTheta());
    writer.put(prefix + "vocab_size", config.vocabularySize());
    rope(prefix + "rope.scaling.");
  }

  private void rope(String prefix) {
    RopeScaling scaling = config.ropeScaling();
    if (scaling instanceof RopeScaling.Linear linear) {
      writer.put(prefix + "type", "linear");
      writer.put(prefix + "factor", (float) linear.factor());
    } else if (scaling instanceof RopeScaling.Yarn yarn) {
      boolean usual = yarn.betaFast() == 32 && yarn.betaSlow() == 1 && yarn.truncate();
      if (!usual || yarn.factor() < 1) {
        throw unsayable(
            "rope_scaling",
            yarn.toString(),
            "YaRN with a factor of 1 or more, beta_fast 32, beta_slow 1 and whole dimensions");
      }
      writer.put(prefix + "type", "yarn");
      writer.put(prefix + "factor", (float) yarn.factor());
      writer.put(prefix + "original_context_length", yarn.originalMaxPositions());
      // llama.cpp has the paper's attention factor, times this.
      double own = 0.1 * Math.log(yarn.factor()) + 1;
      if (Math.abs(yarn.attention() / own - 1) > 1e-6) {
        writer.put(prefix + "attn_factor", (float) (yarn.attention() / own));
      }
    } else if (scaling instanceof RopeScaling.Llama3 llama3) {
      float[] factors = factors(llama3);
      writer.add(
          "rope_freqs.weight",
          TensorType.F32,
          List.of((long) factors.length),
          sink -> sink.put(floats(factors)));
    } else if (!(scaling instanceof RopeScaling.None)) {
      throw unsayable(
          "rope_scaling", scaling.toString(), "none, linear, Llama 3's and YaRN's scaling");
    }
  }

  /** By what llama.cpp divides each frequency. */
  private float[] factors(RopeScaling.Llama3 scaling) {
    float[] factors = new float[config.headDim() / 2];
    double original = scaling.originalMaxPositions();
    for (int i = 0; i < factors.length; i++) {
      double wave = 2 * Math.PI * Math.pow(config.ropeTheta(), 2.0 * i / config.headDim());
      double turns = original / wave;
      if (turns > scaling.highFreqFactor()) {
        factors[i] = 1;
      } else if (turns < scaling.lowFreqFactor()) {
        factors[i] = (float) scaling.factor();
      } else {
        double smooth =
            (turns - scaling.lowFreqFactor())
                / (scaling.highFreqFactor() - scaling.lowFreqFactor());
        factors[i] = (float) (1 / ((1 - smooth) / scaling.factor() + smooth));
      }
    }
    return factors;
  }

  private static IllegalArgumentException unsayable(String key, String found, String expected) {
    return new IllegalArgumentException(
        "config.json: " + key + ": found " + found + "; GGUF can say " + expected + " only");
  }

  // ------------------------------------------------------------------------------ vocabulary

  private JsonNode json(String name) throws IOException {
    Path file = model.resolve(name);
    return Files.isRegularFile(file) ? MAPPER.readTree(file.toFile()) : MAPPER.createObjectNode();
  }

  private void vocabulary() throws IOException {
    JsonNode tokenizer = json("tokenizer.json");
    Vocabulary vocabulary = new Vocabulary(tokenizer);
    vocabulary.write(writer, config.vocabularySize());
    notes.addAll(vocabulary.notes());
    Map<String, Integer> ids = new HashMap<>();
    tokenizer
        .path("model")
        .path("vocab")
        .properties()
        .forEach(e -> ids.put(e.getKey(), e.getValue().asInt()));
    tokenizer
        .path("added_tokens")
        .forEach(t -> ids.put(t.path("content").asText(), t.path("id").asInt()));
    JsonNode named = json("tokenizer_config.json");
    JsonNode older = json("special_tokens_map.json");
    JsonNode settings = json("config.json");
    JsonNode generation = json("generation_config.json");
    SortedSet<Integer> stops = new TreeSet<>();
    collect(generation.path("eos_token_id"), stops);
    collect(settings.path("eos_token_id"), stops);
    for (Map.Entry<String, String> role :
        Map.of("bos", "bos", "eos", "eos", "unk", "unknown", "pad", "padding").entrySet()) {
      Optional<Integer> id =
          text(named, role.getKey())
              .or(() -> text(older, role.getKey()))
              .map(ids::get)
              .or(() -> first(settings.path(role.getKey() + "_token_id")));
      id.ifPresent(
          i -> {
            writer.put("tokenizer.ggml." + role.getValue() + "_token_id", i);
            if (role.getKey().equals("eos")) {
              stops.remove(i);
            }
          });
    }
    if (!stops.isEmpty()) {
      writer.put("tokenizer.ggml.eot_token_id", stops.first());
      if (stops.size() > 1) {
        notes.add(
            "generation stops at the tokens "
                + stops
                + " as well; the file names the first, the others only if llama.cpp knows them by"
                + " their text.");
      }
    }
    around(vocabulary, "bos", true, text(named, "bos").or(() -> text(older, "bos")));
    around(vocabulary, "eos", false, text(named, "eos").or(() -> text(older, "eos")));
    template(named);
  }

  private void around(Vocabulary vocabulary, String role, boolean before, Optional<String> token) {
    Optional<String> written = vocabulary.around(before);
    if (written.isPresent() && !written.equals(token)) {
      throw new IllegalArgumentException(
          "tokenizer.json: post_processor: found "
              + written.get()
              + "; GGUF can say "
              + role
              + "_token only, "
              + token.orElse("none"));
    }
    writer.put("tokenizer.ggml.add_" + role + "_token", written.isPresent());
  }

  private static Optional<String> text(JsonNode file, String role) {
    JsonNode value = file.path(role + "_token");
    JsonNode text = value.isObject() ? value.path("content") : value;
    return text.isTextual() ? Optional.of(text.asText()) : Optional.empty();
  }

  private static void collect(JsonNode ids, SortedSet<Integer> into) {
    if (ids.isArray()) {
      ids.forEach(id -> collect(id, into));
    } else if (ids.isInt() && ids.asInt() >= 0) {
      into.add(ids.asInt());
    }
  }

  private static Optional<Integer> first(JsonNode ids) {
    JsonNode one = ids.isArray() ? ids.path(0) : ids;
    return one.isInt() && one.asInt() >= 0 ? Optional.of(one.asInt()) : Optional.empty();
  }

  private void template(JsonNode named) throws IOException {
    Path file = model.resolve("chat_template.jinja");
    if (Files.isRegularFile(file)) {
      writer.put("tokenizer.chat_template", Files.readString(file));
      return;
    }
    JsonNode template = named.path("chat_template");
    if (template.isTextual()) {
      writer.put("tokenizer.chat_template", template.asText());
    } else if (template.isArray()) {
      List<String> others = new ArrayList<>();
      for (JsonNode one : template) {
        String name = one.path("name").asText();
        boolean main = name.equals("default");
        writer.put(
            "tokenizer.chat_template" + (main ? "" : "." + name), one.path("template").asText());
        if (!main) {
          others.add(name);
        }
      }
      if (!others.isEmpty()) {
        writer.put("tokenizer.chat_templates", others);
      }
    }
  }

  // --------------------------------------------------------------------------------- tensors

  private void tensors(SortedMap<String, SafetensorsFile> files) {
    for (Map.Entry<String, List<Long>> expected : config.tensors().entrySet()) {
      String name = expected.getKey();
      @Nullable SafetensorsFile file = files.get(name);
      @Nullable TensorInfo info = file == null ? null : file.tensors().get(name);
      if (file == null || info == null || !info.shape().equals(expected.getValue())) {
        throw new IllegalArgumentException(
            model
                + ": "
                + name
                + ": found "
                + (info == null ? "no such tensor" : "shape " + info.shape())
                + "; expected shape "
                + expected.getValue());
      }
      List<Long> shape = info.shape();
      TensorType type = type(shape);
      if (shape.size() == 2 && type == TensorType.F16 && quantization == Quantization.Q8_0) {
        notes.add(name + " is stored as f16: its rows are no multiple of 32 long.");
      }
      writer.add(ggml(name), type, shape, sink -> copy(file, info, type, sink));
    }
  }

  private TensorType type(List<Long> shape) {
    if (shape.size() == 1) {
      return TensorType.F32;
    }
    return quantization == Quantization.Q8_0 && shape.get(1) % 32 == 0
        ? TensorType.Q8_0
        : TensorType.F16;
  }

  private static String ggml(String name) {
    int dot = name.lastIndexOf('.');
    String module = name.substring(0, dot);
    String kind = name.substring(dot);
    return switch (module) {
          case "model.embed_tokens" -> "token_embd";
          case "model.norm" -> "output_norm";
          case "lm_head" -> "output";
          default -> {
            String[] parts = module.split("\\.", 4);
            yield "blk." + parts[2] + "." + NAMES.get(parts[3]);
          }
        }
        + kind;
  }

  /** Copies row by row: a row of a vector is one element. */
  private void copy(SafetensorsFile file, TensorInfo info, TensorType type, GgufWriter.Sink sink)
      throws IOException {
    int rows = Math.toIntExact(info.shape().get(0));
    int width = info.shape().size() == 1 ? 1 : Math.toIntExact(info.shape().get(1));
    int bytes = width * info.dtype().bytes();
    ByteBuffer in = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer out = ByteBuffer.allocate((int) type.size(width)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[width];
    boolean turned = rotatesNeighbours() && info.name().matches(".*\\.[qk]_proj\\.(weight|bias)");
    for (int row = 0; row < rows; row++) {
      file.read(info.name(), (long) (turned ? source(row) : row) * bytes, in.clear());
      in.flip();
      for (int i = 0; i < width; i++) {
        values[i] = value(in, info.dtype());
      }
      out.clear();
      encode(values, type, out, info.name(), row);
      sink.put(out.flip());
    }
  }

  /** Which row of a head comes where neighbours are rotated: 0, d/2, 1, d/2 + 1, … */
  private int source(int row) {
    int head = row / config.headDim();
    int within = row % config.headDim();
    return head * config.headDim() + within / 2 + (within % 2) * (config.headDim() / 2);
  }

  private static float value(ByteBuffer in, DType type) {
    return switch (type) {
      case F32 -> in.getFloat();
      case F16 -> HalfPrecision.value(in.getShort());
      case BF16 -> Float.intBitsToFloat(in.getShort() << 16);
      default -> throw new IllegalArgumentException("weights of type " + type.label());
    };
  }

  private static void encode(
      float[] values, TensorType type, ByteBuffer out, String name, int row) {
    switch (type) {
      case F32 -> {
        for (float value : values) {
          out.putFloat(value);
        }
      }
      case F16 -> {
        for (float value : values) {
          if (Math.abs(value) >= 65_520) {
            throw new IllegalArgumentException(
                name + ": row " + row + ": " + value + " is too large for half precision");
          }
          out.putShort(HalfPrecision.of(value));
        }
      }
      case Q8_0 -> {
        for (float value : values) {
          if (Math.abs(value) >= 65_520f * 127) {
            throw new IllegalArgumentException(
                name
                    + ": row "
                    + row
                    + ": "
                    + value
                    + " is too large for a scale of half precision");
          }
        }
        Blocks.q8(values, out);
      }
    }
  }

  private static ByteBuffer floats(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.flip();
  }
}
