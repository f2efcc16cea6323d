package dev.cambium.artifact.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.huggingface.DecoderConfig.AttentionBias;
import dev.cambium.artifact.safetensors.DType;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DecoderConfigTest {

  private static String of(String type, String fields) {
    String family = Character.toUpperCase(type.charAt(0)) + type.substring(1);
    return """
    {"architectures": ["%sForCausalLM"], "model_type": "%s", "hidden_size": 64,
     "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
     "num_key_value_heads": 2, "vocab_size": 100, "rms_norm_eps": 1e-5, "eos_token_id": [2, 7]%s}
    """
        .formatted(family, type, fields.isEmpty() ? "" : ", " + fields);
  }

  private static DecoderConfig parse(String type, String fields) {
    return DecoderConfig.parse(of(type, fields));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "llama|\"mlp_bias\": true|mlp_bias: found true",
        "llama|\"hidden_act\": \"gelu\"|hidden_act: found \"gelu\"",
        "qwen3|\"hidden_act\": \"gelu_pytorch_tanh\"|hidden_act: found",
        "llama|\"pretraining_tp\": 2|pretraining_tp: found 2",
        "llama|\"sliding_window\": 4096|sliding_window: found 4096",
        "llama|\"partial_rotary_factor\": 0.5|partial_rotary_factor: found 0.5",
        "llama|\"rope_interleaved\": true|rope_interleaved: found true",
        "llama|\"logits_scaling\": 8.0|logits_scaling: found 8.0",
        "llama|\"original_max_position_embeddings\": 16|original_max_position_embeddings: found 16",
        "mistral|\"quantization_config\": {\"bits\": 4}|quantization_config: found {\"bits\":4}",
        "mistral|\"num_local_experts\": 8|num_local_experts: found 8",
        "qwen3|\"num_experts\": 128|num_experts: found 128",
        "mistral|\"attention_bias\": true|attention_bias: found true",
        "qwen2|\"attention_bias\": false|attention_bias: found false",
        "qwen2|\"use_sliding_window\": 1|use_sliding_window: found 1",
        "qwen2|\"use_sliding_window\": true, \"sliding_window\": 0|sliding_window: found 0",
        "qwen2|\"layer_types\": [\"full_attention\"]|layer_types: found [\"full_attention\"]",
        "qwen2|\"layer_types\": [\"full_attention\", \"chunked_attention\", \"full_attention\"]|"
            + "layer_types: found \"chunked_attention\" for layer 1",
        "qwen3|\"layer_types\": [\"sliding_attention\", \"full_attention\", \"full_attention\"]|"
            + "layer_types: found \"sliding_attention\" for layer 0",
        "mistral|\"layer_types\": [\"full_attention\", \"full_attention\", \"full_attention\"]|"
            + "layer_types: found \"full_attention\" for layer 0",
        "llama|\"rope_scaling\": {\"rope_type\": \"linear\"}|rope_scaling.factor: found nothing",
        "llama|\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"beta_fast\": 1,"
            + " \"beta_slow\": 4}|beta_fast 1.0 must not be below",
        "llama|\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"truncate\": 1}|"
            + "rope_scaling.truncate: found 1",
        "llama|\"rope_scaling\": {\"type\": \"longrope\", \"factor\": 2}|found \"longrope\"",
        "llama|\"rope_scaling\": {\"type\": \"mrope\", \"mrope_section\": [1]}|found \"mrope\"",
        "llama|\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"default\"}}|"
            + "rope_parameters.full_attention: found",
      })
  void refusesByNameWhatChangesTheComputation(String type, String fields, String named) {
    assertThatThrownBy(() -> parse(type, fields))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("config.json: ")
        .hasMessageContaining(named)
        .hasMessageContaining("expected");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "MixtralForCausalLM",
        "Qwen3MoeForCausalLM",
        "Qwen2MoeForCausalLM",
        "Gemma2ForCausalLM",
        "Phi3ForCausalLM",
        "Llama4ForConditionalGeneration"
      })
  void refusesOtherArchitecturesByName(String architecture) {
    String json = of("llama", "").replace("LlamaForCausalLM", architecture);
    assertThatThrownBy(() -> DecoderConfig.parse(json))
        .hasMessageContaining("architectures: found [\"" + architecture + "\"]")
        .hasMessageContaining(
            "[LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, MistralForCausalLM]");
  }

  @Test
  void refusesAFamilyWithTheTypeOfAnother() {
    String json = of("llama", "").replace("\"llama\"", "\"mistral\"");
    assertThatThrownBy(() -> DecoderConfig.parse(json))
        .hasMessageContaining("model_type: found \"mistral\"; expected \"llama\"");
  }

  @Test
  void onlyLlamaMayLeaveOutTheKeyHeads() {
    String without = ", \"num_key_value_heads\": 2";
    assertThat(
            DecoderConfig.parse(of("llama", "").replace("\"num_key_value_heads\": 2,", ""))
                .keyValueHeads())
        .isEqualTo(4);
    assertThatThrownBy(
            () ->
                DecoderConfig.parse(
                    of("qwen3", "\"head_dim\": 8").replace(without.substring(2) + ",", "")))
        .hasMessageContaining("num_key_value_heads: found nothing");
  }

  @Test
  void defaultsAreThoseOfTheFamily() {
    assertThat(parse("llama", "").headDim()).isEqualTo(16);
    assertThat(parse("qwen3", "").headDim()).isEqualTo(128);
    assertThat(parse("llama", "").maxPositions()).isEqualTo(2048);
    assertThat(parse("mistral", "").maxPositions()).isEqualTo(131072);
    assertThat(parse("llama", "").windows()).isEmpty();
    assertThat(parse("mistral", "").windows()).containsExactly(4096, 4096, 4096);
    assertThat(parse("mistral", "\"sliding_window\": null").windows()).isEmpty();
    assertThat(parse("qwen2", "\"sliding_window\": 8").windows()).isEmpty();
    assertThat(parse("qwen2", "\"use_sliding_window\": true, \"sliding_window\": 8").windows())
        .isEmpty(); // below the 28 layers that have none by default
  }

  @Test
  void windowsOfQwenFollowTheLayers() {
    String used = "\"use_sliding_window\": true, \"sliding_window\": 8";
    assertThat(parse("qwen2", used + ", \"max_window_layers\": 1").windows())
        .containsExactly(0, 8, 8);
    assertThat(parse("qwen2", used + ", \"max_window_layers\": 0").windows())
        .containsExactly(8, 8, 8);
    DecoderConfig listed =
        parse(
            "qwen3",
            used
                + ", \"layer_types\": [\"sliding_attention\", \"full_attention\","
                + " \"sliding_attention\"]");
    assertThat(listed.windows()).containsExactly(8, 0, 8);
    assertThat(listed.window(1)).isZero();
    assertThat(DecoderConfig.parse(listed.toJson(DType.F32))).isEqualTo(listed);
  }

  @Test
  void acceptsNeutralValues() {
    DecoderConfig config =
        parse(
            "llama",
            "\"partial_rotary_factor\": 1, \"pretraining_tp\": 1, \"sliding_window\": null");
    assertThat(config.keyValueHeads()).isEqualTo(2);
    assertThat(config.headDim()).isEqualTo(16);
  }

  /** A snapshot knows its run by this text, and must be known again by another process. */
  @Test
  void theTextOfAConfigurationIsTheSameInEveryProcess() {
    String fields = "\"z_field\": 1, \"a_field\": 2, \"m_field\": 3, \"bos_token_id\": 1";
    assertThat(parse("llama", fields).other().keySet())
        .containsExactly("eos_token_id", "z_field", "a_field", "m_field", "bos_token_id");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"TYPE\": \"linear\", \"factor\": 2",
        "\"TYPE\": \"dynamic\", \"factor\": 2.5",
        "\"TYPE\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
            + " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 128",
        "\"TYPE\": \"yarn\", \"factor\": 4",
        "\"TYPE\": \"yarn\", \"factor\": 4, \"original_max_position_embeddings\": 512,"
            + " \"attention_factor\": 1.1, \"mscale\": 1, \"mscale_all_dim\": 0.8,"
            + " \"beta_fast\": 30, \"beta_slow\": 2, \"truncate\": false",
      })
  void bothSpellingsOfRopeAgree(String scaling) {
    DecoderConfig old =
        parse(
            "llama",
            "\"rope_theta\": 5e5, \"rope_scaling\": {" + scaling.replace("TYPE", "type") + "}");
    DecoderConfig fresh =
        parse(
            "llama",
            "\"rope_parameters\": {\"rope_theta\": 5e5, "
                + scaling.replace("TYPE", "rope_type")
                + "}");
    assertThat(fresh).isEqualTo(old);
    assertThat(fresh.ropeScaling()).isNotEqualTo(RopeScaling.NONE);
    assertThat(DecoderConfig.parse(fresh.toJson(DType.F32))).isEqualTo(fresh);
  }

  @Test
  void yarnWithoutTheOriginalContextTakesTheLongest() {
    DecoderConfig config = parse("llama", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}");
    assertThat(config.ropeScaling())
        .isEqualTo(
            new RopeScaling.Yarn(
                4,
                2048,
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                32,
                1,
                true));
    assertThat(config.contextLength()).isEqualTo(4 * 2048);
  }

  @Test
  void writtenAndReadIsTheSameAndKeepsOtherFields() {
    DecoderConfig config = parse("qwen3", "\"attention_bias\": true, \"head_dim\": 24");
    String json = config.toJson(DType.BF16);
    assertThat(DecoderConfig.parse(json)).isEqualTo(config);
    assertThat(json).contains("\"eos_token_id\" : [ 2, 7 ]").contains("bfloat16");
    assertThat(config.bias()).isEqualTo(AttentionBias.ALL);
  }

  @Test
  void countsWeights() {
    DecoderConfig config = DecoderConfig.builder().build();
    // embedding, 4 × (four square projections, three of the unit, two norms), final norm
    assertThat(config.parameters())
        .isEqualTo(1024 * 128 + 4 * (4 * 128 * 128 + 3 * 128 * 352 + 2 * 128) + 128);
  }

  @Test
  void eachFamilyHasItsOwnTensors() {
    assertThat(parse("qwen2", "").tensors())
        .containsKey("model.layers.0.self_attn.q_proj.bias")
        .doesNotContainKey("model.layers.0.self_attn.o_proj.bias");
    assertThat(parse("qwen3", "").tensors())
        .containsKey("model.layers.2.self_attn.k_norm.weight")
        .doesNotContainKey("model.layers.0.self_attn.q_proj.bias");
    assertThat(parse("mistral", "").tensors().keySet())
        .isEqualTo(parse("llama", "").tensors().keySet());
  }
}
