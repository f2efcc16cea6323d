package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DecoderTest {

  @TempDir Path folder;

  private static final int[][] ROWS = {{1, 5, 9, 33, 2, 7}, {4, 4}, {8, 1, 39, 0, 12}};

  private static double[] logSoftmax(double[] logits) {
    double sum = 0;
    for (double x : logits) {
      sum += Math.exp(x);
    }
    double log = Math.log(sum);
    return Arrays.stream(logits).map(x -> x - log).toArray();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gqa-tied", "untied", "bias", "qwen2"})
  void logitsAreThoseOfPlainLoops(String name) {
    try (Decoder decoder = Reference.decoder(name)) {
      ScalarDecoder scalar = new ScalarDecoder(decoder);
      int[][] positions = {{0, 3, 5}, {1}, {4, 0}};
      try (Logits logits = decoder.logits(ROWS, positions)) {
        int line = 0;
        for (int b = 0; b < ROWS.length; b++) {
          double[][] expected = scalar.logits(ROWS[b]);
          for (int position : positions[b]) {
            float[] actual = logits.line(line++);
            for (int i = 0; i < actual.length; i++) {
              assertThat((double) actual[i]).isCloseTo(expected[position][i], within(2e-4));
            }
          }
        }
      }
    }
  }

  @Test
  void logProbabilitiesOfRows() {
    try (Decoder decoder = Reference.decoder("gqa-tied")) {
      ScalarDecoder scalar = new ScalarDecoder(decoder);
      int[] from = {3, 1, 2};
      float[][] actual = decoder.logProbabilities(ROWS, from);
      for (int b = 0; b < ROWS.length; b++) {
        double[][] logits = scalar.logits(ROWS[b]);
        assertThat(actual[b]).hasSize(ROWS[b].length - from[b]);
        for (int t = from[b]; t < ROWS[b].length; t++) {
          assertThat((double) actual[b][t - from[b]])
              .isCloseTo(logSoftmax(logits[t - 1])[ROWS[b][t]], within(2e-4));
        }
      }
    }
  }

  @Test
  void continuationsOfOnePrefixScoreAsWholeRows() {
    int[][] prefixes = {{1, 2}, {3, 17, 22, 8}, {5}, {9, 9, 9}};
    int[][][] continuations = {
      {{7}, {8}}, {{5}, {6, 1, 30}, {9, 9}, {0, 2, 4, 38, 1}}, {}, {{1, 2, 3, 4, 5, 6}}
    };
    try (Decoder decoder = Reference.decoder("llama3");
        KeyValueCache cache = decoder.prefill(prefixes, 0)) {
      // Twice: the first leaves nothing behind.
      for (int round = 0; round < 2; round++) {
        float[][][] actual = decoder.continuationLogProbabilities(cache, continuations);
        for (int b = 0; b < prefixes.length; b++) {
          assertThat(actual[b].length).isEqualTo(continuations[b].length);
          for (int i = 0; i < continuations[b].length; i++) {
            int[] whole = joined(prefixes[b], continuations[b][i]);
            float[] expected =
                decoder.logProbabilities(new int[][] {whole}, new int[] {prefixes[b].length})[0];
            assertThat(Reference.relativeError(actual[b][i], expected)).isLessThan(1e-5);
          }
        }
      }
      assertThat(cache.rows()).isEqualTo(4);
      assertThat(cache.length(1)).isEqualTo(4);
      float[][][] single = decoder.continuationLogProbabilities(cache, new int[4][1][1]);
      try (Logits logits = decoder.next(cache)) {
        float[] expected = logits.logProbabilities(new int[4]);
        for (int b = 0; b < 4; b++) {
          assertThat(single[b][0][0]).isCloseTo(expected[b], within(1e-5f));
        }
      }
    }
  }

  private static int[] joined(int[] first, int[] second) {
    int[] whole = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, whole, first.length, second.length);
    return whole;
  }

  @Test
  void cacheDropsRowsAndGrows() {
    try (Decoder decoder = Reference.decoder("gqa-tied");
        KeyValueCache cache = decoder.prefill(ROWS, 1)) {
      cache.keep(2, 0);
      int[][] expected = {ROWS[2].clone(), ROWS[0].clone()};
      for (int step = 0; step < 20; step++) {
        int[] next = {step, 39 - step};
        decoder.step(cache, next).close();
        for (int b = 0; b < 2; b++) {
          expected[b] = Arrays.copyOf(expected[b], expected[b].length + 1);
          expected[b][expected[b].length - 1] = next[b];
        }
      }
      int[][] last = {{expected[0].length - 1}, {expected[1].length - 1}};
      try (Logits actual = decoder.next(cache);
          Logits whole = decoder.logits(expected, last)) {
        for (int b = 0; b < 2; b++) {
          assertThat(Reference.relativeError(actual.line(b), whole.line(b))).isLessThan(1e-5);
        }
      }
    }
  }

  @Test
  void appendsSeveralTokensOfUnequalCount() {
    int[][] more = {{1, 2, 3}, {30}, {7, 7}};
    int[][] whole = new int[3][];
    int[][] last = new int[3][];
    for (int b = 0; b < 3; b++) {
      whole[b] = Arrays.copyOf(ROWS[b], ROWS[b].length + more[b].length);
      System.arraycopy(more[b], 0, whole[b], ROWS[b].length, more[b].length);
      last[b] = new int[] {whole[b].length - 1};
    }
    try (Decoder decoder = Reference.decoder("untied");
        KeyValueCache cache = decoder.prefill(ROWS, 0)) {
      decoder.append(cache, more);
      try (Logits actual = decoder.next(cache);
          Logits expected = decoder.logits(whole, last)) {
        for (int b = 0; b < 3; b++) {
          assertThat(Reference.relativeError(actual.line(b), expected.line(b))).isLessThan(1e-5);
        }
        int best = actual.argmax()[1];
        float[] line = actual.line(1);
        for (float value : line) {
          assertThat(line[best]).isGreaterThanOrEqualTo(value);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void savedAndLoadedIsTheSame(Precision precision) {
    try (Decoder decoder = Reference.decoder("llama3")) {
      decoder.save(folder.resolve("a"), precision);
      try (Decoder loaded = Decoder.load(folder.resolve("a"))) {
        assertThat(loaded.config()).isEqualTo(decoder.config());
        double tolerance =
            precision == Precision.F32 ? 0 : precision == Precision.BF16 ? 4e-3 : 5e-4;
        for (String name : decoder.shapes().keySet()) {
          float[] a = decoder.read(name);
          float[] b = loaded.read(name);
          for (int i = 0; i < a.length; i++) {
            assertThat(Math.abs(a[i] - b[i]))
                .isLessThanOrEqualTo((float) (tolerance * Math.abs(a[i]) + tolerance * 1e-3));
          }
        }
        loaded.save(folder.resolve("b"), precision);
        assertThat(folder.resolve("b/model.safetensors"))
            .hasSameBinaryContentAs(folder.resolve("a/model.safetensors"));
        assertThat(folder.resolve("b/config.json"))
            .hasSameBinaryContentAs(folder.resolve("a/config.json"));
      }
    }
  }

  @Test
  void loadsShards() throws IOException {
    try (Decoder decoder = Reference.decoder("gqa-tied")) {
      decoder.save(folder, Precision.F32);
      StringBuilder map = new StringBuilder();
      try (SafetensorsFile whole = SafetensorsFile.open(folder.resolve("model.safetensors"))) {
        Map<String, TreeMap<String, SafetensorsWriter.Tensor>> shards = new TreeMap<>();
        whole
            .tensors()
            .forEach(
                (name, info) -> {
                  String file = name.contains("layers.1") ? "two.safetensors" : "one.safetensors";
                  shards
                      .computeIfAbsent(file, f -> new TreeMap<>())
                      .put(
                          name,
                          new SafetensorsWriter.Tensor(
                              info.dtype(), info.shape(), whole.bytes(name)));
                  map.append(map.isEmpty() ? "" : ",")
                      .append('"')
                      .append(name)
                      .append("\":\"")
                      .append(file)
                      .append('"');
                });
        shards.forEach(
            (file, tensors) -> SafetensorsWriter.write(folder.resolve(file), tensors, Map.of()));
      }
      Files.delete(folder.resolve("model.safetensors"));
      Files.writeString(
          folder.resolve("model.safetensors.index.json"), "{\"weight_map\":{" + map + "}}");
      try (Decoder loaded = Decoder.load(folder)) {
        for (String name : decoder.shapes().keySet()) {
          assertThat(loaded.read(name)).isEqualTo(decoder.read(name));
        }
      }
      Files.delete(folder.resolve("two.safetensors"));
      Files.writeString(
          folder.resolve("model.safetensors.index.json"),
          "{\"weight_map\":{" + map.toString().replace("two", "one") + "}}");
      assertThatThrownBy(() -> Decoder.load(folder))
          .hasMessageContaining("missing 9")
          .hasMessageContaining("model.layers.1.input_layernorm.weight");
    }
  }

  @Test
  void refusesAHeadThatIsNotTheTiedEmbedding() {
    try (Decoder untied = Reference.decoder("untied")) {
      untied.save(folder, Precision.F32);
      String config = read("config.json");
      write(
          "config.json",
          config.replace("\"tie_word_embeddings\" : false", "\"tie_word_embeddings\" : true"));
      assertThatThrownBy(() -> Decoder.load(folder)).hasMessageContaining("lm_head.weight");
      untied.write("lm_head.weight", untied.read("model.embed_tokens.weight"));
      untied.save(folder, Precision.F32);
      write(
          "config.json",
          config.replace("\"tie_word_embeddings\" : false", "\"tie_word_embeddings\" : true"));
      try (Decoder tied = Decoder.load(folder)) {
        assertThat(tied.shapes()).doesNotContainKey("lm_head.weight");
      }
    }
  }

  private String read(String file) {
    try {
      return Files.readString(folder.resolve(file));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void write(String file, String text) {
    try {
      Files.writeString(folder.resolve(file), text);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void freshWeightsDependOnTheSeedAlone() {
    DecoderConfig config = Reference.config("bias");
    try (Decoder a = Decoder.random(config, 11);
        Decoder b = Decoder.random(config, 11);
        Decoder c = Decoder.random(config, 12)) {
      for (String name : a.shapes().keySet()) {
        assertThat(a.read(name)).isEqualTo(b.read(name));
      }
      assertThat(a.read("model.embed_tokens.weight"))
          .isNotEqualTo(c.read("model.embed_tokens.weight"));
      float[] embedding = a.read("model.embed_tokens.weight");
      double square = 0;
      for (float value : embedding) {
        square += value * value;
      }
      assertThat(Math.sqrt(square / embedding.length)).isCloseTo(0.02, within(0.002));
      assertThat(a.read("model.norm.weight")).containsOnly(1f);
      assertThat(a.read("model.layers.0.self_attn.q_proj.bias")).containsOnly(0f);
    }
  }

  @Test
  void refusesTokensOutsideTheVocabulary() {
    try (Decoder decoder = Reference.decoder("gqa-tied")) {
      assertThatThrownBy(() -> decoder.logits(new int[][] {{1, 40}}, new int[][] {{0}}))
          .hasMessage("row 0, position 1: token 40 is outside the vocabulary of 40");
    }
  }
}
