package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Logits against transformers' LlamaForCausalLM and Qwen2ForCausalLM. */
class ReferenceLogitsTest {

  private static final double TOLERANCE = 1e-5;

  @ParameterizedTest
  @ValueSource(strings = {"gqa-tied", "untied", "bias", "linear", "llama3", "qwen2"})
  void wholeRowsOfUnequalLengths(String name) {
    try (Decoder decoder = Reference.decoder(name);
        Logits logits = decoder.logits(Reference.rows(), Reference.positions())) {
      JsonNode expected = Reference.ROOT.path("cases").path(name).path("logits");
      for (int i = 0; i < logits.count(); i++) {
        assertThat(Reference.relativeError(logits.line(i), Reference.line(expected, i / 2, i % 2)))
            .as("%s, line %d", name, i)
            .isLessThan(TOLERANCE);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gqa-tied", "untied", "bias", "linear", "llama3", "qwen2"})
  void stepByStepWithCache(String name) {
    JsonNode expected = Reference.ROOT.path("cases").path(name).path("logits");
    int[][] rows = Reference.rows();
    int[][] prompts =
        Arrays.stream(rows).map(r -> Arrays.copyOf(r, r.length - 2)).toArray(int[][]::new);
    try (Decoder decoder = Reference.decoder(name);
        KeyValueCache cache = decoder.prefill(prompts, 0)) {
      for (int back = 2; back >= 1; back--) {
        int[] tokens = new int[rows.length];
        for (int b = 0; b < rows.length; b++) {
          tokens[b] = rows[b][rows[b].length - back];
        }
        decoder.step(cache, tokens).close();
      }
      try (Logits logits = decoder.next(cache)) {
        for (int b = 0; b < rows.length; b++) {
          assertThat(Reference.relativeError(logits.line(b), Reference.line(expected, b, 1)))
              .as("%s, row %d", name, b)
              .isLessThan(TOLERANCE);
        }
      }
    }
  }
}
