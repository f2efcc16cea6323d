package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.PassObserver;
import dev.cambium.engine.decoder.Trainable;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Telemetry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Telemetry against scalar oracles; and training with it gives the bytes that it gives without. */
class GaugeTest {

  @TempDir Path folder;

  private static final DataMix MIX = DataMix.of(Small.rows(60));
  private static final Recipe.Lora SHAPE = new Recipe.Lora(3, 6, List.of("q_proj", "down_proj"));

  @BeforeAll
  static void natives() {
    Backend.instance();
  }

  private static double[][] random(int rows, int columns, int seed) {
    Random random = new Random(seed);
    double[][] matrix = new double[rows][columns];
    for (double[] row : matrix) {
      for (int j = 0; j < columns; j++) {
        row[j] = (float) (random.nextGaussian() * (j + 1)); // values well apart
      }
    }
    return matrix;
  }

  private static double[][] product(double[][] a, double[][] b) {
    double[][] c = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int k = 0; k < b.length; k++) {
        for (int j = 0; j < b[0].length; j++) {
          c[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }

  private static double[][] matrix(float[] values, long columns) {
    int width = (int) columns;
    double[][] matrix = new double[values.length / width][width];
    for (int i = 0; i < values.length; i++) {
      matrix[i / width][i % width] = values[i];
    }
    return matrix;
  }

  private static Tensor tensor(double[][] matrix) {
    float[] flat = new float[matrix.length * matrix[0].length];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (float) matrix[i / matrix[0].length][i % matrix[0].length];
    }
    return Natives.floats(flat, matrix.length, matrix[0].length);
  }

  // ---- singular values ----

  @ParameterizedTest
  @CsvSource({"5, 9", "9, 5", "7, 7", "1, 6", "6, 1"})
  void ranksAreThoseOfAScalarDecomposition(int rows, int columns) {
    double[][] matrix = random(rows, columns, 4);
    ScalarSvd expected = new ScalarSvd(matrix);
    try (PointerScope scope = new PointerScope()) {
      SingularValues found = SingularValues.of(tensor(matrix));
      assertThat(found.norm()).isCloseTo(expected.norm(), within(1e-6 * expected.norm()));
      Telemetry.Ranks ranks = found.ranks();
      assertThat(ranks.effective()).isCloseTo(expected.effectiveRank(), within(1e-6));
      assertThat(ranks.stable()).isCloseTo(expected.stableRank(), within(1e-6));
      assertThat(ranks.full()).isEqualTo(Math.min(rows, columns));
    }
  }

  @Test
  void ranksOfMatricesThatOneKnows() {
    double[][] identity = new double[6][6];
    for (int i = 0; i < 6; i++) {
      identity[i][i] = 3;
    }
    double[][] one = product(random(6, 1, 1), random(1, 4, 2));
    try (PointerScope scope = new PointerScope()) {
      assertThat(SingularValues.of(tensor(identity)).ranks().effective())
          .isCloseTo(6, within(1e-9));
      assertThat(SingularValues.of(tensor(identity)).ranks().stable()).isCloseTo(6, within(1e-9));
      assertThat(SingularValues.of(tensor(one)).ranks().effective()).isCloseTo(1, within(1e-3));
      assertThat(SingularValues.of(tensor(one)).ranks().stable()).isCloseTo(1, within(1e-6));
      assertThat(SingularValues.of(tensor(new double[3][5])).ranks())
          .isEqualTo(new Telemetry.Ranks(0, 0, 3));
    }
  }

  @ParameterizedTest
  @CsvSource({"6, 10", "10, 6"})
  void directionsAreTheRightSingularVectors(int rows, int columns) {
    double[][] matrix = random(rows, columns, 8);
    ScalarSvd expected = new ScalarSvd(matrix);
    try (PointerScope scope = new PointerScope()) {
      SingularValues.Parts parts = SingularValues.parts(tensor(matrix), 4, 1e-4);
      assertThat(parts.count()).isEqualTo(4);
      for (int k = 0; k < 4; k++) {
        double cosine = 0;
        for (int j = 0; j < columns; j++) {
          cosine += parts.right()[k * columns + j] * expected.right[k][j];
        }
        assertThat(Math.abs(cosine)).as("direction " + k).isCloseTo(1, within(1e-5));
      }
    }
  }

  @Test
  void directionsOfRoundingAreLeftOut() {
    double[][] two = product(random(7, 2, 1), random(2, 9, 2));
    try (PointerScope scope = new PointerScope()) {
      assertThat(SingularValues.parts(tensor(two), 8, 1e-4).count()).isEqualTo(2);
      assertThat(SingularValues.parts(tensor(new double[4][4]), 8, 1e-4).count()).isZero();
    }
  }

  // ---- what updates have in common ----

  private static UpdateSubspace span(int columns, double[]... vectors) {
    float[] values = new float[vectors.length * columns];
    for (int i = 0; i < vectors.length; i++) {
      for (int j = 0; j < columns; j++) {
        values[i * columns + j] = (float) vectors[i][j];
      }
    }
    return new UpdateSubspace(
        Map.of("m", new UpdateSubspace.Basis(vectors.length, columns, values)));
  }

  private static double[] unit(int... coordinates) {
    double[] vector = new double[5];
    for (int coordinate : coordinates) {
      vector[coordinate] = 1 / Math.sqrt(coordinates.length);
    }
    return vector;
  }

  private static double shared(UpdateSubspace one, UpdateSubspace two) {
    return one.overlap(two).orElseThrow().shared();
  }

  @Test
  void overlapIsTheMeanSquaredCosineOfThePrincipalAngles() {
    UpdateSubspace plane = span(5, unit(0), unit(1));
    assertThat(shared(plane, span(5, unit(2), unit(3)))).isZero();
    assertThat(shared(plane, span(5, unit(1), unit(0)))).isCloseTo(1, within(1e-6));
    assertThat(shared(plane, span(5, unit(1)))).as("one holds the other").isEqualTo(1);
    // Principal angles 0 and 45 degrees.
    assertThat(shared(plane, span(5, unit(0), unit(1, 2)))).isCloseTo(0.75, within(1e-6));
    UpdateSubspace.Overlap overlap = plane.overlap(span(5, unit(4))).orElseThrow();
    assertThat(overlap.chance()).isEqualTo(2.0 / 5);
    assertThat(overlap.matrices()).isEqualTo(1);
    assertThat(plane.overlap(new UpdateSubspace(Map.of()))).isEmpty();
    assertThat(plane.overlap(span(4, new double[] {1, 0, 0, 0}))).as("another shape").isEmpty();
  }

  @Test
  void aSubspaceSurvivesItsFile() {
    UpdateSubspace plane = span(5, unit(0, 3), unit(1));
    plane.write(folder.resolve("s.safetensors"));
    UpdateSubspace read = UpdateSubspace.read(folder.resolve("s.safetensors"));
    assertThat(read.bases().get("m").values()).isEqualTo(plane.bases().get("m").values());
    assertThat(shared(read, plane)).isCloseTo(1, within(1e-6));
    Path empty = folder.resolve("empty.safetensors");
    new UpdateSubspace(Map.of()).write(empty);
    assertThat(UpdateSubspace.read(empty).bases()).isEmpty();
  }

  // ---- whole trainings ----

  private static TrainingReport train(Decoder decoder, Recipe recipe, boolean telemetry) {
    return Trainer.builder(recipe).seed(3).telemetry(telemetry).build().train(decoder, MIX);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void weightsAreTheSameBytesWithAndWithout(boolean guarded) {
    Protection protect =
        Protection.NONE
            .withKl(0.3)
            .withL2Init(0.1)
            .withSpectral(0.1)
            .withInterpolate(0.7)
            .withResetDormant(new Protection.ResetDormant(4, 0.5))
            .withShrinkPerturb(new Protection.ShrinkPerturb(0.9, 0.1));
    Recipe recipe = Small.recipe(60, 8, 2).withProtection(guarded ? protect : null);
    try (Decoder with = Small.decoder();
        Decoder without = Small.decoder()) {
      TrainingReport taken = train(with, recipe, true);
      TrainingReport plain = train(without, recipe, false);
      assertThat(taken.losses()).isEqualTo(plain.losses());
      assertThat(taken.gradientNorms()).isEqualTo(plain.gradientNorms());
      for (String name : with.shapes().keySet()) {
        assertThat(with.read(name)).as(name).isEqualTo(without.read(name));
      }
      assertThat(plain.telemetry()).isNull();
      assertThat(plain.subspace()).isNull();
      assertThat(taken.telemetry().points())
          .extracting(Telemetry.Point::step)
          .containsExactly(0, 30, 60);
    }
  }

  @Test
  void adaptersAreTheSameBytesWithAndWithout() {
    Recipe recipe = Small.lora(12, SHAPE);
    try (Decoder decoder = Small.decoder();
        LoraAdapter with = LoraAdapter.random(decoder.config(), LoraConfig.of(SHAPE), 1);
        LoraAdapter without = with.copy()) {
      Trainer.builder(recipe).build().train(decoder, with, MIX);
      Trainer.builder(recipe).telemetry(false).build().train(decoder, without, MIX);
      for (String name : with.shapes().keySet()) {
        assertThat(with.read(name)).as(name).isEqualTo(without.read(name));
      }
    }
  }

  @Test
  void numbersOfATrainingAreThoseOfTheirDefinitions() {
    try (Decoder start = Small.decoder();
        Decoder decoder = Small.decoder()) {
      TrainingReport report = train(decoder, Small.recipe(20, 8, 1), true);
      Telemetry telemetry = report.telemetry();
      assertThat(telemetry.matrices()).hasSize(2 * 7);
      assertThat(telemetry.points()).extracting(Telemetry.Point::step).containsExactly(0, 20);
      assertWeights(telemetry.points().get(0), telemetry.matrices(), start::read, start);
      assertWeights(telemetry.points().get(1), telemetry.matrices(), decoder::read, start);
      assertFeatures(telemetry.points().get(0), start, telemetry.tokens());
      assertFeatures(telemetry.points().get(1), decoder, telemetry.tokens());
      assertThat(telemetry.points().get(0).gradientNorm()).isEqualTo(report.gradientNorms()[0]);
      double sum = 0;
      for (float norm : report.gradientNorms()) {
        sum += norm;
      }
      assertThat(telemetry.points().get(1).gradientNorm()).isCloseTo(sum / 20, within(1e-9));
      assertUpdate(telemetry, report.subspace(), start::read, decoder::read, start);
      assertThat(telemetry.normGrowth())
          .isEqualTo(
              telemetry.points().get(1).weightNorm() / telemetry.points().get(0).weightNorm());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anAdaptersUpdateCountsAsPartOfTheWeights(boolean dora) {
    Recipe.Lora shape =
        new Recipe.Lora(
            3,
            6,
            List.of("q_proj", "down_proj"),
            false,
            dora,
            Collections.emptySortedMap(),
            Collections.emptySortedMap(),
            List.of());
    try (Decoder decoder = Small.decoder();
        LoraAdapter before = LoraAdapter.fresh(decoder, LoraConfig.of(shape), 1);
        LoraAdapter adapter = LoraAdapter.fresh(decoder, LoraConfig.of(shape), 1)) {
      TrainingReport report =
          Trainer.builder(Small.lora(10, shape)).build().train(decoder, adapter, MIX);
      Telemetry telemetry = report.telemetry();
      Matrices was = name -> acting(decoder, before, name, dora);
      Matrices is = name -> acting(decoder, adapter, name, dora);
      assertWeights(telemetry.points().get(0), telemetry.matrices(), was, decoder);
      assertWeights(telemetry.points().get(1), telemetry.matrices(), is, decoder);
      assertUpdate(telemetry, report.subspace(), was, is, decoder);
      assertThat(report.subspace().bases().keySet())
          .as("only what the adapter targets has changed")
          .containsExactly(
              "model.layers.0.mlp.down_proj.weight",
              "model.layers.0.self_attn.q_proj.weight",
              "model.layers.1.mlp.down_proj.weight",
              "model.layers.1.self_attn.q_proj.weight");
      if (!dora) {
        assertThat(report.subspace().bases().values())
            .allMatch(basis -> basis.count() == shape.rank());
      }
    }
  }

  private interface Matrices {
    float[] read(String name);
  }

  /** W + scale · B·A, with DoRA every row at its own length. */
  private static float[] acting(Decoder decoder, LoraAdapter lora, String name, boolean dora) {
    float[] own = decoder.read(name);
    String module = "base_model.model." + name.substring(0, name.length() - ".weight".length());
    if (!lora.shapes().containsKey(module + ".lora_A.weight")) {
      return own;
    }
    int rows = decoder.shapes().get(name).get(0).intValue();
    int columns = own.length / rows;
    double[][] b = matrix(lora.read(module + ".lora_B.weight"), 3);
    double[][] update = product(b, matrix(lora.read(module + ".lora_A.weight"), columns));
    float[] result = new float[own.length];
    float[] lengths = dora ? lora.read(module + ".lora_magnitude_vector") : new float[0];
    for (int i = 0; i < rows; i++) {
      double square = 0;
      double[] row = new double[columns];
      for (int j = 0; j < columns; j++) {
        row[j] = own[i * columns + j] + 2 * update[i][j];
        square += row[j] * row[j];
      }
      for (int j = 0; j < columns; j++) {
        result[i * columns + j] = (float) (dora ? row[j] * lengths[i] / Math.sqrt(square) : row[j]);
      }
    }
    return result;
  }

  private static void assertWeights(
      Telemetry.Point point, List<String> names, Matrices weights, Decoder shapes) {
    double effective = 0;
    double stable = 0;
    double squares = 0;
    for (String name : names) {
      ScalarSvd svd = new ScalarSvd(matrix(weights.read(name), shapes.shapes().get(name).get(1)));
      effective += svd.effectiveRank() / names.size();
      stable += svd.stableRank() / names.size();
      squares += svd.norm() * svd.norm();
    }
    assertThat(point.weights().effective()).isCloseTo(effective, within(1e-4));
    assertThat(point.weights().stable()).isCloseTo(stable, within(1e-4));
    assertThat(point.weightNorm()).isCloseTo(Math.sqrt(squares), within(1e-5));
  }

  /** From the activations themselves, which the test hears as the gauge does. */
  private static void assertFeatures(Telemetry.Point point, Decoder decoder, int tokens) {
    int[][] rows = Gauge.rows(MIX, 3);
    assertThat(java.util.Arrays.stream(rows).mapToInt(r -> r.length).sum())
        .isEqualTo(tokens)
        .isEqualTo(256);
    List<double[][]> units = new ArrayList<>();
    List<double[][]> states = new ArrayList<>();
    try (Trainable trainable = Trainable.of(decoder)) {
      trainable.listen(
          rows,
          new PassObserver() {
            @Override
            public void units(int layer, Tensor activations) {
              units.add(read(activations));
            }

            @Override
            public void states(Tensor values) {
              states.add(read(values));
            }
          });
    }
    ScalarSvd svd = new ScalarSvd(states.get(0));
    assertThat(point.features().effective()).isCloseTo(svd.effectiveRank(), within(1e-3));
    assertThat(point.features().stable()).isCloseTo(svd.stableRank(), within(1e-3));
    int dormant = 0;
    int all = 0;
    for (double[][] layer : units) {
      double[] mean = new double[layer[0].length];
      double total = 0;
      for (double[] token : layer) {
        for (int u = 0; u < mean.length; u++) {
          mean[u] += Math.abs(token[u]) / layer.length;
          total += Math.abs(token[u]) / layer.length / mean.length;
        }
      }
      for (double one : mean) {
        dormant += one / total <= 0.025 ? 1 : 0;
        all++;
      }
    }
    assertThat(point.dormant()).isEqualTo((double) dormant / all);
  }

  private static double[][] read(Tensor tensor) {
    Tensor whole = tensor.contiguous();
    return matrix(Natives.read(whole, 0, (int) whole.numel()), whole.size(1));
  }

  private static void assertUpdate(
      Telemetry telemetry, UpdateSubspace subspace, Matrices was, Matrices is, Decoder shapes) {
    double changed = 0;
    double before = 0;
    double effective = 0;
    double stable = 0;
    for (String name : telemetry.matrices()) {
      long columns = shapes.shapes().get(name).get(1);
      double[][] old = matrix(was.read(name), columns);
      double[][] delta = matrix(is.read(name), columns);
      for (int i = 0; i < old.length; i++) {
        for (int j = 0; j < columns; j++) {
          delta[i][j] -= old[i][j];
          before += old[i][j] * old[i][j];
        }
      }
      ScalarSvd svd = new ScalarSvd(delta);
      if (svd.norm() < 1e-9) {
        assertThat(subspace.bases()).doesNotContainKey(name);
        continue;
      }
      changed += svd.norm() * svd.norm();
      effective += svd.effectiveRank();
      stable += svd.stableRank();
      UpdateSubspace.Basis basis = subspace.bases().get(name);
      double[][] top = new double[basis.count()][];
      System.arraycopy(svd.right, 0, top, 0, top.length);
      UpdateSubspace oracle = span((int) columns, top);
      UpdateSubspace found = new UpdateSubspace(Map.of("m", basis));
      assertThat(shared(found, oracle)).as(name).isCloseTo(1, within(2e-2));
    }
    Telemetry.Update update = telemetry.update();
    assertThat(update.relativeNorm()).isCloseTo(Math.sqrt(changed / before), within(1e-5));
    assertThat(update.ranks().effective())
        .isCloseTo(effective / telemetry.matrices().size(), within(0.02));
    assertThat(update.ranks().stable())
        .isCloseTo(stable / telemetry.matrices().size(), within(0.01));
  }

  @Test
  void aResumedRunHasTheSameTelemetry() {
    Recipe recipe = Small.recipe(60, 8, 1);
    Progress crash =
        (task, done, total, note) -> {
          if (done == 47) {
            throw new IllegalStateException("power cut");
          }
        };
    try (Decoder whole = Small.decoder();
        Decoder broken = Small.decoder();
        Decoder resumed = Small.decoder()) {
      Telemetry expected = train(whole, recipe, true).telemetry();
      Trainer.Builder builder = Trainer.builder(recipe).seed(3).snapshots(folder, 10);
      assertThatThrownBy(() -> builder.progress("t", crash).build().train(broken, MIX))
          .hasMessage("power cut");
      TrainingReport report = builder.progress("t", Progress.NONE).build().train(resumed, MIX);
      assertThat(report.resumedFrom()).isEqualTo(40);
      assertThat(report.telemetry()).isEqualTo(expected);
    }
  }

  @Test
  void oneRowAgainAndAgainHasNumbersToo() {
    List<TokenRow> same = Collections.nCopies(5, TokenRow.all(3, 4, 5));
    for (List<TokenRow> rows : List.of(same, same.subList(0, 1))) {
      try (Decoder decoder = Small.decoder()) {
        Telemetry telemetry =
            Trainer.builder(Small.recipe(1, 2, 1))
                .build()
                .train(decoder, DataMix.of(rows))
                .telemetry();
        assertThat(telemetry.points()).hasSize(2);
        for (Telemetry.Point point : telemetry.points()) {
          assertThat(point.features().effective()).isBetween(1.0, 2.001); // two tokens are read
          assertThat(point.gradientNorm()).isPositive();
        }
        assertThat(telemetry.update().relativeNorm()).isPositive();
      }
    }
  }

  @Test
  void ofALargeModelASampleIsMeasured() {
    SortedMap<String, List<Long>> shapes = new TreeMap<>();
    for (int layer = 0; layer < 30; layer++) {
      String prefix = "model.layers." + layer + ".";
      for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
        shapes.put(prefix + "self_attn." + name + ".weight", List.of(576L, 576L));
      }
      for (String name : List.of("gate_proj", "up_proj")) {
        shapes.put(prefix + "mlp." + name + ".weight", List.of(1536L, 576L));
      }
      shapes.put(prefix + "mlp.down_proj.weight", List.of(576L, 1536L));
    }
    List<String> sample = Gauge.sample(shapes, 30);
    assertThat(sample).hasSize(7).doesNotHaveDuplicates();
    assertThat(sample.stream().map(n -> n.replaceAll("\\d+", "")).distinct()).hasSize(7);
    assertThat(sample.stream().map(n -> n.split("\\.")[2]).distinct()).hasSize(7);
    assertThat(shapes.keySet()).containsAll(sample);
    SortedMap<String, List<Long>> small = new TreeMap<>();
    shapes.keySet().forEach(name -> small.put(name, List.of(64L, 64L)));
    assertThat(Gauge.sample(small, 30)).containsExactlyElementsOf(small.keySet());
  }
}
