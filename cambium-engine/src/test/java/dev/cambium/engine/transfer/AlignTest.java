package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Logits;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.text.ModelText;
import dev.cambium.engine.text.Texts;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AlignTest {

  private static final int[][] PROBES = {{3, 9, 27, 81, 40, 11, 5, 60, 33}, {7, 7, 100, 2, 55}};

  @TempDir static Path dir;
  private static List<Row> rows;
  private static Path text;

  @BeforeAll
  static void tokenizer() {
    rows = new ArrayList<>();
    for (String one : Texts.some(60, 4)) {
      rows.add(Row.text("r" + rows.size(), one));
    }
    text = dir.resolve("text");
    ModelInitializer.initialize(
        rows, new ModelInitializer.Shape(1, 16, 2, 1, 16, 300, 64), 1, text);
  }

  private static DecoderConfig.Builder shape() {
    return DecoderConfig.builder()
        .layers(3)
        .hiddenSize(32)
        .heads(4)
        .keyValueHeads(2)
        .intermediateSize(48)
        .vocabularySize(DecoderConfig.read(text).vocabularySize())
        .maxPositions(64);
  }

  private static Decoder loud(DecoderConfig config, long seed) {
    Decoder decoder = Decoder.random(config, seed);
    Disturbed.loud(decoder, seed);
    return decoder;
  }

  private static Path saved(String name, Decoder decoder) throws IOException {
    Path path = dir.resolve(name);
    decoder.save(path, Precision.F32);
    for (Path file : ModelText.files(text)) {
      if (!file.endsWith("token_probes.json")) {
        Files.copy(file, path.resolve(file.getFileName()));
      }
    }
    return path;
  }

  private static LoraAdapter adapter(Decoder base, Recipe.Lora lora, long seed) {
    return adapter(base, lora, seed, 0.2);
  }

  private static LoraAdapter adapter(Decoder base, Recipe.Lora lora, long seed, double size) {
    LoraAdapter adapter = LoraAdapter.fresh(base, LoraConfig.of(lora), seed);
    Random random = new Random(seed);
    adapter
        .shapes()
        .keySet()
        .forEach(
            name -> {
              float[] values = adapter.read(name);
              for (int i = 0; i < values.length && name.contains(".lora_"); i++) {
                values[i] = (float) (size * random.nextGaussian());
              }
              adapter.write(name, values);
            });
    return adapter;
  }

  private static List<float[]> logits(Path model, @Nullable Path adapter) {
    try (Decoder decoder = Decoder.load(model)) {
      @Nullable LoraAdapter lora =
          adapter == null ? null : LoraAdapter.load(adapter, decoder.config());
      try {
        if (lora != null) {
          decoder.attach(lora);
        }
        List<float[]> lines = new ArrayList<>();
        for (int[] row : PROBES) {
          try (Logits logits =
              decoder.logits(new int[][] {row}, new int[][] {Disturbed.identity(row.length)})) {
            for (int i = 0; i < row.length; i++) {
              lines.add(logits.line(i));
            }
          }
        }
        decoder.detach();
        return lines;
      } finally {
        if (lora != null) {
          lora.close();
        }
      }
    }
  }

  private static double furthest(List<float[]> a, List<float[]> b) {
    double most = 0;
    for (int i = 0; i < a.size(); i++) {
      for (int j = 0; j < Math.min(a.get(i).length, b.get(i).length); j++) {
        most = Math.max(most, Math.abs(a.get(i)[j] - (double) b.get(i)[j]));
      }
    }
    return most;
  }

  private static final Recipe.Lora EVERYWHERE = new Recipe.Lora(3, 6, List.of());

  @Test
  void anAdapterOnAPermutedBaseActsAsBefore() throws IOException {
    DecoderConfig config = shape().tiedEmbeddings(false).build();
    try (Decoder old = loud(config, 1);
        Decoder now = Decoder.random(config, 2);
        LoraAdapter lora = adapter(old, EVERYWHERE, 5)) {
      new Permutation(config, 3).copy(old, now);
      Path before = saved("permuted-old", old);
      Path after = saved("permuted-new", now);
      Path learnt = dir.resolve("permuted-adapter");
      lora.save(learnt, Precision.F32);
      Path out = dir.resolve("permuted-out");
      AlignReport report = Align.adapter(before, after, learnt, rows, out, Progress.NONE);
      assertThat(furthest(logits(before, null), logits(after, null))).isLessThan(1e-4);
      assertThat(furthest(logits(before, learnt), logits(before, null))).isGreaterThan(0.5);
      assertThat(furthest(logits(before, learnt), logits(after, out))).isLessThan(1e-4);
      assertThat(furthest(logits(before, learnt), logits(after, learnt)))
          .as("the naive way: the adapter as it is")
          .isGreaterThan(0.5);
      assertThat(report.layers()).containsExactly(0, 1, 2);
      assertThat(report.residual()).isEqualTo("matching");
      assertThat(report.residualExplained()).isCloseTo(1, within(1e-4));
      assertThat(report.unitsExplained()).isCloseTo(1, within(1e-4));
      assertThat(report.energyLost()).isLessThan(1e-6);
    }
  }

  @Test
  void aWholeModelOnAPermutedBaseActsAsBefore() throws IOException {
    for (boolean tied : new boolean[] {true, false}) {
      DecoderConfig config = shape().tiedEmbeddings(tied).attentionBias(!tied).build();
      try (Decoder old = loud(config, 11);
          Decoder tuned = old.copy();
          Decoder now = Decoder.random(config, 12)) {
        Disturbed.nudge(tuned, 13);
        new Permutation(config, 14).copy(old, now);
        Path before = saved("whole-old-" + tied, old);
        Path after = saved("whole-new-" + tied, now);
        Path learnt = saved("whole-tuned-" + tied, tuned);
        Path out = dir.resolve("whole-out-" + tied);
        AlignReport report =
            Align.model(before, after, learnt, rows, out, Precision.F32, Progress.NONE);
        assertThat(furthest(logits(learnt, null), logits(before, null))).isGreaterThan(0.5);
        assertThat(furthest(logits(learnt, null), logits(out, null))).isLessThan(2e-4);
        assertThat(report.energyLost()).isLessThan(1e-6);
      }
    }
  }

  @Test
  void aDeeperBaseThatComputesTheSameGetsTheChangeWhereItsLayersAre() throws IOException {
    DecoderConfig config = shape().build();
    DecoderConfig deeper = shape().layers(5).build();
    int[] places = {0, 2, 3};
    try (Decoder old = loud(config, 21);
        Decoder now = loud(deeper, 22);
        LoraAdapter lora = adapter(old, EVERYWHERE, 25)) {
      for (String name : old.shapes().keySet()) {
        String there = name;
        if (name.startsWith("model.layers.")) {
          String[] parts = name.split("\\.", 4);
          there = "model.layers." + places[Integer.parseInt(parts[2])] + "." + parts[3];
        }
        now.write(there, old.read(name));
      }
      for (int layer : new int[] {1, 4}) { // these write nothing
        for (String module : List.of("self_attn.o_proj", "mlp.down_proj")) {
          String name = "model.layers." + layer + "." + module + ".weight";
          now.write(name, new float[now.read(name).length]);
        }
      }
      Path before = saved("deeper-old", old);
      Path after = saved("deeper-new", now);
      Path learnt = dir.resolve("deeper-adapter");
      lora.save(learnt, Precision.F32);
      Path out = dir.resolve("deeper-out");
      AlignReport report = Align.adapter(before, after, learnt, rows, out, Progress.NONE);
      assertThat(report.layers()).containsExactly(0, 2, 3);
      assertThat(furthest(logits(before, learnt), logits(after, out))).isLessThan(1e-4);
      assertThatThrownBy(
              () ->
                  Align.model(
                      after, before, after, rows, dir.resolve("x"), Precision.F32, Progress.NONE))
          .hasMessageContaining("3 layers, the old one 5");
    }
  }

  /** Twice the channels, the second half silent; a third more units, which write nothing. */
  @Test
  void aWiderBaseThatComputesTheSameGetsTheChange() throws IOException {
    DecoderConfig config = shape().rmsNormEps(1e-12).build();
    DecoderConfig wider =
        shape().rmsNormEps(1e-12).hiddenSize(64).headDim(8).intermediateSize(64).build();
    try (Decoder old = loud(config, 31);
        Decoder now = loud(wider, 32);
        LoraAdapter lora = adapter(old, EVERYWHERE, 35)) {
      Random random = new Random(36);
      for (String name : old.shapes().keySet()) {
        List<Long> from = old.shapes().get(name);
        List<Long> to = now.shapes().get(name);
        int width = from.size() == 1 ? 1 : from.get(1).intValue();
        int newWidth = to.size() == 1 ? 1 : to.get(1).intValue();
        float[] values = old.read(name);
        float[] there = new float[now.read(name).length];
        // What reads silent channels may be anything.
        boolean reads = name.matches(".*(q|k|v|gate|up)_proj.*");
        for (int i = 0; i < there.length && reads; i++) {
          there[i] = (float) (0.3 * random.nextGaussian());
        }
        for (int r = 0; r < values.length / width; r++) {
          for (int c = 0; c < width; c++) {
            // RMSNorm divides by a root that is smaller by √2 there.
            float factor = name.endsWith("norm.weight") ? (float) Math.sqrt(0.5) : 1;
            there[r * newWidth + c] = values[r * width + c] * factor;
          }
        }
        now.write(name, there);
      }
      Path before = saved("wider-old", old);
      Path after = saved("wider-new", now);
      Path learnt = dir.resolve("wider-adapter");
      lora.save(learnt, Precision.F32);
      Path out = dir.resolve("wider-out");
      assertThat(furthest(logits(before, null), logits(after, null))).isLessThan(1e-3);
      AlignReport report = Align.adapter(before, after, learnt, rows, out, Progress.NONE);
      assertThat(furthest(logits(before, learnt), logits(after, out))).isLessThan(1e-3);
      assertThat(report.energyLost()).isLessThan(1e-5);
    }
  }

  /** Norms' scales multiplied into the matrices that read them. */
  @Test
  void foldedNormsAreTakenIntoAccount() throws IOException {
    DecoderConfig config = shape().build();
    try (Decoder old = loud(config, 41);
        Decoder now = old.copy();
        LoraAdapter lora = adapter(old, EVERYWHERE, 45)) {
      for (int l = 0; l < config.layers(); l++) {
        String layer = "model.layers." + l + ".";
        fold(now, layer + "input_layernorm", layer + "self_attn.", "q_proj", "k_proj", "v_proj");
        fold(now, layer + "post_attention_layernorm", layer + "mlp.", "gate_proj", "up_proj");
      }
      Path before = saved("folded-old", old);
      Path after = saved("folded-new", now);
      Path learnt = dir.resolve("folded-adapter");
      lora.save(learnt, Precision.F32);
      Path out = dir.resolve("folded-out");
      Align.adapter(before, after, learnt, rows, out, Progress.NONE);
      assertThat(furthest(logits(before, learnt), logits(after, out))).isLessThan(1e-4);
    }
  }

  private static void fold(Decoder decoder, String norm, String block, String... modules) {
    float[] scales = decoder.read(norm + ".weight");
    for (String module : modules) {
      float[] values = decoder.read(block + module + ".weight");
      for (int i = 0; i < values.length; i++) {
        values[i] *= scales[i % scales.length];
      }
      decoder.write(block + module + ".weight", values);
    }
    float[] ones = new float[scales.length];
    java.util.Arrays.fill(ones, 1);
    decoder.write(norm + ".weight", ones);
  }

  /** The residual stream turned as a whole; norms' scales cannot turn, so they are one. */
  @Test
  void aTurnedResidualStreamIsFoundAsARotation() throws IOException {
    DecoderConfig config = shape().tiedEmbeddings(false).build();
    try (Decoder old = loud(config, 51);
        Decoder now = old.copy();
        LoraAdapter lora = adapter(old, EVERYWHERE, 55)) {
      for (String name : old.shapes().keySet()) {
        if (name.endsWith("norm.weight")) {
          float[] ones = new float[old.read(name).length];
          java.util.Arrays.fill(ones, 1);
          old.write(name, ones);
          now.write(name, ones);
        }
      }
      double[][] turn = orthogonal(config.hiddenSize(), 52);
      for (String name : old.shapes().keySet()) {
        List<Long> shape = old.shapes().get(name);
        if (shape.size() == 2) {
          boolean writes = name.contains("o_proj") || name.contains("down_proj");
          now.write(name, turned(old.read(name), shape, turn, writes));
        }
      }
      Path before = saved("turned-old", old);
      Path after = saved("turned-new", now);
      Path learnt = dir.resolve("turned-adapter");
      lora.save(learnt, Precision.F32);
      Path out = dir.resolve("turned-out");
      assertThat(furthest(logits(before, null), logits(after, null))).isLessThan(1e-3);
      AlignReport report = Align.adapter(before, after, learnt, rows, out, Progress.NONE);
      assertThat(report.residual()).doesNotContain("matching");
      assertThat(report.residualExplained()).isGreaterThan(0.999);
      double moved = furthest(logits(before, learnt), logits(before, null));
      assertThat(furthest(logits(before, learnt), logits(after, out))).isLessThan(0.02 * moved);
    }
  }

  private static double[][] orthogonal(int size, long seed) {
    Random random = new Random(seed);
    double[][] rows = new double[size][size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        rows[i][j] = random.nextGaussian();
      }
      for (int twice = 0; twice < 2; twice++) {
        for (int k = 0; k < i; k++) {
          double product = 0;
          for (int j = 0; j < size; j++) {
            product += rows[i][j] * rows[k][j];
          }
          for (int j = 0; j < size; j++) {
            rows[i][j] -= product * rows[k][j];
          }
        }
      }
      double length = Math.sqrt(java.util.Arrays.stream(rows[i]).map(v -> v * v).sum());
      for (int j = 0; j < size; j++) {
        rows[i][j] /= length;
      }
    }
    return rows;
  }

  /** Q · W for what writes to the stream, W · Qᵀ for what reads it. */
  private static float[] turned(float[] w, List<Long> shape, double[][] q, boolean writes) {
    int height = shape.get(0).intValue();
    int width = shape.get(1).intValue();
    float[] result = new float[w.length];
    for (int r = 0; r < height; r++) {
      for (int c = 0; c < width; c++) {
        double sum = 0;
        for (int k = 0; k < q.length; k++) {
          sum += writes ? q[r][k] * w[k * width + c] : w[r * width + k] * q[c][k];
        }
        result[r * width + c] = (float) sum;
      }
    }
    return result;
  }

  @Test
  void lengthsOfRowsGoWithTheirRows() throws IOException {
    DecoderConfig config = shape().build();
    Recipe.Lora dora =
        new Recipe.Lora(
            4,
            8,
            List.of("q_proj", "down_proj"),
            false,
            true,
            new TreeMap<>(),
            new TreeMap<>(),
            List.of());
    try (Decoder old = loud(config, 61);
        Decoder now = Decoder.random(config, 62);
        LoraAdapter lora = adapter(old, dora, 65)) {
      new Permutation(config, 63).copy(old, now);
      Path before = saved("dora-old", old);
      Path after = saved("dora-new", now);
      Path learnt = dir.resolve("dora-adapter");
      lora.save(learnt, Precision.F32);
      Path out = dir.resolve("dora-out");
      AlignReport report = Align.adapter(before, after, learnt, rows, out, Progress.NONE);
      assertThat(report.energyLost()).isLessThan(1e-6);
      assertThat(furthest(logits(before, learnt), logits(before, null))).isGreaterThan(0.5);
      assertThat(furthest(logits(before, learnt), logits(after, out))).isLessThan(1e-4);
      try (LoraAdapter same = LoraAdapter.load(out, config)) {
        assertThat(same.isShapedAs(LoraConfig.of(dora))).as("a recipe can go on from it").isTrue();
      }
    }
  }

  /** A model as training on leaves it: every weight a tenth from where it was. */
  private static void shaken(Decoder from, Decoder to) {
    Random random = new Random(5);
    for (String name : from.shapes().keySet()) {
      float[] values = from.read(name);
      for (int i = 0; i < values.length; i++) {
        values[i] *= 1 + 0.1f * (float) random.nextGaussian();
      }
      to.write(name, values);
    }
  }

  @Test
  void saysWhyItCannotBeDone() throws IOException {
    DecoderConfig config = shape().build();
    Recipe.Lora stores =
        new Recipe.Lora(
            2,
            4,
            List.of("q_proj"),
            false,
            false,
            new TreeMap<>(),
            new TreeMap<>(),
            List.of("norm"));
    try (Decoder old = loud(config, 71);
        Decoder moved = Decoder.random(config, 72);
        Decoder untied = loud(shape().tiedEmbeddings(false).build(), 73);
        LoraAdapter lora = adapter(old, EVERYWHERE, 75);
        LoraAdapter whole = adapter(old, stores, 76)) {
      new Permutation(config, 77).copy(old, moved);
      Path before = saved("refused-old", old);
      Path after = saved("refused-new", moved);
      Path loose = saved("refused-untied", untied);
      Path learnt = dir.resolve("refused-adapter");
      lora.save(learnt, Precision.F32);
      Path storing = dir.resolve("refused-storing");
      whole.save(storing, Precision.F32);
      Path out = dir.resolve("refused-out");
      assertThatThrownBy(
              () -> Align.adapter(before, after, learnt, rows.subList(0, 2), out, Progress.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("calibration text too short");
      assertThatThrownBy(() -> Align.adapter(before, before, learnt, rows, out, Progress.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("nothing to align");
      shaken(old, moved);
      Path trainedOn = saved("refused-trained-on", moved);
      assertThatThrownBy(
              () ->
                  Align.adapter(before, trainedOn, learnt, rows.subList(0, 2), out, Progress.NONE))
          .as("no text is needed to see it")
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("nothing to align")
          .hasMessageContaining("by their weights");
      assertThatThrownBy(() -> Align.adapter(before, after, storing, rows, out, Progress.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("whole");
      assertThatThrownBy(
              () -> Align.model(loose, after, loose, rows, out, Precision.F32, Progress.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("ties its head");
      Path other = dir.resolve("refused-text");
      List<Row> strange = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        strange.add(Row.text("s" + i, "qwx zzy jkv qwx vvk " + i));
      }
      ModelInitializer.initialize(
          strange, new ModelInitializer.Shape(3, 32, 4, 2, 48, 300, 64), 1, other);
      assertThatThrownBy(() -> Align.adapter(before, other, learnt, rows, out, Progress.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cut only");
      assertThat(out).doesNotExist();
    }
  }
}
