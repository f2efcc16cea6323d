package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.engine.decoder.Trainable;
import dev.cambium.model.Recipe;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;

/** Gradients against central differences of the loss, in random directions. */
class GradientTest {

  private static final int[][] ROWS = {{1, 5, 9, 20, 2, 7, 11, 3}, {4, 4, 6}, {8, 1, 30, 0, 12}};
  private static final int[][] POSITIONS = {{1, 2, 5, 7}, {2}, {0, 3, 4}};
  private static final int[][] TARGETS = {{9, 20, 11, 0}, {17}, {1, 12, 5}};

  private static float[] read(org.bytedeco.pytorch.Tensor tensor) {
    float[] values = new float[(int) tensor.numel()];
    new FloatPointer(tensor.data_ptr()).get(values, 0, values.length);
    return values;
  }

  private static void write(org.bytedeco.pytorch.Tensor tensor, float[] values) {
    new FloatPointer(tensor.data_ptr()).put(values, 0, values.length);
  }

  private static double loss(Trainable trainable) {
    return trainable.accumulate(ROWS, POSITIONS, TARGETS, Objective.NEXT_TOKEN, 1);
  }

  /** Each direction touches one block of weights, so that a fault in a small one shows. */
  static void check(Trainable trainable) {
    check(trainable, GradientTest::loss);
  }

  /** Of any loss that adds its gradient when it is computed. */
  static void check(Trainable trainable, ToDoubleFunction<Trainable> loss) {
    check(trainable, loss, 0.01);
  }

  /** As above, to within a share of each slope. */
  static void check(Trainable trainable, ToDoubleFunction<Trainable> loss, double share) {
    trainable.zeroGradients();
    loss.applyAsDouble(trainable);
    float[] gradient = read(trainable.gradients());
    float[] start = read(trainable.weights());
    SplitMix64 random = new SplitMix64(3);
    int blocks = 24;
    for (int block = 0; block < blocks; block++) {
      int from = (int) ((long) start.length * block / blocks);
      int to = (int) ((long) start.length * (block + 1) / blocks);
      double[] direction = new double[start.length];
      double expected = 0;
      double length = 0;
      for (int i = from; i < to; i++) {
        // Along the gradient's sign, mostly: far from zero, so that rounding does not decide.
        direction[i] = Math.signum(gradient[i]) * (0.5 + random.nextDouble());
        expected += direction[i] * gradient[i];
        length += direction[i] * direction[i];
      }
      double step = 0.02 / Math.sqrt(length);
      // Richardson's extrapolation removes the error of the third derivative.
      double wide = slope(trainable, loss, start, direction, step);
      double narrow = slope(trainable, loss, start, direction, step / 2);
      double difference = (4 * narrow - wide) / 3;
      assertThat(expected).as("block %d", block).isPositive();
      assertThat(difference)
          .as("block %d", block)
          .isCloseTo(expected, within(share * expected + 2e-5 / step));
    }
  }

  private static double slope(
      Trainable trainable,
      ToDoubleFunction<Trainable> loss,
      float[] start,
      double[] direction,
      double step) {
    double[] losses = new double[2];
    for (int side = 0; side < 2; side++) {
      float[] moved = start.clone();
      for (int i = 0; i < moved.length; i++) {
        moved[i] += (float) ((side == 0 ? -step : step) * direction[i]);
      }
      write(trainable.weights(), moved);
      losses[side] = loss.applyAsDouble(trainable);
    }
    write(trainable.weights(), start);
    return (losses[1] - losses[0]) / (2 * step);
  }

  @Test
  void ofAllWeights() {
    DecoderConfig config =
        DecoderConfig.builder()
            .hiddenSize(16)
            .layers(2)
            .heads(4)
            .keyValueHeads(2)
            .intermediateSize(24)
            .vocabularySize(31)
            .tiedEmbeddings(false)
            .attentionBias(true)
            .initializerRange(0.3)
            .build();
    try (Decoder decoder = Decoder.random(config, 5);
        Trainable trainable = Trainable.of(decoder)) {
      check(trainable);
    }
  }

  @Test
  void ofTiedEmbeddings() {
    try (Decoder decoder = Small.decoder();
        Trainable trainable = Trainable.of(decoder)) {
      check(trainable);
    }
  }

  @Test
  void ofAnAdapter() {
    check(new Recipe.Lora(3, 6, List.of("q_proj", "v_proj", "o_proj", "gate_proj", "down_proj")));
  }

  /** DoRA's lengths count as constants, which differences do not know; see PeftAdaptersTest. */
  @Test
  void ofAnAdapterWithPatternsAndStoredModules() {
    check(
        new Recipe.Lora(
            2,
            6,
            List.of("q_proj", "k_proj", "o_proj", "up_proj"),
            true,
            false,
            new TreeMap<>(Map.of("k_proj", 3)),
            new TreeMap<>(Map.of("layers.0.*", 2.0)),
            List.of("lm_head", "norm")));
  }

  private static void check(Recipe.Lora lora) {
    try (Decoder decoder = Small.decoder();
        LoraAdapter adapter = LoraAdapter.fresh(decoder, LoraConfig.of(lora), 2)) {
      SplitMix64 random = new SplitMix64(8);
      for (String name : adapter.shapes().keySet()) {
        float[] values = adapter.read(name);
        for (int i = 0; i < values.length && name.contains(".lora_"); i++) {
          values[i] = (float) (0.4 * (random.nextDouble() - 0.5));
        }
        adapter.write(name, values);
      }
      try (Trainable trainable = Trainable.of(decoder, adapter)) {
        check(trainable);
      }
    }
  }
}
