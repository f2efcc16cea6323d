package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.PassObserver;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.text.ModelText;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.model.Json;
import dev.cambium.model.MergeMethod;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegMeanTest {

  private static final String QUERY = "model.layers.0.self_attn.q_proj.weight";

  @TempDir static Path shared;
  @TempDir Path dir;

  private static Path first;
  private static Path second;
  private static Path cards;
  private static Path loans;

  private static List<Row> rows(String subject) {
    List<Row> rows = new ArrayList<>();
    for (String what : List.of("is lost", "was stolen", "is blocked", "expired", "is new")) {
      for (String start : List.of("my ", "help, my ", "please, my ")) {
        rows.add(Row.text("r" + rows.size(), start + subject + " " + what));
      }
    }
    return rows;
  }

  private static Path write(String name, List<Row> rows) throws IOException {
    StringBuilder lines = new StringBuilder();
    rows.forEach(
        r -> lines.append(new String(Json.canonical(r), StandardCharsets.UTF_8)).append('\n'));
    return Files.writeString(shared.resolve(name), lines);
  }

  @BeforeAll
  static void models() throws IOException {
    cards = write("cards.jsonl", rows("card"));
    loans = write("loans.jsonl", rows("loan"));
    List<Row> all = new ArrayList<>(rows("card"));
    all.addAll(rows("loan"));
    first = shared.resolve("first");
    ModelInitializer.initialize(
        all, new ModelInitializer.Shape(2, 16, 2, 1, 24, 300, 64), 1, first);
    second = shared.resolve("second");
    Random random = new Random(4);
    try (Decoder decoder = Decoder.load(first)) {
      for (String name : decoder.shapes().keySet()) {
        float[] values = decoder.read(name);
        for (int i = 0; i < values.length; i++) {
          values[i] += (float) (0.05 * random.nextGaussian());
        }
        decoder.write(name, values);
      }
      decoder.save(second, Precision.F32);
    }
    for (Path text : ModelText.files(first)) {
      Files.copy(text, second.resolve(text.getFileName()));
    }
  }

  private Path merge(MergeMethod.RegMean method) {
    Path out = dir.resolve("out-" + method.offDiagonal());
    Merge.by(method)
        .texts(List.of(List.of(cards), List.of(loans)))
        .into(out, List.of(first, second));
    return out;
  }

  private static int[][] tokens(Path model, Path file) throws IOException {
    try (RowEncoder encoder = RowEncoder.load(model)) {
      return dev.cambium.engine.RowFile.read(file).stream()
          .map(row -> encoder.row(row, 64).ids())
          .toArray(int[][]::new);
    }
  }

  /** Mean over tokens of x·xᵀ, off the diagonal times a factor, by loops. */
  private static double[][] gram(List<float[]> inputs, double offDiagonal) {
    int width = inputs.get(0).length;
    double[][] gram = new double[width][width];
    for (float[] x : inputs) {
      for (int i = 0; i < width; i++) {
        for (int j = 0; j < width; j++) {
          gram[i][j] += (i == j ? 1 : offDiagonal) * x[i] * x[j] / inputs.size();
        }
      }
    }
    return gram;
  }

  /** By Gauss and Jordan's elimination with pivots. */
  private static double[] solve(double[][] matrix, double[] right) {
    int n = right.length;
    double[][] a = new double[n][n + 1];
    for (int i = 0; i < n; i++) {
      System.arraycopy(matrix[i], 0, a[i], 0, n);
      a[i][n] = right[i];
    }
    for (int c = 0; c < n; c++) {
      int pivot = c;
      for (int r = c + 1; r < n; r++) {
        pivot = Math.abs(a[r][c]) > Math.abs(a[pivot][c]) ? r : pivot;
      }
      double[] swap = a[c];
      a[c] = a[pivot];
      a[pivot] = swap;
      for (int r = 0; r < n; r++) {
        if (r != c) {
          double factor = a[r][c] / a[c][c];
          for (int k = c; k <= n; k++) {
            a[r][k] -= factor * a[c][k];
          }
        }
      }
    }
    double[] solution = new double[n];
    for (int i = 0; i < n; i++) {
      solution[i] = a[i][n] / a[i][i];
    }
    return solution;
  }

  /** The formula of the paper for one matrix, row by row. */
  private static double[] merged(
      List<double[][]> grams, List<float[]> matrices, List<Double> weights) {
    int width = grams.get(0).length;
    int outputs = matrices.get(0).length / width;
    double[][] left = new double[width][width];
    double trace = 0;
    for (int i = 0; i < width; i++) {
      for (int j = 0; j < width; j++) {
        for (int m = 0; m < grams.size(); m++) {
          left[i][j] += weights.get(m) * grams.get(m)[i][j];
        }
      }
      trace += left[i][i];
    }
    double ridge = 1e-6 * trace / width;
    double all = weights.stream().mapToDouble(Double::doubleValue).sum();
    double[] result = new double[outputs * width];
    for (int o = 0; o < outputs; o++) {
      double[] right = new double[width];
      for (int i = 0; i < width; i++) {
        for (int m = 0; m < grams.size(); m++) {
          right[i] += ridge * weights.get(m) / all * matrices.get(m)[o * width + i];
          for (int j = 0; j < width; j++) {
            right[i] += weights.get(m) * grams.get(m)[i][j] * matrices.get(m)[o * width + j];
          }
        }
      }
      double[][] system = new double[width][];
      for (int i = 0; i < width; i++) {
        system[i] = left[i].clone();
        system[i][i] += ridge;
      }
      System.arraycopy(solve(system, right), 0, result, o * width, width);
    }
    return result;
  }

  /** What goes into layer 0's projections, by the definition: the scaled, normed embedding. */
  private static List<float[]> normedEmbeddings(Decoder decoder, int[][] rows) {
    float[] embedding = decoder.read("model.embed_tokens.weight");
    float[] scale = decoder.read("model.layers.0.input_layernorm.weight");
    List<float[]> inputs = new ArrayList<>();
    for (int[] row : rows) {
      for (int id : row) {
        double squares = 0;
        for (int i = 0; i < scale.length; i++) {
          double value = embedding[id * scale.length + i];
          squares += value * value;
        }
        double length = Math.sqrt(squares / scale.length + decoder.config().rmsNormEps());
        float[] x = new float[scale.length];
        for (int i = 0; i < x.length; i++) {
          x[i] = (float) (embedding[id * x.length + i] / length * scale[i]);
        }
        inputs.add(x);
      }
    }
    return inputs;
  }

  @Test
  void theFirstLayersMatrixIsThePapersFormula() throws IOException {
    MergeMethod.RegMean method = new MergeMethod.RegMean(List.of(1.0, 2.0), 0.9, 100_000);
    try (Decoder a = Decoder.load(first);
        Decoder b = Decoder.load(second);
        Decoder found = Decoder.load(merge(method))) {
      List<double[][]> grams =
          List.of(
              gram(normedEmbeddings(a, tokens(first, cards)), 0.9),
              gram(normedEmbeddings(b, tokens(second, loans)), 0.9));
      double[] expected = merged(grams, List.of(a.read(QUERY), b.read(QUERY)), method.weights());
      float[] query = found.read(QUERY);
      for (int i = 0; i < query.length; i++) {
        assertThat((double) query[i]).isCloseTo(expected[i], within(2e-6));
      }
      float[] norm = found.read("model.norm.weight");
      for (int i = 0; i < norm.length; i++) {
        float mean =
            (float)
                (1 / 3.0 * a.read("model.norm.weight")[i]
                    + 2 / 3.0 * b.read("model.norm.weight")[i]);
        assertThat(norm[i]).isCloseTo(mean, within(1e-7f));
      }
    }
  }

  /** Inputs of all modules, told by a pass. */
  private static Map<String, List<float[]>> inputs(Decoder decoder, int[][] rows) {
    Map<String, List<float[]>> inputs = new TreeMap<>();
    decoder.observe(
        new PassObserver() {
          @Override
          public boolean hearsInputs() {
            return true;
          }

          @Override
          public void inputs(int layer, List<String> modules, Tensor tensor) {
            int width = (int) tensor.size(1);
            float[] all =
                dev.cambium.engine.backend.Natives.read(
                    tensor.contiguous(), 0, (int) tensor.numel());
            for (String module : modules) {
              List<float[]> own = inputs.computeIfAbsent(module, m -> new ArrayList<>());
              for (int t = 0; t < tensor.size(0); t++) {
                own.add(java.util.Arrays.copyOfRange(all, t * width, (t + 1) * width));
              }
            }
          }

          @Override
          public void units(int layer, Tensor activations) {}

          @Override
          public void states(Tensor states) {}
        });
    for (int[] row : rows) {
      decoder.logits(new int[][] {row}, new int[][] {{0}}).close();
    }
    decoder.observe(null);
    return inputs;
  }

  @Test
  void everyProjectionIsThePapersFormulaOnWhatGoesIntoIt() throws IOException {
    MergeMethod.RegMean method = new MergeMethod.RegMean(List.of(1.0, 1.0), 0.5, 100_000);
    try (Decoder a = Decoder.load(first);
        Decoder b = Decoder.load(second);
        Decoder found = Decoder.load(merge(method))) {
      Map<String, List<float[]>> ofA = inputs(a, tokens(first, cards));
      Map<String, List<float[]>> ofB = inputs(b, tokens(second, loans));
      assertThat(ofA).hasSize(14); // seven projections in two layers
      ofA.forEach(
          (module, inputs) -> {
            String weight = module + ".weight";
            double[] expected =
                merged(
                    List.of(gram(inputs, 0.5), gram(ofB.get(module), 0.5)),
                    List.of(a.read(weight), b.read(weight)),
                    method.weights());
            float[] merged = found.read(weight);
            for (int i = 0; i < merged.length; i++) {
              assertThat((double) merged[i]).as(weight).isCloseTo(expected[i], within(1e-5));
            }
          });
    }
  }

  @Test
  void withoutWhatInputsShareEachColumnIsAMeanByItsPower() throws IOException {
    MergeMethod.RegMean method = new MergeMethod.RegMean(List.of(1.0, 1.0), 0, 100_000);
    try (Decoder a = Decoder.load(first);
        Decoder b = Decoder.load(second);
        Decoder found = Decoder.load(merge(method))) {
      double[][] ofA = gram(normedEmbeddings(a, tokens(first, cards)), 0);
      double[][] ofB = gram(normedEmbeddings(b, tokens(second, loans)), 0);
      float[] merged = found.read(QUERY);
      for (int i = 0; i < merged.length; i++) {
        int column = i % ofA.length;
        double one = ofA[column][column];
        double other = ofB[column][column];
        double expected = (one * a.read(QUERY)[i] + other * b.read(QUERY)[i]) / (one + other);
        assertThat((double) merged[i]).isCloseTo(expected, within(1e-6));
      }
    }
  }

  @Test
  void theSameModelTwiceIsThatModel() {
    Path out = dir.resolve("out");
    Merge.by(new MergeMethod.RegMean(List.of(1.0, 3.0), 0.9, 200))
        .texts(List.of(List.of(cards), List.of(loans)))
        .into(out, List.of(first, first));
    try (Decoder a = Decoder.load(first);
        Decoder merged = Decoder.load(out)) {
      for (String name : a.shapes().keySet()) {
        float[] expected = a.read(name);
        float[] found = merged.read(name);
        for (int i = 0; i < expected.length; i++) {
          assertThat(found[i]).as(name).isCloseTo(expected[i], within(1e-6f));
        }
      }
    }
  }

  @Test
  void refusesWhatItCannotCalculateWith() throws IOException {
    MergeMethod.RegMean method = new MergeMethod.RegMean(List.of(1.0, 1.0), 0.9, 1000);
    List<Path> models = List.of(first, second);
    assertThatThrownBy(() -> Merge.by(method).into(dir.resolve("out"), models))
        .hasMessageContaining("looks at texts of each model: 0 texts for 2 models");
    Path empty = Files.writeString(dir.resolve("empty.jsonl"), "");
    assertThatThrownBy(
            () ->
                Merge.by(method)
                    .texts(List.of(List.of(cards), List.of(empty)))
                    .into(dir.resolve("out"), models))
        .hasMessageContaining("no text in [" + empty + "]");
    assertThatThrownBy(
            () ->
                Merge.by(new MergeMethod.Linear(List.of(1.0, 1.0)))
                    .texts(List.of(List.of(cards), List.of(loans)))
                    .into(dir.resolve("out"), models))
        .hasMessageContaining("looks at no text");
    assertThat(dir).isDirectoryNotContaining(p -> !p.equals(empty));
    assertThatThrownBy(() -> new MergeMethod.RegMean(List.of(1.0), 1.5, 10))
        .hasMessageContaining("off-diagonal must be from 0 to 1");
  }
}
