package dev.cambium.artifact.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.HalfPrecision;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class GgufExportTest {

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int WIDTH = 64;
  private static final int HEADS = 4;
  private static final int KEYS = 2;
  private static final int HEAD = 16;

  @TempDir Path dir;
  private final SortedMap<String, float[]> weights = new TreeMap<>();

  private static ObjectNode config(String family) {
    ObjectNode config = JSON.createObjectNode();
    config.putArray("architectures").add(family + "ForCausalLM");
    config.put("model_type", family.toLowerCase(java.util.Locale.ROOT));
    config.put("hidden_size", WIDTH).put("intermediate_size", 96).put("num_hidden_layers", 2);
    config.put("num_attention_heads", HEADS).put("num_key_value_heads", KEYS);
    config.put("head_dim", HEAD).put("vocab_size", 40).put("max_position_embeddings", 128);
    config.put("rms_norm_eps", 1e-5).put("rope_theta", 5000.0).put("hidden_act", "silu");
    config.put("tie_word_embeddings", false).put("eos_token_id", 5);
    return config;
  }

  private static final String TOKENIZER =
      """
      {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\\u0120": 3},
                 "merges": [["a", "b"]], "byte_fallback": false, "ignore_merges": false},
       "added_tokens": [{"id": 4, "content": "<s>", "special": true},
                        {"id": 5, "content": "</s>", "special": true},
                        {"id": 6, "content": "<x>", "special": false}],
       "normalizer": null,
       "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
          {"type": "Digits", "individual_digits": true},
          {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]},
       "post_processor": {"type": "TemplateProcessing",
          "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                     {"Sequence": {"id": "A", "type_id": 0}}]}}
      """;

  private Path model(ObjectNode config, DType type) throws IOException {
    Path model = Files.createDirectories(dir.resolve("model"));
    JSON.writeValue(model.resolve("config.json").toFile(), config);
    Files.writeString(model.resolve("tokenizer.json"), TOKENIZER);
    Files.writeString(
        model.resolve("tokenizer_config.json"),
        "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\"}, \"chat_template\":"
            + " \"{{ messages }}\"}");
    Random random = new Random(5);
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    weights.clear();
    DecoderConfig.read(model)
        .tensors()
        .forEach(
            (name, shape) -> {
              int elements = (int) (long) shape.stream().reduce(1L, (a, b) -> a * b);
              float[] values = new float[elements];
              ByteBuffer bytes =
                  ByteBuffer.allocate(elements * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
              for (int i = 0; i < elements; i++) {
                float value = (float) random.nextGaussian() * 0.05f;
                if (type == DType.BF16) {
                  int bits = Float.floatToIntBits(value) & 0xffff0000;
                  value = Float.intBitsToFloat(bits);
                  bytes.putShort((short) (bits >>> 16));
                } else {
                  bytes.putFloat(value);
                }
                values[i] = value;
              }
              weights.put(name, values);
              tensors.put(name, new SafetensorsWriter.Tensor(type, shape, bytes.flip()));
            });
    SafetensorsWriter.write(model.resolve("model.safetensors"), tensors, Map.of());
    return model;
  }

  private GgufReader written(Path model, Quantization quantization) throws IOException {
    Path file = dir.resolve("out.gguf");
    GgufExport.Written written = GgufExport.write(model, file, "mine", quantization);
    assertThat(written.size()).isEqualTo(Files.size(file));
    return new GgufReader(file);
  }

  @Test
  void saysWhatTheModelIs() throws IOException {
    GgufReader read = written(model(config("Llama"), DType.F32), Quantization.F16);
    assertThat(read.metadata)
        .containsEntry("general.architecture", "llama")
        .containsEntry("general.name", "mine")
        .containsEntry("general.file_type", 1)
        .containsEntry("llama.block_count", 2)
        .containsEntry("llama.context_length", 128)
        .containsEntry("llama.embedding_length", WIDTH)
        .containsEntry("llama.feed_forward_length", 96)
        .containsEntry("llama.attention.head_count", HEADS)
        .containsEntry("llama.attention.head_count_kv", KEYS)
        .containsEntry("llama.attention.key_length", HEAD)
        .containsEntry("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .containsEntry("llama.rope.freq_base", 5000f)
        .containsEntry("llama.vocab_size", 40)
        .containsEntry("tokenizer.ggml.model", "gpt2")
        .containsEntry("tokenizer.ggml.pre", "smollm")
        .containsEntry("tokenizer.ggml.bos_token_id", 4)
        .containsEntry("tokenizer.ggml.eos_token_id", 5)
        .containsEntry("tokenizer.ggml.add_bos_token", true)
        .containsEntry("tokenizer.ggml.add_eos_token", false)
        .containsEntry("tokenizer.ggml.merges", List.of("a b"))
        .containsEntry("tokenizer.chat_template", "{{ messages }}")
        .doesNotContainKeys("tokenizer.ggml.eot_token_id", "llama.rope.scaling.type");
    List<Object> tokens = new ArrayList<>(List.of("a", "b", "ab", "\u0120", "<s>", "</s>", "<x>"));
    List<Object> types = new ArrayList<>(List.of(1, 1, 1, 1, 3, 3, 4));
    for (int id = 7; id < 40; id++) {
      tokens.add("[PAD" + id + "]");
      types.add(5);
    }
    assertThat(read.metadata)
        .containsEntry("tokenizer.ggml.tokens", tokens)
        .containsEntry("tokenizer.ggml.token_type", types);
  }

  @ParameterizedTest
  @EnumSource(Quantization.class)
  void tensorsLieAtMultiplesOf32OneAfterAnother(Quantization quantization) throws IOException {
    GgufReader read = written(model(config("Llama"), DType.F32), quantization);
    long end = 0;
    for (GgufReader.Tensor tensor : read.tensors.values()) {
      assertThat(tensor.offset()).isEqualTo((end + 31) / 32 * 32);
      end = tensor.offset() + tensor.bytes();
    }
    assertThat(read.size).isEqualTo(read.dataStart + (end + 31) / 32 * 32);
    assertThat(read.tensors).hasSize(weights.size());
    assertThat(read.tensors.get("blk.0.ffn_down.weight").dimensions()).containsExactly(96L, 64L);
    assertThat(read.tensors.get("blk.1.attn_norm.weight").type()).isZero();
  }

  /** As numpy would say it: reshape(heads, 2, d/2, in), swap the middle two, reshape back. */
  private static float[] interleaved(float[] rows, int heads, int width) {
    float[] turned = new float[rows.length];
    for (int h = 0; h < heads; h++) {
      for (int half = 0; half < 2; half++) {
        for (int j = 0; j < HEAD / 2; j++) {
          int from = ((h * 2 + half) * (HEAD / 2) + j) * width;
          int to = ((h * (HEAD / 2) + j) * 2 + half) * width;
          System.arraycopy(rows, from, turned, to, width);
        }
      }
    }
    return turned;
  }

  private float[] expected(String name, boolean neighbours, int width) {
    float[] values = weights.get(name);
    boolean query = name.contains(".q_proj.");
    return neighbours && (query || name.contains(".k_proj."))
        ? interleaved(values, query ? HEADS : KEYS, width)
        : values;
  }

  private static String ggml(String name) {
    return name.replace("model.embed_tokens", "token_embd")
        .replace("model.norm", "output_norm")
        .replace("lm_head", "output")
        .replace("model.layers.", "blk.")
        .replace("self_attn.o_proj", "attn_output")
        .replaceAll("self_attn\\.([qkv])_proj", "attn_$1")
        .replaceAll("self_attn\\.([qk])_norm", "attn_$1_norm")
        .replaceAll("mlp\\.(\\w+)_proj", "ffn_$1")
        .replace("input_layernorm", "attn_norm")
        .replace("post_attention_layernorm", "ffn_norm");
  }

  @ParameterizedTest
  @CsvSource({"Llama,F32", "Mistral,BF16", "Qwen2,F32", "Qwen3,BF16"})
  void halfPrecisionIsTheNearest(String family, DType type) throws IOException {
    ObjectNode config = config(family);
    GgufReader read = written(model(config, type), Quantization.F16);
    boolean neighbours = family.equals("Llama") || family.equals("Mistral");
    weights.forEach(
        (name, original) -> {
          GgufReader.Tensor tensor = read.tensors.get(ggml(name));
          assertThat(tensor).as(name).isNotNull();
          int width = (int) (long) tensor.dimensions().get(0);
          boolean vector = tensor.dimensions().size() == 1;
          assertThat(tensor.type()).isEqualTo(vector ? 0 : 1);
          ByteBuffer data = read.data(ggml(name));
          for (float value : expected(name, neighbours, vector ? 1 : width)) {
            if (vector) {
              assertThat(data.getFloat()).as(name).isEqualTo(value);
            } else {
              assertThat(data.getShort()).as(name).isEqualTo(HalfOracle.nearest(value));
            }
          }
          assertThat(data.hasRemaining()).isFalse();
        });
    assertThat(read.metadata.get("general.architecture"))
        .isEqualTo(neighbours ? "llama" : family.toLowerCase(java.util.Locale.ROOT));
    assertThat(weights.containsKey("model.layers.0.self_attn.q_proj.bias"))
        .isEqualTo(family.equals("Qwen2"));
  }

  @ParameterizedTest
  @CsvSource({"Llama", "Qwen2"})
  void eightBitsStayWithinHalfAStep(String family) throws IOException {
    GgufReader read = written(model(config(family), DType.F32), Quantization.Q8_0);
    assertThat(read.metadata).containsEntry("general.file_type", 7);
    for (String name : weights.keySet()) {
      GgufReader.Tensor tensor = read.tensors.get(ggml(name));
      if (tensor.dimensions().size() == 1) {
        continue;
      }
      assertThat(tensor.type()).isEqualTo(8);
      int width = (int) (long) tensor.dimensions().get(0);
      float[] values = expected(name, family.equals("Llama"), width);
      ByteBuffer data = read.data(ggml(name));
      for (int at = 0; at < values.length; at += 32) {
        float greatest = 0;
        for (int i = at; i < at + 32; i++) {
          greatest = Math.max(greatest, Math.abs(values[i]));
        }
        double scale = HalfOracle.value(data.getShort());
        assertThat(scale)
            .isCloseTo(
                greatest / 127, org.assertj.core.data.Offset.offset(6e-8 + greatest / 127 / 2048));
        boolean full = false;
        for (int i = at; i < at + 32; i++) {
          byte quantized = data.get();
          full |= Math.abs(quantized) == 127;
          // Half a step, and what the scale itself was rounded by.
          assertThat(Math.abs(values[i] - scale * quantized))
              .isLessThanOrEqualTo(
                  greatest / 254 * 1.0001
                      + Math.abs(quantized) * Math.abs(scale - greatest / 127.0)
                      + 1e-9);
        }
        assertThat(full).isTrue();
      }
    }
  }

  @Test
  void tiedModelsHaveNoHead() throws IOException {
    GgufReader read =
        written(
            model(config("Llama").put("tie_word_embeddings", true), DType.F32), Quantization.F16);
    assertThat(read.tensors).containsKey("token_embd.weight").doesNotContainKey("output.weight");
  }

  @Test
  void saysScalingsOfRotaryFrequencies() throws IOException {
    ObjectNode config = config("Llama");
    config.putObject("rope_scaling").put("rope_type", "linear").put("factor", 4.0);
    assertThat(written(model(config, DType.F32), Quantization.F16).metadata)
        .containsEntry("llama.rope.scaling.type", "linear")
        .containsEntry("llama.rope.scaling.factor", 4f);
    config = config("Qwen2");
    config
        .putObject("rope_scaling")
        .put("rope_type", "yarn")
        .put("factor", 4.0)
        .put("original_max_position_embeddings", 64);
    assertThat(written(model(config, DType.F32), Quantization.F16).metadata)
        .containsEntry("qwen2.rope.scaling.type", "yarn")
        .containsEntry("qwen2.rope.scaling.original_context_length", 64)
        .containsEntry("qwen2.context_length", 256)
        .doesNotContainKey("qwen2.rope.scaling.attn_factor");
    config = config("Llama");
    config
        .putObject("rope_scaling")
        .put("rope_type", "llama3")
        .put("factor", 8.0)
        .put("low_freq_factor", 1.0)
        .put("high_freq_factor", 4.0)
        .put("original_max_position_embeddings", 64);
    GgufReader read = written(model(config, DType.F32), Quantization.F16);
    ByteBuffer factors = read.data("rope_freqs.weight");
    for (int i = 0; i < HEAD / 2; i++) {
      double wave = 2 * Math.PI * Math.pow(5000, 2.0 * i / HEAD);
      float factor = factors.getFloat();
      if (wave < 64.0 / 4) {
        assertThat(factor).isEqualTo(1f);
      } else if (wave > 64) {
        assertThat(factor).isEqualTo(8f);
      } else {
        assertThat(factor).isBetween(1f, 8f);
      }
    }
  }

  @Test
  void namesFurtherStopsAndTemplates() throws IOException {
    Path model = model(config("Llama"), DType.F32);
    Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": [5, 6]}");
    Files.writeString(
        model.resolve("tokenizer_config.json"),
        "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"chat_template\": [{\"name\": \"default\","
            + " \"template\": \"D\"}, {\"name\": \"tool_use\", \"template\": \"T\"}]}");
    assertThat(written(model, Quantization.F16).metadata)
        .containsEntry("tokenizer.ggml.eot_token_id", 6)
        .containsEntry("tokenizer.chat_template", "D")
        .containsEntry("tokenizer.chat_template.tool_use", "T")
        .containsEntry("tokenizer.chat_templates", List.of("tool_use"));
    Files.writeString(model.resolve("chat_template.jinja"), "J");
    assertThat(written(model, Quantization.F16).metadata)
        .containsEntry("tokenizer.chat_template", "J");
  }

  private static final String PIECES =
      """
      {"model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
                 "vocab": {"<unk>": 0, "<0x0A>": 1, "\u2581": 2, "a": 3, "b": 7, "\u2581a": 8, "ab": 9,
                           "\u2581ab": 10},
                 "merges": ["\u2581 a", "a b", "\u2581a b", "\u2581 ab"]},
       "added_tokens": [{"id": 0, "content": "<unk>", "special": true},
                        {"id": 4, "content": "<s>", "special": true},
                        {"id": 5, "content": "</s>", "special": true},
                        {"id": 6, "content": "<x>", "special": false}],
       "normalizer": {"type": "Sequence", "normalizers": [
          {"type": "Prepend", "prepend": "\u2581"},
          {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
       "pre_tokenizer": null, "post_processor": null}
      """;

  @Test
  void saysTokenizersOfPieces() throws IOException {
    Path model = model(config("Mistral").putNull("sliding_window"), DType.F32);
    Path tokenizer = model.resolve("tokenizer.json");
    Files.writeString(tokenizer, PIECES);
    GgufReader read = written(model, Quantization.F16);
    assertThat(read.metadata)
        .containsEntry("tokenizer.ggml.model", "llama")
        .containsEntry("tokenizer.ggml.pre", "default")
        .containsEntry("tokenizer.ggml.add_space_prefix", true)
        .containsEntry("tokenizer.ggml.add_bos_token", false)
        .doesNotContainKey("tokenizer.ggml.merges");
    assertThat(((List<?>) read.metadata.get("tokenizer.ggml.token_type")).subList(0, 12))
        .isEqualTo(List.of(2, 6, 1, 1, 3, 3, 4, 1, 1, 1, 1, 5));
    assertThat(((List<?>) read.metadata.get("tokenizer.ggml.scores")).subList(7, 11))
        .isEqualTo(List.of(-0f, -1f, -2f, -3f));

    Files.writeString(tokenizer, PIECES.replace(", \"\u2581 ab\"]", "]"));
    assertThatThrownBy(() -> written(model, Quantization.F16))
        .hasMessageContaining("model.merges: found merges of \"\u2581ab\" that are not all pairs");
    Files.writeString(
        tokenizer, PIECES.replace("\"a b\", \"\u2581a b\"", "\"\u2581a b\", \"a b\""));
    assertThatThrownBy(() -> written(model, Quantization.F16))
        .hasMessageContaining("one after another");
    ObjectNode first = (ObjectNode) JSON.readTree(PIECES);
    first.putNull("normalizer");
    ObjectNode space = first.putObject("pre_tokenizer");
    space.put("type", "Metaspace").put("prepend_scheme", "first").put("split", false);
    JSON.writeValue(tokenizer.toFile(), first);
    assertThatThrownBy(() -> written(model, Quantization.F16))
        .hasMessageContaining("normalizer and pre_tokenizer: found null and")
        .hasMessageContaining("first puts one at the beginning only");
    space.put("prepend_scheme", "never");
    JSON.writeValue(tokenizer.toFile(), first);
    assertThat(written(model, Quantization.F16).metadata)
        .containsEntry("tokenizer.ggml.add_space_prefix", false);
  }

  private void refused(Consumer<ObjectNode> config, Consumer<ObjectNode> tokenizer, String told)
      throws IOException {
    ObjectNode changed = config("Mistral");
    config.accept(changed);
    Path model = model(changed, DType.F32);
    ObjectNode json = (ObjectNode) JSON.readTree(TOKENIZER);
    tokenizer.accept(json);
    JSON.writeValue(model.resolve("tokenizer.json").toFile(), json);
    Path file = dir.resolve("refused.gguf");
    assertThatThrownBy(() -> GgufExport.write(model, file, "x", Quantization.F16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(told);
    assertThat(file).doesNotExist();
  }

  @Test
  void refusesByNameWhatTheFormatCannotSay() throws IOException {
    Consumer<ObjectNode> same = c -> {};
    refused(c -> c.put("sliding_window", 16), same, "sliding_window: found 16 of 128 positions");
    refused(
        c -> c.putObject("rope_scaling").put("rope_type", "dynamic").put("factor", 2.0),
        same,
        "rope_scaling: found Dynamic");
    refused(
        c ->
            c.putObject("rope_scaling")
                .put("rope_type", "yarn")
                .put("factor", 2.0)
                .put("beta_fast", 16.0),
        same,
        "rope_scaling: found Yarn");
    refused(
        same,
        t -> t.putObject("pre_tokenizer").put("type", "Whitespace"),
        "pre_tokenizer: found {\"type\":\"Whitespace\"}");
    refused(same, t -> t.putObject("normalizer").put("type", "NFKC"), "normalizer.type");
    refused(
        same,
        t -> ((ObjectNode) t.path("model")).put("byte_fallback", true),
        "normalizer and pre_tokenizer");
    refused(
        same,
        t -> ((ObjectNode) t.path("model")).put("ignore_merges", true),
        "model.ignore_merges: found true");
    refused(
        same,
        t ->
            ((ObjectNode) t.path("post_processor").path("single").path(0).path("SpecialToken"))
                .put("id", "<x>"),
        "post_processor: found <x>; GGUF can say bos_token only, <s>");
  }

  @Test
  void refusesWeightsBeyondHalfPrecision() throws IOException {
    Path model = model(config("Llama"), DType.F32);
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    weights.forEach(
        (name, values) -> {
          ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
          for (float value : values) {
            bytes.putFloat(value);
          }
          if (name.endsWith("1.mlp.up_proj.weight")) {
            bytes.putFloat(WIDTH * 4, 7e4f);
          }
          List<Long> shape = DecoderConfig.read(model).tensors().get(name);
          tensors.put(name, new SafetensorsWriter.Tensor(DType.F32, shape, bytes.flip()));
        });
    SafetensorsWriter.write(model.resolve("model.safetensors"), tensors, Map.of());
    assertThatThrownBy(() -> GgufExport.write(model, dir.resolve("x.gguf"), "x", Quantization.F16))
        .hasMessageContaining(
            "model.layers.1.mlp.up_proj.weight: row 1: 70000.0 is too large for half precision");
    JsonNode left = JSON.valueToTree(dir.resolve("x.gguf").toFile().exists());
    assertThat(left.asBoolean()).isFalse();
    GgufExport.write(model, dir.resolve("x.gguf"), "x", Quantization.Q8_0);
  }

  @Test
  void roundsToHalfPrecisionAsTheOracleDoes() {
    Random random = new Random(9);
    List<Float> values = new ArrayList<>();
    for (int i = 0; i < 50_000; i++) {
      values.add(Float.intBitsToFloat(random.nextInt()));
      values.add((float) Math.scalb(random.nextGaussian(), random.nextInt(60) - 40));
    }
    for (int half = 0; half < 0x7c00; half += 7) {
      float value = HalfOracle.value((short) half);
      float middle = (value + HalfOracle.value((short) (half + 1))) / 2;
      Collections.addAll(
          values, value, middle, Math.nextUp(middle), Math.nextDown(middle), -middle);
    }
    Collections.addAll(values, 0f, -0f, 65_504f, 65_519.996f, 65_520f, Float.MIN_VALUE);
    for (float value : values) {
      if (!Float.isNaN(value)) {
        assertThat(HalfPrecision.of(value)).as("%s", value).isEqualTo(HalfOracle.nearest(value));
      }
    }
    for (int half = 0; half <= 0xffff; half++) {
      if ((half & 0x7c00) != 0x7c00) {
        assertThat(HalfPrecision.value((short) half)).isEqualTo(HalfOracle.value((short) half));
      }
    }
  }
}
