package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.model.MergeMethod;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class MergeTest {

  private static final String NAME = "model.layers.0.mlp.up_proj.weight";

  @TempDir Path dir;

  private Path model(String name, DType type, double... values) {
    return model(name, type, false, Map.of(NAME, values));
  }

  private Path model(String name, DType type, boolean tied, Map<String, double[]> weights) {
    Path model = dir.resolve(name);
    try {
      Files.createDirectories(model);
      Files.writeString(
          model.resolve("config.json"), "{\"tie_word_embeddings\": %s}".formatted(tied));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    TreeMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    weights.forEach(
        (weight, values) -> {
          ByteBuffer bytes =
              ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
          for (int i = 0; i < values.length; i++) {
            Floats.put(bytes, type, i, values[i]);
          }
          tensors.put(
              weight, new SafetensorsWriter.Tensor(type, List.of((long) values.length), bytes));
        });
    SafetensorsWriter.write(model.resolve("model.safetensors"), tensors, Map.of());
    return model;
  }

  private Path merge(MergeMethod method, @Nullable Path base, Path... models) {
    Path out = dir.resolve("out");
    Merge.by(method).base(base).threads(2).reloaded(false).into(out, List.of(models));
    return out;
  }

  private static double[] read(Path model, String name) {
    try (SafetensorsFile file = SafetensorsFile.open(model.resolve("model.safetensors"))) {
      ByteBuffer bytes = file.bytes(name);
      DType type = file.tensors().get(name).dtype();
      return IntStream.range(0, bytes.remaining() / type.bytes())
          .mapToDouble(i -> Floats.get(bytes, type, i))
          .toArray();
    }
  }

  @Test
  void aSoupIsTheWeightedMean() {
    Path a = model("a", DType.F32, 1, -2, 8);
    Path b = model("b", DType.F32, 5, 2, 0);
    assertThat(read(merge(new MergeMethod.Linear(List.of(3.0, 1.0)), null, a, b), NAME))
        .containsExactly(2, -1, 6);
  }

  @Test
  void anArcKeepsTheLengthBetweenModelsOfEqualLength() {
    Path a = model("a", DType.F32, 2, 0);
    Path b = model("b", DType.F32, 0, 2);
    double[] middle = read(merge(new MergeMethod.Slerp(0.5), null, a, b), NAME);
    assertThat(middle[0]).isCloseTo(Math.sqrt(2), within(1e-6));
    assertThat(middle[1]).isCloseTo(Math.sqrt(2), within(1e-6));
  }

  @Test
  void anArcBetweenTheSameDirectionsIsTheLine() {
    Path a = model("a", DType.F32, 1, 2);
    Path b = model("b", DType.F32, 3, 6);
    assertThat(read(merge(new MergeMethod.Slerp(0.25), null, a, b), NAME)).containsExactly(1.5, 3);
  }

  @Test
  void anArcFromAZeroTensorIsTheLine() {
    Path a = model("a", DType.F32, 0, 0);
    Path b = model("b", DType.F32, 4, 8);
    assertThat(read(merge(new MergeMethod.Slerp(0.25), null, a, b), NAME)).containsExactly(1, 2);
  }

  @Test
  void changesAddUp() {
    Path base = model("base", DType.F32, 1, 1, 1);
    Path a = model("a", DType.F32, 3, 1, 0);
    Path b = model("b", DType.F32, 1, 5, 0);
    assertThat(read(merge(new MergeMethod.TaskArithmetic(List.of(1.0, 0.5)), base, a, b), NAME))
        .containsExactly(3, 3, -0.5);
  }

  @Test
  void tiesTrimsElectsAndMergesAsByHand() {
    Path base = model("base", DType.F32, 10, 10, 10, 10);
    // changes: a (4, -1, 2, 0), b (-3, -2, 6, 1); half of each is kept: a (4, 0, 2, 0), b (-3, 0,
    // 6, 0)
    Path a = model("a", DType.F32, 14, 9, 12, 10);
    Path b = model("b", DType.F32, 7, 8, 16, 11);
    // signs: + (4 > 3), none, +, none; means of those that agree: 4, 0, 4, 0; times 0.5
    assertThat(read(merge(new MergeMethod.Ties(List.of(1.0, 1.0), 0.5, 0.5), base, a, b), NAME))
        .containsExactly(12, 10, 12, 10);
  }

  @Test
  void tiesOnLargeTensorsKeepsWhatSortingWouldKeep() {
    int count = 300_001; // more than two pieces
    Random random = new Random(5);
    double[] zero = new double[count];
    double[] change = random.doubles(count, -1, 1).map(v -> (float) v).toArray();
    Path base = model("base", DType.F32, zero);
    Path a = model("a", DType.F32, change);
    double[] merged = read(merge(new MergeMethod.Ties(List.of(1.0), 0.2, 1), base, a), NAME);
    double[] sizes = Arrays.stream(change).map(Math::abs).sorted().toArray();
    double edge = sizes[count - (int) Math.ceil(0.2 * count)];
    for (int i = 0; i < count; i++) {
      assertThat(merged[i]).isEqualTo(Math.abs(change[i]) >= edge ? change[i] : 0);
    }
  }

  @Test
  void dareKeepsItsShareAndItsMeanAndDependsOnTheSeedOnly() {
    int count = 200_000;
    double[] ones = new double[count];
    Arrays.fill(ones, 1);
    Path base = model("base", DType.F32, new double[count]);
    Path a = model("a", DType.F32, ones);
    double[] merged = read(merge(new MergeMethod.Dare(List.of(1.0), 0.25, 7), base, a), NAME);
    assertThat(Arrays.stream(merged).distinct()).containsExactlyInAnyOrder(0.0, 4.0);
    // 6 standard deviations of a binomial share
    assertThat(Arrays.stream(merged).average().orElseThrow()).isCloseTo(1, within(0.024));
    for (int threads : new int[] {1, 3}) {
      Path again = dir.resolve("again" + threads);
      Merge.by(new MergeMethod.Dare(List.of(1.0), 0.25, 7))
          .base(base)
          .threads(threads)
          .reloaded(false)
          .into(again, List.of(a));
      assertThat(read(again, NAME)).containsExactly(merged);
    }
    Path other = dir.resolve("other");
    Merge.by(new MergeMethod.Dare(List.of(1.0), 0.25, 8))
        .base(base)
        .reloaded(false)
        .into(other, List.of(a));
    assertThat(read(other, NAME)).isNotEqualTo(merged);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "F16"})
  void roundsOnceToTheTypeOfTheBase(DType type) {
    Random random = new Random(3);
    double[] first = random.doubles(2_000, -2, 2).toArray();
    double[] second = random.doubles(2_000, -2, 2).toArray();
    Path base = model("base", type, new double[2_000]);
    Path a = model("a", DType.F32, first);
    Path b = model("b", DType.F32, second);
    Path out = merge(new MergeMethod.TaskArithmetic(List.of(0.3, 0.7)), base, a, b);
    double[] merged = read(out, NAME);
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < first.length; i++) {
      Floats.put(bytes, type, 0, 0.3 * (float) first[i] + 0.7 * (float) second[i]);
      assertThat(merged[i]).isEqualTo(Floats.get(bytes, type, 0));
    }
  }

  @Test
  void aTiedHeadStaysTiedAndAReloadGivesTheSameLogits() {
    DecoderConfig config =
        DecoderConfig.builder().hiddenSize(16).layers(2).heads(2).vocabularySize(32).build();
    int[][] rows = {{1, 5, 9, 2}};
    int[][] positions = {{0, 1, 2, 3}};
    try (Decoder a = Decoder.random(config, 1);
        Decoder b = Decoder.random(config, 2)) {
      a.save(dir.resolve("a"), Precision.F32);
      b.save(dir.resolve("b"), Precision.F32);
      Path out = dir.resolve("out");
      Merge.by(new MergeMethod.Linear(List.of(0.5, 0.5)))
          .into(out, List.of(dir.resolve("a"), dir.resolve("b")));
      for (String name : a.shapes().keySet()) {
        float[] mine = a.read(name);
        float[] other = b.read(name);
        for (int i = 0; i < mine.length; i++) {
          mine[i] = (float) (0.5 * mine[i] + 0.5 * other[i]);
        }
        a.write(name, mine);
      }
      try (Decoder merged = Decoder.load(out)) {
        assertThat(merged.config().tiedEmbeddings()).isTrue();
        try (var expected = a.logits(rows, positions);
            var found = merged.logits(rows, positions)) {
          for (int i = 0; i < 4; i++) {
            assertThat(found.line(i)).containsExactly(expected.line(i));
          }
        }
      }
    }
  }

  @Test
  void namesTheWeightThatIsNoNumber() {
    Path base = model("base", DType.F32, 0, 0);
    Path a = model("a", DType.F32, 1, Double.NaN);
    for (MergeMethod method :
        List.of(
            new MergeMethod.TaskArithmetic(List.of(1.0)),
            new MergeMethod.Ties(List.of(1.0), 0.5, 1))) {
      assertThatThrownBy(() -> merge(method, base, a))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(dir.resolve("a") + ": " + NAME + ", element 1 is NaN");
      assertThat(dir.resolve("out")).doesNotExist();
      assertThat(dir.resolve(".out.partial")).doesNotExist();
    }
  }

  @Test
  void namesTheWeightThatBecomesTooLargeForItsType() {
    Path base = model("base", DType.F16, 60_000, 0);
    Path a = model("a", DType.F16, 65_000, 0);
    assertThatThrownBy(() -> merge(new MergeMethod.TaskArithmetic(List.of(2.0)), base, a))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(NAME + ", element 0 would be 69")
        .hasMessageContaining("too large for F16");
  }

  @Test
  void refusesModelsThatDoNotFit() throws IOException {
    Path a = model("a", DType.F32, 1, 2);
    MergeMethod mean = new MergeMethod.Linear(List.of(1.0, 1.0));
    assertThatThrownBy(() -> merge(mean, null, a, model("b", DType.F32, 1, 2, 3)))
        .hasMessageContaining("other shapes [" + NAME + " [3] against [2]]");
    assertThatThrownBy(
            () -> merge(mean, null, a, model("c", DType.F32, false, Map.of("x", new double[2]))))
        .hasMessageContaining("missing [" + NAME + "], extra [x]");
    assertThatThrownBy(
            () -> merge(mean, null, a, model("d", DType.F32, true, Map.of(NAME, new double[2]))))
        .hasMessageContaining("a tied and an untied head cannot be merged");
    assertThatThrownBy(() -> merge(mean, null, a)).hasMessageContaining("1 models for 2 weights");
    assertThatThrownBy(() -> merge(mean, a, a, a)).hasMessageContaining("takes no base");
    assertThatThrownBy(() -> merge(new MergeMethod.TaskArithmetic(List.of(1.0)), null, a))
        .hasMessageContaining("needs the base");
    Path e = model("e", DType.F32, 1, 2);
    Files.writeString(
        a.resolve("tokenizer.json"), "{\"model\": {\"vocab\": {\"x\": 0, \"y\": 1}}}");
    Files.writeString(
        e.resolve("tokenizer.json"), "{\"model\": {\"vocab\": {\"x\": 1, \"y\": 0}}}");
    assertThatThrownBy(() -> merge(mean, null, a, e))
        .hasMessageContaining("the token 'x' has id 0 in")
        .hasMessageContaining("and id 1 in");
    Files.createDirectory(dir.resolve("out"));
    assertThatThrownBy(() -> merge(mean, null, a, a)).hasMessageContaining("exists");
  }

  private static final DecoderConfig SMALL =
      DecoderConfig.builder().hiddenSize(16).layers(2).heads(2).vocabularySize(32).build();

  private Path saved(String name, DecoderConfig config, long seed, Precision precision) {
    try (Decoder decoder = Decoder.random(config, seed)) {
      decoder.save(dir.resolve(name), precision);
    }
    return dir.resolve(name);
  }

  @ParameterizedTest
  @CsvSource({
    "F32,F32",
    "F32,BF16",
    "F32,F16",
    "BF16,F32",
    "BF16,BF16",
    "BF16,F16",
    "F16,F32",
    "F16,BF16",
    "F16,F16"
  })
  void everyTypeInAndOutIsRoundedOnceAndLoadsAgain(Precision in, Precision out) {
    Path first = saved("first", SMALL, 1, out);
    Path second = saved("second", SMALL, 2, in);
    Path merged = dir.resolve("out");
    Merge.by(new MergeMethod.Linear(List.of(0.3, 0.7))).into(merged, List.of(first, second));
    try (SafetensorsFile one = SafetensorsFile.open(first.resolve("model.safetensors"));
        SafetensorsFile two = SafetensorsFile.open(second.resolve("model.safetensors"));
        SafetensorsFile both = SafetensorsFile.open(merged.resolve("model.safetensors"))) {
      DType given = DType.valueOf(in.name());
      DType wanted = DType.valueOf(out.name());
      assertThat(both.tensors().keySet()).isEqualTo(one.tensors().keySet());
      both.tensors()
          .forEach(
              (name, info) -> {
                assertThat(info.dtype()).isEqualTo(wanted);
                for (int i = 0; i < info.elements(); i++) {
                  double a = Floats.get(one.bytes(name), wanted, i);
                  double b = Floats.get(two.bytes(name), given, i);
                  // Σ wᵢ θᵢ / Σ wᵢ, term by term as the method says
                  double mean = 0.3 / (0.3 + 0.7) * a + 0.7 / (0.3 + 0.7) * b;
                  ByteBuffer nearest = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
                  Floats.put(nearest, wanted, 0, mean);
                  assertThat(Floats.get(both.bytes(name), wanted, i))
                      .as("%s %d", name, i)
                      .isEqualTo(Floats.get(nearest, wanted, 0));
                }
              });
    }
  }

  @Test
  void aTiedHeadThatOneModelStoresAllTheSameIsTheEmbedding() {
    Path plain = saved("plain", SMALL, 1, Precision.F32);
    Path stored = saved("stored", SMALL, 2, Precision.F32);
    rewrite(
        stored, tensors -> tensors.put("lm_head.weight", tensors.get("model.embed_tokens.weight")));
    for (List<Path> models : List.of(List.of(plain, stored), List.of(stored, plain))) {
      Path out = dir.resolve("of-" + models.get(0).getFileName());
      Merge.by(new MergeMethod.Linear(List.of(1.0, 1.0))).into(out, models);
      try (SafetensorsFile file = SafetensorsFile.open(out.resolve("model.safetensors"))) {
        assertThat(file.tensors()).doesNotContainKey("lm_head.weight");
      }
    }
    rewrite(stored, tensors -> tensors.put("lm_head.weight", zeros(tensors, "lm_head.weight")));
    assertThatThrownBy(
            () ->
                Merge.by(new MergeMethod.Linear(List.of(1.0, 1.0)))
                    .into(dir.resolve("no"), List.of(plain, stored)))
        .hasMessageContaining("ties the head to the embedding, but the file's differs");
  }

  private static SafetensorsWriter.Tensor zeros(
      TreeMap<String, SafetensorsWriter.Tensor> tensors, String name) {
    SafetensorsWriter.Tensor like = tensors.get(name);
    return new SafetensorsWriter.Tensor(
        like.dtype(), like.shape(), ByteBuffer.allocate(like.bytes().remaining()));
  }

  private static void rewrite(
      Path model, Consumer<TreeMap<String, SafetensorsWriter.Tensor>> change) {
    Path file = model.resolve("model.safetensors");
    TreeMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    try (SafetensorsFile source = SafetensorsFile.open(file)) {
      source
          .tensors()
          .forEach(
              (name, info) ->
                  tensors.put(
                      name,
                      new SafetensorsWriter.Tensor(
                          info.dtype(), info.shape(), source.bytes(name))));
      change.accept(tensors);
      SafetensorsWriter.write(file, tensors, source.metadata());
    }
  }

  /** What a merge would have taken in: a model's own weights. */
  private Reload expecting(Path model) throws IOException {
    Reload reload;
    try (Weights weights = Weights.open(model)) {
      reload = Reload.expecting(weights);
      for (String name : weights.where.keySet()) {
        reload.take(weights.info(name), 0, weights.bytes(name));
      }
    }
    return reload;
  }

  @Test
  void aResultThatLoadsAsSomethingElseIsRefused() throws IOException {
    Path model = saved("model", SMALL, 1, Precision.F32);
    try (Reload reload = expecting(model)) {
      reload.require(model);
    }
    Path weight = saved("weight", SMALL, 1, Precision.F32);
    rewrite(
        weight,
        tensors ->
            tensors.put(
                "model.layers.1.mlp.down_proj.weight",
                zeros(tensors, "model.layers.1.mlp.down_proj.weight")));
    // The same weights with a head of their own, as where a program writes the tie wrongly.
    Path untied = saved("untied", SMALL, 1, Precision.F32);
    rewrite(
        untied,
        tensors -> {
          SafetensorsWriter.Tensor head = tensors.get("model.embed_tokens.weight");
          tensors.put(
              "lm_head.weight",
              new SafetensorsWriter.Tensor(
                  head.dtype(), head.shape(), ByteBuffer.allocate(head.bytes().remaining())));
        });
    replace(untied, "\"tie_word_embeddings\" : true", "\"tie_word_embeddings\" : false");
    Path rotated = saved("rotated", SMALL, 1, Precision.F32);
    replace(rotated, "10000.0", "500.0");
    for (Path other : List.of(weight, untied, rotated)) {
      try (Reload reload = expecting(model)) {
        assertThatThrownBy(() -> reload.require(other))
            .as(other.toString())
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("other logits than what was computed");
      }
    }
  }

  private static void replace(Path model, String found, String instead) throws IOException {
    Path config = model.resolve("config.json");
    String text = Files.readString(config);
    assertThat(text).contains(found);
    Files.writeString(config, text.replace(found, instead));
  }

  @Test
  void aWeightThatWasLeftOutIsNamed() {
    Path model = saved("model", SMALL, 1, Precision.F32);
    try (Weights weights = Weights.open(model);
        Reload reload = Reload.expecting(weights)) {
      assertThatThrownBy(() -> reload.require(model))
          .hasMessageContaining("not merged: [model.embed_tokens.weight, model.layers.0.");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void modelsThatComputeOtherwiseAreRefused() throws IOException {
    Path one = saved("one", SMALL, 1, Precision.F32);
    Path other = saved("other", SMALL, 2, Precision.F32);
    replace(other, "10000.0", "500.0");
    assertThatThrownBy(
            () ->
                Merge.by(new MergeMethod.Linear(List.of(1.0, 1.0)))
                    .into(dir.resolve("out"), List.of(one, other)))
        .hasMessageContaining("rope_theta 10000.0 in " + one + " and 500.0 in " + other);
    assertThat(dir.resolve("out")).doesNotExist();
  }
}
