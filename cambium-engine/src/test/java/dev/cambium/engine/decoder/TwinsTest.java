package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.backend.Natives;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TwinsTest {

  private static final int VOCABULARY = 61;

  private final SplitMix64 random = new SplitMix64(4);

  private static Decoder decoder(boolean tied) {
    return Decoder.random(
        DecoderConfig.builder()
            .hiddenSize(48)
            .intermediateSize(80)
            .layers(2)
            .heads(4)
            .keyValueHeads(2)
            .vocabularySize(VOCABULARY)
            .maxPositions(64)
            .tiedEmbeddings(tied)
            .initializerRange(0.3)
            .build(),
        9);
  }

  private static Tensor loss(Tensor logits, Tensor targets) {
    return torch.cross_entropy_loss(logits, targets, new TensorOptional(), 2, -100, 0.0);
  }

  /** Loss first, gradients after it, of some rows taken twice. */
  private float[] gradients(Decoder decoder, int lanes, int[][] rows) {
    int[][] positions = new int[rows.length][];
    int[][] targets = new int[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      positions[i] = new int[] {rows[i].length / 2, rows[i].length - 1};
      targets[i] = new int[] {i % VOCABULARY, (7 * i + 3) % VOCABULARY};
    }
    try (Trainable trainable = Trainable.of(decoder, Twins.of(decoder, lanes))) {
      double sum = 0;
      for (int pass = 0; pass < 2; pass++) {
        sum += trainable.accumulate(rows, positions, targets, TwinsTest::loss, 0.5);
      }
      float[] result = new float[Math.toIntExact(trainable.size()) + 1];
      result[0] = (float) sum;
      float[] all = Natives.read(trainable.gradients(), 0, result.length - 1);
      System.arraycopy(all, 0, result, 1, all.length);
      return result;
    }
  }

  private int[][] rows(int count) {
    int[][] rows = new int[count][];
    for (int i = 0; i < count; i++) {
      rows[i] = new int[3 + random.nextInt(20)];
      for (int t = 0; t < rows[i].length; t++) {
        rows[i][t] = random.nextInt(VOCABULARY);
      }
    }
    return rows;
  }

  @ParameterizedTest
  @CsvSource({"2,2,true", "2,7,false", "3,7,true", "4,9,false", "3,2,true"})
  void givesTheGradientsOfTheWholeBatch(int lanes, int rowCount, boolean tied) {
    int[][] rows = rows(rowCount);
    try (Decoder decoder = decoder(tied)) {
      float[] alone = gradients(decoder, 1, rows);
      float[] together = gradients(decoder, lanes, rows);
      double largest = 0;
      for (float value : alone) {
        largest = Math.max(largest, Math.abs(value));
      }
      for (int i = 0; i < alone.length; i++) {
        assertThat((double) together[i]).as("%d", i).isCloseTo(alone[i], within(1e-5 * largest));
      }
      for (int run = 0; run < 5; run++) {
        assertThat(gradients(decoder, lanes, rows)).as("run %d", run).isEqualTo(together);
      }
    }
  }

  @Test
  void everyRowIsDealtOnce() {
    try (Decoder decoder = decoder(true);
        Twins twins = Twins.of(decoder, 3)) {
      int[][] rows = rows(8);
      assertThat(twins.dealt(rows, 0)).isEqualTo(new int[][] {rows[0], rows[3], rows[6]});
      assertThat(twins.dealt(rows, 1)).isEqualTo(new int[][] {rows[1], rows[4], rows[7]});
      assertThat(twins.dealt(rows, 2)).isEqualTo(new int[][] {rows[2], rows[5]});
    }
  }

  @Test
  void whatGoesWrongInAnyLaneIsTold() {
    int[][] rows = {{1, 2}, {3, VOCABULARY}};
    try (Decoder decoder = decoder(true);
        Trainable trainable = Trainable.of(decoder, Twins.of(decoder, 2))) {
      assertThatThrownBy(
              () ->
                  trainable.accumulate(
                      rows, new int[][] {{1}, {1}}, new int[][] {{1}, {1}}, TwinsTest::loss, 1))
          .isInstanceOf(RuntimeException.class)
          .hasMessageContaining("index out of range");
    }
  }
}
