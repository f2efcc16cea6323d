package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TransplantTest {

  @TempDir Path dir;
  private Path old;
  private Path base;
  private Path tuned;
  private Path out;

  @BeforeEach
  void paths() {
    old = dir.resolve("old");
    base = dir.resolve("base");
    tuned = dir.resolve("tuned");
    out = dir.resolve("out");
  }

  private static SafetensorsWriter.Tensor tensor(DType type, double[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i++) {
      Floats.put(bytes, type, i, values[i]);
    }
    List<Long> sizes = java.util.Arrays.stream(shape).boxed().toList();
    return new SafetensorsWriter.Tensor(type, sizes, bytes);
  }

  private static double[] random(Random random, int count) {
    return random.doubles(count, -1, 1).toArray();
  }

  private static void write(
      Path dir, boolean tied, SortedMap<String, SafetensorsWriter.Tensor> tensors)
      throws IOException {
    Files.createDirectories(dir);
    Files.writeString(
        dir.resolve("config.json"),
        "{\"tie_word_embeddings\": " + tied + ", \"of\": \"" + dir.getFileName() + "\"}");
    Files.writeString(dir.resolve("tokenizer.json"), "{\"of\": \"" + dir.getFileName() + "\"}");
    SafetensorsWriter.write(dir.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
  }

  private static SortedMap<String, SafetensorsWriter.Tensor> weights(DType type, long seed) {
    Random random = new Random(seed);
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    tensors.put("model.embed_tokens.weight", tensor(type, random(random, 60), 10, 6));
    tensors.put("model.layers.0.w", tensor(type, random(random, 36), 6, 6));
    tensors.put("model.norm.weight", tensor(type, random(random, 6), 6));
    return tensors;
  }

  private static double[] read(Path dir, String name) {
    try (SafetensorsFile file = SafetensorsFile.open(dir.resolve("model.safetensors"))) {
      ByteBuffer bytes = file.bytes(name);
      DType type = file.tensors().get(name).dtype();
      double[] values = new double[(int) file.tensors().get(name).elements()];
      for (int i = 0; i < values.length; i++) {
        values[i] = Floats.get(bytes, type, i);
      }
      return values;
    }
  }

  private void run(double alpha) {
    Transplant.model(old, base, tuned, alpha, out, Progress.NONE);
  }

  @Test
  void everyWeightMayHaveAnAlphaOfItsOwn() throws IOException {
    write(old, true, weights(DType.F32, 1));
    write(base, true, weights(DType.F32, 2));
    write(tuned, true, weights(DType.F32, 3));
    Transplant.model(
        old, base, tuned, weight -> weight.contains("embed") ? 0.25 : 1, out, Progress.NONE);
    for (String name : weights(DType.F32, 1).keySet()) {
      double alpha = name.contains("embed") ? 0.25 : 1;
      double[] a = read(old, name);
      double[] b = read(base, name);
      double[] c = read(tuned, name);
      double[] found = read(out, name);
      for (int i = 0; i < a.length; i++) {
        assertThat(found[i]).isEqualTo((float) (b[i] + alpha * (c[i] - a[i])));
      }
    }
    assertThatThrownBy(
            () ->
                Transplant.model(
                    old, base, tuned, weight -> Double.NaN, out.resolve("2"), Progress.NONE))
        .hasMessageContaining("finite");
  }

  @Test
  void addsTheScaledChangeInTheNewBasesOwnType() throws IOException {
    for (DType type : List.of(DType.F32, DType.BF16, DType.F16)) {
      for (double alpha : new double[] {0, 0.5, 1, 1.3}) {
        write(old, true, weights(DType.F32, 1));
        write(base, true, weights(type, 2));
        write(tuned, true, weights(DType.BF16, 3));
        run(alpha);
        for (String name : weights(type, 1).keySet()) {
          double[] a = read(old, name);
          double[] b = read(base, name);
          double[] c = read(tuned, name);
          double[] expected = new double[a.length];
          for (int i = 0; i < a.length; i++) {
            expected[i] = b[i] + alpha * (c[i] - a[i]);
          }
          ByteBuffer rounded = tensor(type, expected, expected.length).bytes();
          double[] found = read(out, name);
          for (int i = 0; i < a.length; i++) {
            assertThat(found[i]).isEqualTo(Floats.get(rounded, type, i));
          }
        }
      }
    }
    assertThat(out.resolve("config.json")).content().contains("base");
    assertThat(out.resolve("tokenizer.json")).content().contains("base");
  }

  @Test
  void nothingChangedGivesTheNewBaseToTheByte() throws IOException {
    write(old, true, weights(DType.BF16, 1));
    write(base, true, weights(DType.BF16, 2));
    write(tuned, true, weights(DType.BF16, 1));
    run(1);
    assertThat(Files.readAllBytes(out.resolve("model.safetensors")))
        .isEqualTo(Files.readAllBytes(base.resolve("model.safetensors")));
  }

  @Test
  void theSameBaseGivesTheTunedModel() throws IOException {
    write(old, true, weights(DType.BF16, 1));
    write(base, true, weights(DType.BF16, 1));
    write(tuned, true, weights(DType.BF16, 3));
    run(1);
    assertThat(Files.readAllBytes(out.resolve("model.safetensors")))
        .isEqualTo(Files.readAllBytes(tuned.resolve("model.safetensors")));
  }

  @Test
  void namesWhatDoesNotFit() throws IOException {
    write(old, true, weights(DType.F32, 1));
    write(base, true, weights(DType.F32, 2));
    SortedMap<String, SafetensorsWriter.Tensor> other = weights(DType.F32, 3);
    other.remove("model.norm.weight");
    other.put("model.extra", tensor(DType.F32, new double[] {1}, 1));
    other.put("model.layers.0.w", tensor(DType.F32, new double[12], 6, 2));
    write(tuned, true, other);
    assertThatThrownBy(() -> run(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("missing [model.norm.weight]")
        .hasMessageContaining("extra [model.extra]")
        .hasMessageContaining("model.layers.0.w [6, 2] against [6, 6]");
    assertThat(out.resolve("model.safetensors")).doesNotExist();
    assertThatThrownBy(() -> run(Double.NaN)).hasMessageContaining("alpha");
  }

  @Test
  void aTiedHeadIsTheEmbeddingOnceMore() throws IOException {
    write(old, true, weights(DType.F32, 1));
    write(base, true, weights(DType.F32, 2));
    SortedMap<String, SafetensorsWriter.Tensor> withHead = weights(DType.F32, 3);
    withHead.put("lm_head.weight", withHead.get("model.embed_tokens.weight"));
    write(tuned, true, withHead);
    run(1);
    try (SafetensorsFile file = SafetensorsFile.open(out.resolve("model.safetensors"))) {
      assertThat(file.tensors()).doesNotContainKey("lm_head.weight");
    }
    withHead.put("lm_head.weight", tensor(DType.F32, new double[60], 10, 6));
    write(tuned, true, withHead);
    assertThatThrownBy(() -> run(1)).hasMessageContaining("ties the head");
    write(tuned, false, withHead);
    assertThatThrownBy(() -> run(1)).hasMessageContaining("tied embeddings");
  }

  /** Ids are arbitrary: the same tokens in another order are the same tokens. */
  @Test
  void rowsOfTheVocabularyFollowTheirTokens() throws IOException {
    write(old, true, weights(DType.F32, 1));
    write(base, true, weights(DType.F32, 2));
    write(tuned, true, weights(DType.F32, 3));
    vocabulary(old, "abcdefgh");
    vocabulary(base, "hgfedcba");
    run(1);
    String name = "model.embed_tokens.weight";
    double[] before = read(old, name);
    double[] now = read(base, name);
    double[] after = read(tuned, name);
    double[] found = read(out, name);
    for (int row = 0; row < 10; row++) {
      int from = row < 8 ? 7 - row : row; // two rows are padding
      for (int i = 0; i < 6; i++) {
        assertThat(found[row * 6 + i])
            .isEqualTo((float) (now[row * 6 + i] + after[from * 6 + i] - before[from * 6 + i]));
      }
    }
    vocabulary(base, "abcdefgx");
    assertThatThrownBy(() -> run(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("other tokens")
        .hasMessageContaining("7 are the same");
  }

  private static void vocabulary(Path dir, String letters) throws IOException {
    StringBuilder tokens = new StringBuilder();
    for (int i = 0; i < letters.length(); i++) {
      tokens
          .append(i == 0 ? "" : ",")
          .append('"')
          .append(letters.charAt(i))
          .append("\":")
          .append(i);
    }
    Files.writeString(dir.resolve("tokenizer.json"), "{\"model\": {\"vocab\": {" + tokens + "}}}");
  }

  @Test
  void scalesAnAdaptersUpdate() throws IOException {
    Path adapter = Files.createDirectories(dir.resolve("adapter"));
    Files.writeString(adapter.resolve("adapter_config.json"), "{\"r\": 2}");
    Random random = new Random(4);
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    double[] b = random(random, 12);
    tensors.put("m.q_proj.lora_A.weight", tensor(DType.F32, random(random, 12), 2, 6));
    tensors.put("m.q_proj.lora_B.weight", tensor(DType.F32, b, 6, 2));
    Path file = adapter.resolve("adapter_model.safetensors");
    SafetensorsWriter.write(file, tensors, Map.of());
    Transplant.adapter(adapter, 1, out);
    assertThat(Files.readAllBytes(out.resolve("adapter_model.safetensors")))
        .isEqualTo(Files.readAllBytes(file));
    Transplant.adapter(adapter, 0.3, out);
    try (SafetensorsFile scaled = SafetensorsFile.open(out.resolve("adapter_model.safetensors"));
        SafetensorsFile before = SafetensorsFile.open(file)) {
      assertThat(scaled.bytes("m.q_proj.lora_A.weight"))
          .isEqualTo(before.bytes("m.q_proj.lora_A.weight"));
      for (int i = 0; i < 12; i++) {
        assertThat(scaled.bytes("m.q_proj.lora_B.weight").getFloat(4 * i))
            .isEqualTo((float) (0.3 * (float) b[i]));
      }
    }
    assertThat(out.resolve("adapter_config.json")).hasContent("{\"r\": 2}");
  }

  @Test
  void anAdapterContinuedCanEndBetweenItsStartAndItself() throws IOException {
    Random random = new Random(7);
    for (Path adapter : List.of(old, tuned)) {
      Files.createDirectories(adapter);
      Files.writeString(adapter.resolve("adapter_config.json"), "{\"r\": 2}");
      SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
      tensors.put("m.q_proj.lora_A.weight", tensor(DType.F32, random(random, 12), 2, 6));
      tensors.put("m.q_proj.lora_B.weight", tensor(DType.F32, random(random, 12), 6, 2));
      SafetensorsWriter.write(adapter.resolve("adapter_model.safetensors"), tensors, Map.of());
    }
    Transplant.adapters(old, old, tuned, 0.3, out);
    for (String half : List.of("m.q_proj.lora_A.weight", "m.q_proj.lora_B.weight")) {
      try (SafetensorsFile from = SafetensorsFile.open(old.resolve("adapter_model.safetensors"));
          SafetensorsFile to = SafetensorsFile.open(tuned.resolve("adapter_model.safetensors"));
          SafetensorsFile now = SafetensorsFile.open(out.resolve("adapter_model.safetensors"))) {
        for (int i = 0; i < 12; i++) {
          double a = from.bytes(half).getFloat(4 * i);
          double b = to.bytes(half).getFloat(4 * i);
          assertThat(now.bytes(half).getFloat(4 * i)).isEqualTo((float) (a + 0.3 * (b - a)));
        }
      }
    }
    assertThat(out.resolve("adapter_config.json")).hasContent("{\"r\": 2}");
    SortedMap<String, SafetensorsWriter.Tensor> other = new TreeMap<>();
    other.put("m.q_proj.lora_A.weight", tensor(DType.F32, random(random, 18), 3, 6));
    SafetensorsWriter.write(tuned.resolve("adapter_model.safetensors"), other, Map.of());
    assertThatThrownBy(() -> Transplant.adapters(old, old, tuned, 0.3, out))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("m.q_proj.lora_B.weight=[6, 2]")
        .hasMessageContaining("instead {m.q_proj.lora_A.weight=[3, 6]}");
  }
}
