package dev.cambium.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.Engine;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.training.DataMix;
import dev.cambium.engine.training.TokenRow;
import dev.cambium.engine.training.Trainer;
import dev.cambium.model.Recipe;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * What telemetry costs: the same training with and without it, in turn, in one process. Main:
 * {@code TelemetryCost SHAPE STEPS PAIRS} with the shape {@code full} (the demo's industrial
 * models: all weights of 4 layers, 112 wide, 32 rows a step), {@code adapter} (the demo's adapters
 * on that) or {@code 135m} (an adapter on a model of SmolLM2-135M's shape in bf16, 16 rows of 36
 * tokens a step). Weights and rows are random: neither matters to the time.
 */
public final class TelemetryCost {

  private static final Recipe.Lora RANK_8 = new Recipe.Lora(8, 16, List.of());

  private record Time(double wall, double processor) {
    static Time now() {
      OperatingSystemMXBean system =
          (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      return new Time(System.nanoTime() / 1e9, system.getProcessCpuTime() / 1e9);
    }

    Time since(Time before) {
      return new Time(wall - before.wall, processor - before.processor);
    }
  }

  private final DecoderConfig config;
  private final Recipe recipe;
  private final DataMix mix;

  private TelemetryCost(String shape, int steps) {
    boolean large = shape.equals("135m");
    this.config =
        large
            ? DecoderConfig.builder()
                .hiddenSize(576)
                .layers(30)
                .heads(9)
                .keyValueHeads(3)
                .intermediateSize(1536)
                .vocabularySize(49152)
                .maxPositions(256)
                .build()
            : DecoderConfig.builder()
                .hiddenSize(112)
                .layers(4)
                .heads(4)
                .keyValueHeads(4)
                .intermediateSize(224)
                .vocabularySize(768)
                .maxPositions(256)
                .build();
    boolean full = shape.equals("full");
    this.recipe =
        new Recipe(
                full ? Recipe.Method.FULL : Recipe.Method.LORA,
                full ? null : RANK_8,
                steps,
                large ? 16 : 32,
                1,
                64,
                1e-3,
                0.05,
                Recipe.Schedule.COSINE,
                0.01,
                1,
                0)
            .withPrecision(large ? Recipe.Precision.BF16 : Recipe.Precision.FP32);
    Random random = new Random(1);
    List<TokenRow> rows = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      int length = large ? 36 : 24 + random.nextInt(24);
      rows.add(
          TokenRow.from(random.ints(length, 0, config.vocabularySize()).toArray(), length * 2 / 3));
    }
    this.mix = DataMix.of(rows);
  }

  private Time train(boolean telemetry) {
    Trainer trainer = Trainer.builder(recipe).telemetry(telemetry).build();
    try (Decoder decoder = Decoder.random(config, 1)) {
      if (recipe.lora() == null) {
        Time before = Time.now();
        trainer.train(decoder, mix);
        return Time.now().since(before);
      }
      try (LoraAdapter adapter = LoraAdapter.random(config, LoraConfig.of(recipe.lora()), 1)) {
        Time before = Time.now();
        trainer.train(decoder, adapter, mix);
        return Time.now().since(before);
      }
    }
  }

  public static void main(String[] given) {
    if (given.length != 3 || !List.of("full", "adapter", "135m").contains(given[0])) {
      System.err.println("usage: TelemetryCost full|adapter|135m STEPS PAIRS");
      System.exit(2);
    }
    Arguments arguments = new Arguments(given);
    int steps = arguments.number(1, 0);
    int pairs = arguments.number(2, 0);
    System.out.println(Engine.open().fingerprint());
    new TelemetryCost(given[0], Math.min(steps, 20)).train(true); // compiles what both use
    TelemetryCost cost = new TelemetryCost(given[0], steps);
    double[] wall = new double[pairs];
    double[] processor = new double[pairs];
    for (int pair = 0; pair < pairs; pair++) {
      boolean first = pair % 2 == 0;
      Time one = cost.train(first);
      Time two = cost.train(!first);
      Time with = first ? one : two;
      Time without = first ? two : one;
      wall[pair] = with.wall / without.wall - 1;
      processor[pair] = with.processor / without.processor - 1;
      System.out.printf(
          Locale.ROOT,
          "pair %d: %.2f s with, %.2f s without (%+.2f %%); processor %.2f s, %.2f s (%+.2f %%)%n",
          pair + 1,
          with.wall,
          without.wall,
          100 * wall[pair],
          with.processor,
          without.processor,
          100 * processor[pair]);
    }
    System.out.printf(
        Locale.ROOT,
        "median: %+.2f %% of the time, %+.2f %% of the processor time, %d steps, %d pairs%n",
        100 * median(wall),
        100 * median(processor),
        steps,
        pairs);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
