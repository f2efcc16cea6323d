package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.model.Progress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExtractionTest {

  private static final DecoderConfig.Builder SMALL =
      DecoderConfig.builder()
          .hiddenSize(16)
          .intermediateSize(24)
          .layers(2)
          .heads(4)
          .keyValueHeads(2)
          .vocabularySize(40);

  private static final String KEY = "model.layers.0.self_attn.k_proj";
  private static final String DOWN = "model.layers.1.mlp.down_proj";

  @TempDir Path dir;

  private Path base() {
    return base(SMALL.build());
  }

  private Path base(DecoderConfig config) {
    try (Decoder decoder = Decoder.random(config, 1)) {
      decoder.save(dir.resolve("base"), Precision.F32);
    }
    return dir.resolve("base");
  }

  private Path tuned(Path base, Consumer<Decoder> change) {
    try (Decoder decoder = Decoder.load(base)) {
      change.accept(decoder);
      decoder.save(dir.resolve("tuned"), Precision.F32);
    }
    return dir.resolve("tuned");
  }

  /** Adds Σ over the sizes of size · u·vᵀ with random unit u, v; what was added. */
  private static double[] add(Decoder decoder, String module, long seed, double... sizes) {
    List<Long> shape = decoder.shapes().get(module + ".weight");
    int outputs = Math.toIntExact(shape.get(0));
    int inputs = Math.toIntExact(shape.get(1));
    Random random = new Random(seed);
    double[][] ups = orthonormal(random, outputs, sizes.length);
    double[][] downs = orthonormal(random, inputs, sizes.length);
    double[] change = new double[outputs * inputs];
    for (int s = 0; s < sizes.length; s++) {
      for (int i = 0; i < change.length; i++) {
        change[i] += sizes[s] * ups[s][i / inputs] * downs[s][i % inputs];
      }
    }
    float[] values = decoder.read(module + ".weight");
    for (int i = 0; i < values.length; i++) {
      values[i] += (float) change[i];
    }
    decoder.write(module + ".weight", values);
    return change;
  }

  private static double[][] orthonormal(Random random, int length, int count) {
    double[][] vectors = new double[count][];
    for (int v = 0; v < count; v++) {
      double[] vector = random.doubles(length, -1, 1).toArray();
      for (int w = 0; w < v; w++) {
        double product = 0;
        for (int i = 0; i < length; i++) {
          product += vector[i] * vectors[w][i];
        }
        for (int i = 0; i < length; i++) {
          vector[i] -= product * vectors[w][i];
        }
      }
      double norm = 0;
      for (double x : vector) {
        norm += x * x;
      }
      for (int i = 0; i < length; i++) {
        vector[i] /= Math.sqrt(norm);
      }
      vectors[v] = vector;
    }
    return vectors;
  }

  /** B·A of an adapter's module, by loops. */
  private static double[] update(LoraAdapter adapter, String module, int rank) {
    float[] up = adapter.read("base_model.model." + module + ".lora_B.weight");
    float[] down = adapter.read("base_model.model." + module + ".lora_A.weight");
    int inputs = down.length / rank;
    double[] product = new double[up.length / rank * inputs];
    for (int i = 0; i < product.length; i++) {
      for (int r = 0; r < rank; r++) {
        product[i] += (double) up[i / inputs * rank + r] * down[r * inputs + i % inputs];
      }
    }
    return product;
  }

  private LoraAdapter load(Path adapter) {
    return LoraAdapter.load(adapter, DecoderConfig.read(dir.resolve("base")));
  }

  @Test
  void aChangeOfThatRankIsRecovered() {
    Path base = base();
    double[][] changes = new double[2][];
    Path tuned =
        tuned(
            base,
            decoder -> {
              changes[0] = add(decoder, KEY, 1, 0.5, 0.2);
              changes[1] = add(decoder, DOWN, 2, 0.7, 0.1);
            });
    Path out = dir.resolve("adapter");
    Extraction.Report report = Extraction.ofRank(2).adapter(tuned, base, out, Progress.NONE);
    assertThat(report.modules()).extracting(Extraction.Module::name).containsExactly(KEY, DOWN);
    assertThat(report.modules()).extracting(Extraction.Module::rank).containsExactly(2, 2);
    assertThat(report.modules().get(0).norm()).isCloseTo(Math.hypot(0.5, 0.2), within(1e-6));
    assertThat(report.energy()).isGreaterThan(1 - 1e-9);
    assertThat(report.kept()).isGreaterThan(0.9999);
    assertThat(report.whole()).isEmpty();
    try (LoraAdapter adapter = load(out)) {
      for (int m = 0; m < 2; m++) {
        double[] found = update(adapter, List.of(KEY, DOWN).get(m), 2);
        for (int i = 0; i < found.length; i++) {
          assertThat(found[i]).isCloseTo(changes[m][i], within(1e-6));
        }
      }
    }
  }

  @Test
  void energyChoosesEachModulesRank() {
    Path base = base();
    Path tuned =
        tuned(
            base,
            decoder -> {
              add(decoder, KEY, 1, 3, 2, 1); // 9 + 4 + 1: 0.64, 0.93, 1
              add(decoder, DOWN, 2, 3, 0.1); // 0.999
            });
    Path out = dir.resolve("adapter");
    Extraction.Report report = Extraction.ofEnergy(0.9).adapter(tuned, base, out, Progress.NONE);
    Map<String, Extraction.Module> found =
        report.modules().stream().collect(Collectors.toMap(Extraction.Module::name, m -> m));
    assertThat(found.get(KEY).rank()).isEqualTo(2);
    assertThat(found.get(KEY).energy()).isCloseTo(13 / 14.0, within(1e-6));
    assertThat(found.get(DOWN).rank()).isEqualTo(1);
    assertThat(found.get(DOWN).energy()).isCloseTo(9 / 9.01, within(1e-6));
    assertThat(report.energy()).isCloseTo(22 / 23.01, within(1e-6));
    assertThat(report.kept()).isBetween(0.5, 1.0);
    try (LoraAdapter adapter = load(out)) {
      assertThat(adapter.shapes().get("base_model.model." + KEY + ".lora_A.weight"))
          .containsExactly(2L, 16L);
      assertThat(adapter.shapes().get("base_model.model." + DOWN + ".lora_B.weight"))
          .containsExactly(16L, 1L);
    }
  }

  @Test
  void noRankIsLargerThanTheMatrix() {
    Path base = base();
    Path tuned =
        tuned(
            base,
            decoder -> {
              Random random = new Random(3);
              float[] values = decoder.read(KEY + ".weight");
              for (int i = 0; i < values.length; i++) {
                values[i] += (float) random.nextGaussian();
              }
              decoder.write(KEY + ".weight", values);
            });
    Extraction.Report report =
        Extraction.ofRank(64).adapter(tuned, base, dir.resolve("adapter"), Progress.NONE);
    assertThat(report.modules().get(0).rank()).isEqualTo(8); // two heads of four
    assertThat(report.kept()).isGreaterThan(0.9999);
  }

  @Test
  void normsAreStoredWhole() {
    Path base = base();
    Path tuned =
        tuned(
            base,
            decoder -> {
              add(decoder, KEY, 1, 0.5);
              decoder.write("model.layers.1.input_layernorm.weight", scale(16, 1.5f));
              decoder.write("model.norm.weight", scale(16, 0.7f));
            });
    Path out = dir.resolve("adapter");
    Extraction.Report report = Extraction.ofRank(1).adapter(tuned, base, out, Progress.NONE);
    assertThat(report.whole())
        .containsExactly(
            "model.layers.0.input_layernorm.weight",
            "model.layers.1.input_layernorm.weight",
            "model.norm.weight");
    assertThat(report.kept()).isGreaterThan(0.9999);
  }

  private static float[] scale(int count, float value) {
    float[] values = new float[count];
    java.util.Arrays.fill(values, value);
    return values;
  }

  @Test
  void aTiedEmbeddingIsStoredWithItsHead() {
    Path base = base();
    Path tuned =
        tuned(
            base,
            decoder -> {
              add(decoder, KEY, 1, 0.5);
              float[] embedding = decoder.read("model.embed_tokens.weight");
              embedding[17] += 0.25f;
              decoder.write("model.embed_tokens.weight", embedding);
            });
    Extraction.Report report =
        Extraction.ofRank(1).adapter(tuned, base, dir.resolve("adapter"), Progress.NONE);
    assertThat(report.whole()).containsExactly("lm_head.weight", "model.embed_tokens.weight");
    assertThat(report.kept()).isGreaterThan(0.9999);
  }

  @Test
  void whatAnAdapterCannotHoldIsRefusedByName() {
    Path base = base(SMALL.attentionBias(true).build());
    Path biased =
        tuned(
            base,
            decoder -> {
              add(decoder, KEY, 1, 0.5);
              decoder.write("model.layers.0.self_attn.q_proj.bias", scale(16, 0.1f));
            });
    Path out = dir.resolve("adapter");
    assertThatThrownBy(() -> Extraction.ofRank(1).adapter(biased, base, out, Progress.NONE))
        .hasMessageContaining("[model.layers.0.self_attn.q_proj.bias]");
    assertThatThrownBy(() -> Extraction.ofRank(1).adapter(base, base, out, Progress.NONE))
        .hasMessageContaining("there is nothing to extract");
    Path normed = tuned(base, decoder -> decoder.write("model.norm.weight", scale(16, 0.7f)));
    assertThatThrownBy(() -> Extraction.ofRank(1).adapter(normed, base, out, Progress.NONE))
        .hasMessageContaining("no projection changed, only [model.norm.weight]");
    assertThat(out).doesNotExist();
  }
}
