package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A published checkpoint, where one lies beside this repository. */
class RealModelTest {

  @TempDir Path folder;

  @Test
  void smolLm2SpeaksEnglish() throws Exception {
    Path shared = Path.of("../../shared/models");
    Path model = shared.resolve("SmolLM2-135M-Instruct");
    Assumptions.assumeTrue(
        Files.exists(model), "no ../shared/models/SmolLM2-135M-Instruct: skipped");
    Process unpack =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                shared.resolve("Unpack.java").toString(),
                model.toString(),
                folder.toString())
            .inheritIO()
            .start();
    assertThat(unpack.waitFor()).isZero();
    try (Decoder decoder = Decoder.load(folder)) {
      assertThat(decoder.parameters()).isEqualTo(134_515_008);
      // "The capital of France is" and the ids of " Paris", " Berlin"
      int[] prompt = {504, 3575, 282, 4649, 314};
      try (KeyValueCache cache = decoder.prefill(new int[][] {prompt}, 1);
          Logits logits = decoder.next(cache)) {
        assertThat(logits.argmax()[0]).isEqualTo(7042);
        float[][][] scores =
            decoder.continuationLogProbabilities(cache, new int[][][] {{{7042}, {11452}}});
        // As transformers computes them from the same file in fp32.
        assertThat(scores[0][0][0]).isCloseTo(-0.2606f, within(1e-3f));
        assertThat(scores[0][1][0]).isCloseTo(-6.9324f, within(1e-3f));
      }
    }
  }
}
