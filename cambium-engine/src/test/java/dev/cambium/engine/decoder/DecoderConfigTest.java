package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecoderConfigTest {

  private static final String PLAIN =
      """
      {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
       "num_attention_heads": 4, "vocab_size": 100, "rms_norm_eps": 1e-5, "eos_token_id": [2, 7]}
      """;

  private static String with(String field) {
    return PLAIN.strip().replaceFirst("\\{", "{" + field + ", ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'\"mlp_bias\": true'|mlp_bias true",
        "'\"hidden_act\": \"gelu\"'|hidden_act \"gelu\"",
        "'\"pretraining_tp\": 2'|pretraining_tp 2",
        "'\"sliding_window\": 4096'|sliding_window 4096",
        "'\"partial_rotary_factor\": 0.5'|partial_rotary_factor 0.5",
        "'\"quantization_config\": {\"bits\": 4}'|quantization_config",
        "'\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4}'|yarn",
        "'\"rope_scaling\": {\"rope_type\": \"linear\"}'|factor",
        "'\"layer_types\": [\"sliding_attention\"]'|sliding_attention",
        "'\"num_key_value_heads\": 3'|num_key_value_heads 3",
      })
  void refusesByNameWhatChangesTheComputation(String field, String named) {
    assertThatThrownBy(() -> DecoderConfig.parse(with(field)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(named);
  }

  @Test
  void refusesAnotherFamily() {
    assertThatThrownBy(() -> DecoderConfig.parse(PLAIN.replace("llama", "gemma2")))
        .hasMessageContaining("model_type 'gemma2'");
  }

  @Test
  void acceptsNeutralValues() {
    DecoderConfig config =
        DecoderConfig.parse(
            with("\"partial_rotary_factor\": 1, \"pretraining_tp\": 1, \"sliding_window\": null"));
    assertThat(config.keyValueHeads()).isEqualTo(4);
    assertThat(config.headDim()).isEqualTo(16);
  }

  /** A snapshot knows its run by this text, and must be known again by another process. */
  @Test
  void theTextOfAConfigurationIsTheSameInEveryProcess() {
    String fields = "\"z_field\": 1, \"a_field\": 2, \"m_field\": 3, \"bos_token_id\": 1";
    assertThat(DecoderConfig.parse(with(fields)).other().keySet())
        .containsExactly("z_field", "a_field", "m_field", "bos_token_id", "eos_token_id");
  }

  @Test
  void bothSpellingsOfRopeAgree() {
    String llama3 =
        "\"factor\": 8.0, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0,"
            + " \"original_max_position_embeddings\": 128";
    DecoderConfig old =
        DecoderConfig.parse(
            with("\"rope_theta\": 5e5, \"rope_scaling\": {\"type\": \"llama3\", " + llama3 + "}"));
    DecoderConfig fresh =
        DecoderConfig.parse(
            with(
                "\"rope_parameters\": {\"rope_theta\": 5e5, \"rope_type\": \"llama3\", "
                    + llama3
                    + "}"));
    assertThat(fresh).isEqualTo(old);
    assertThat(old.ropeScaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 128));
  }

  @Test
  void writtenAndReadIsTheSameAndKeepsOtherFields() {
    DecoderConfig config =
        DecoderConfig.parse(with("\"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2}"));
    String json = config.toJson(Precision.BF16);
    assertThat(DecoderConfig.parse(json)).isEqualTo(config);
    assertThat(json).contains("\"eos_token_id\" : [ 2, 7 ]").contains("bfloat16");
  }

  @Test
  void countsWeights() {
    DecoderConfig config = DecoderConfig.builder().build();
    // embedding, 4 × (four square projections, three of the unit, two norms), final norm
    assertThat(config.parameters())
        .isEqualTo(1024 * 128 + 4 * (4 * 128 * 128 + 3 * 128 * 352 + 2 * 128) + 128);
  }
}
