package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepProductsTest {

  private static final int[] PROMPT = {3, 1, 4, 1, 5};

  private static Decoder decoder() {
    return Decoder.random(
        DecoderConfig.builder()
            .hiddenSize(48)
            .intermediateSize(80)
            .layers(2)
            .heads(4)
            .keyValueHeads(2)
            .vocabularySize(61)
            .maxPositions(64)
            .initializerRange(0.3)
            .build(),
        9);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 33})
  void stepsGiveTheLogitsOfWholeRows(int rows) {
    try (Decoder decoder = decoder()) {
      assertStepsAreRight(decoder, rows);
    }
  }

  @Test
  void weightsThatChangedCountFromTheNextStepOn() {
    try (Decoder decoder = decoder()) {
      assertStepsAreRight(decoder, 3);
      for (String name :
          new String[] {
            ParameterLayout.EMBEDDING,
            "model.layers.0.self_attn.k_proj.weight",
            "model.layers.1.mlp.down_proj.weight"
          }) {
        float[] values = decoder.read(name);
        for (int i = 0; i < values.length; i++) {
          values[i] = -values[i];
        }
        decoder.write(name, values);
        assertStepsAreRight(decoder, 3);
      }
    }
  }

  /** Rows that begin alike and differ in their last token. */
  private static void assertStepsAreRight(Decoder decoder, int rows) {
    int[][] prompts = new int[rows][];
    int[][] whole = new int[rows][];
    int[][] last = new int[rows][];
    int[] next = new int[rows];
    for (int b = 0; b < rows; b++) {
      prompts[b] = PROMPT;
      next[b] = b % 61;
      whole[b] = Arrays.copyOf(PROMPT, PROMPT.length + 1);
      whole[b][PROMPT.length] = next[b];
      last[b] = new int[] {PROMPT.length};
    }
    try (KeyValueCache cache = decoder.prefill(prompts, 4);
        Logits stepped = decoder.step(cache, next);
        Logits expected = decoder.logits(whole, last)) {
      for (int b = 0; b < rows; b++) {
        float[] line = expected.line(b);
        float[] found = stepped.line(b);
        for (int i = 0; i < line.length; i++) {
          assertThat(found[i]).as("row %d, token %d", b, i).isCloseTo(line[i], within(1e-4f));
        }
      }
    }
  }
}
