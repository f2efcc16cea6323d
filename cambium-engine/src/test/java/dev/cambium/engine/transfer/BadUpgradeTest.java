package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.Engine;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.text.Texts;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes to an upgrade and should not: each is refused, saying what is wrong. */
class BadUpgradeTest {

  private static final ModelInitializer.Shape SHAPE =
      new ModelInitializer.Shape(2, 32, 4, 2, 48, 300, 64);

  @TempDir static Path dir;
  private static Engine engine;
  private static Path rows;
  private static Path old;
  private static Path now;
  private static Path adapter;

  @BeforeAll
  static void bases() throws IOException {
    engine = Engine.open();
    List<Row> text = new ArrayList<>();
    for (String one : Texts.some(60, 4)) {
      text.add(Row.text("r" + text.size(), one));
    }
    StringBuilder lines = new StringBuilder();
    text.forEach(
        r -> lines.append(new String(Json.canonical(r), StandardCharsets.UTF_8)).append('\n'));
    rows = Files.writeString(dir.resolve("rows.jsonl"), lines);
    old = dir.resolve("old");
    now = dir.resolve("now");
    ModelInitializer.initialize(text, SHAPE, 1, old);
    ModelInitializer.initialize(old, SHAPE, 1, now);
    try (Decoder decoder = Decoder.load(old);
        Decoder moved = Decoder.load(now)) {
      Disturbed.loud(decoder, 3);
      decoder.save(old, Precision.F32);
      new Permutation(decoder.config(), 4).copy(decoder, moved);
      moved.save(now, Precision.F32);
      try (LoraAdapter lora =
          LoraAdapter.random(
              decoder.config(), LoraConfig.of(new Recipe.Lora(2, 4, List.of("q_proj"))), 5)) {
        for (String name : lora.shapes().keySet()) {
          float[] values = lora.read(name);
          java.util.Arrays.fill(values, 0.1f);
          lora.write(name, values);
        }
        adapter = dir.resolve("adapter");
        lora.save(adapter, Precision.F32);
      }
    }
  }

  private static void refused(Path tuned, String... saying) {
    Path out = dir.resolve("out-" + tuned.getFileName());
    var thrown =
        assertThatThrownBy(() -> engine.align(old, now, tuned, List.of(rows), out, Progress.NONE))
            .isInstanceOf(IllegalArgumentException.class);
    for (String part : saying) {
      thrown.hasMessageContaining(part);
    }
    assertThat(out.resolve("adapter_model.safetensors")).doesNotExist();
    assertThat(out.resolve("model.safetensors")).doesNotExist();
  }

  /** A copy of the adapter with its tensors under other names, or fewer, or changed. */
  private static Path changed(String name, UnaryOperator<SortedMap<String, ByteBuffer>> change)
      throws IOException {
    Path copy = Files.createDirectories(dir.resolve(name));
    Files.copy(adapter.resolve("adapter_config.json"), copy.resolve("adapter_config.json"));
    try (SafetensorsFile file =
        SafetensorsFile.open(adapter.resolve("adapter_model.safetensors"))) {
      SortedMap<String, ByteBuffer> bytes = new TreeMap<>();
      for (TensorInfo info : file.tensors().values()) {
        ByteBuffer own = ByteBuffer.allocate((int) info.size()).order(ByteOrder.LITTLE_ENDIAN);
        own.put(file.bytes(info.name())).flip();
        bytes.put(info.name(), own);
      }
      SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
      change
          .apply(bytes)
          .forEach(
              (key, value) -> {
                List<Long> shape = key.contains("lora_A") ? List.of(2L, 32L) : List.of(32L, 2L);
                tensors.put(key, new SafetensorsWriter.Tensor(DType.F32, shape, value));
              });
      SafetensorsWriter.write(copy.resolve("adapter_model.safetensors"), tensors, file.metadata());
    }
    return copy;
  }

  @Test
  void theAdapterItselfCanBeAligned() {
    AlignReport report =
        engine.align(old, now, adapter, List.of(rows), dir.resolve("fine"), Progress.NONE);
    assertThat(report.energyLost()).isLessThan(1e-5);
  }

  @Test
  void renamedKeys() throws IOException {
    Path renamed =
        changed(
            "renamed",
            tensors -> {
              SortedMap<String, ByteBuffer> others = new TreeMap<>();
              tensors.forEach((k, v) -> others.put(k.replace("q_proj", "query"), v));
              return others;
            });
    refused(renamed, "query");
  }

  @Test
  void partOfTheModulesOnly() throws IOException {
    Path partial =
        changed(
            "partial",
            tensors -> {
              tensors.remove(tensors.firstKey());
              return tensors;
            });
    refused(partial, "lora_A");
  }

  @Test
  void numbersThatAreNone() throws IOException {
    Path broken =
        changed(
            "broken",
            tensors -> {
              tensors.get(tensors.firstKey()).putFloat(8, Float.NaN);
              return tensors;
            });
    refused(broken, "finite");
    Path model = dir.resolve("nan-model");
    ModelInitializer.initialize(old, SHAPE, 1, model);
    try (Decoder decoder = Decoder.load(old)) {
      float[] values = decoder.read("model.layers.1.mlp.up_proj.weight");
      values[7] = Float.POSITIVE_INFINITY;
      decoder.write("model.layers.1.mlp.up_proj.weight", values);
      decoder.save(model, Precision.F32);
    }
    refused(model, "finite");
  }

  @Test
  void aResizedVocabulary() {
    Path resized = dir.resolve("resized-model");
    List<Row> more = new ArrayList<>();
    for (String one : Texts.some(80, 9)) {
      more.add(Row.text("m" + more.size(), one));
    }
    ModelInitializer.initialize(
        more, new ModelInitializer.Shape(2, 32, 4, 2, 48, 330, 64), 1, resized);
    refused(resized, "does not have the shapes");
  }

  @Test
  void noText() throws IOException {
    Path empty = Files.writeString(dir.resolve("empty.jsonl"), "");
    assertThatThrownBy(
            () ->
                engine.align(
                    old, now, adapter, List.of(empty), dir.resolve("nothing"), Progress.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("too short: 0 tokens");
  }
}
