package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Trainable;
import dev.cambium.model.Recipe;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gradients and training of what the families have beyond Llama. */
class FamilyTrainingTest {

  private static DecoderConfig config(String architecture, String type, String fields) {
    return DecoderConfig.parse(
        """
        {"architectures": ["%s"], "model_type": "%s", "hidden_size": 16, "intermediate_size": 24,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "head_dim": 6, "vocab_size": 31, "max_position_embeddings": 64,
         "initializer_range": 0.3, "tie_word_embeddings": true%s}
        """
            .formatted(architecture, type, fields));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "LlamaForCausalLM|llama|`,\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}`",
        "Qwen2ForCausalLM|qwen2|`,\"use_sliding_window\":true,\"sliding_window\":3,"
            + "\"max_window_layers\":1`",
        "Qwen3ForCausalLM|qwen3|`,\"attention_bias\":true,\"rope_scaling\":"
            + "{\"type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":16}`",
        "MistralForCausalLM|mistral|`,\"sliding_window\":3`",
      })
  void gradientsAreRightAndAnAdapterLearns(String architecture, String type, String fields) {
    DecoderConfig config = config(architecture, type, fields);
    try (Decoder decoder = Decoder.random(config, 5)) {
      try (Trainable trainable = Trainable.of(decoder)) {
        GradientTest.check(trainable);
      }
      Recipe.Lora shape = new Recipe.Lora(4, 8, Recipe.Lora.ALL_PROJECTIONS);
      DataMix mix = DataMix.of(Small.rows(40));
      try (LoraAdapter adapter = LoraAdapter.random(decoder.config(), LoraConfig.of(shape), 1)) {
        TrainingReport report =
            Trainer.builder(Small.lora(40, shape)).build().train(decoder, adapter, mix);
        assertThat(report.finalLoss()).isLessThan(report.losses()[0] - 0.4);
      }
    }
  }
}
