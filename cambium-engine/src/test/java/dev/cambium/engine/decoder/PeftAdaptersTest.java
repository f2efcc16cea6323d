package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.huggingface.AdapterDirectory;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.engine.backend.Natives;
import dev.cambium.model.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Adapters of many kinds that PEFT saved, against its logits; {@code
 * src/test/python/reference_adapters.py} made them.
 */
class PeftAdaptersTest {

  private static final JsonNode CASES = read();

  @TempDir Path folder;

  private static JsonNode read() {
    try (var in = PeftAdaptersTest.class.getResourceAsStream("adapters/logits.json")) {
      return JsonMapper.builder().build().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Stream<String> cases() {
    return CASES.propertyStream().map(Map.Entry::getKey);
  }

  private static Path saved(String name) {
    try {
      return Path.of(PeftAdaptersTest.class.getResource("adapters/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private static Decoder base(String name) {
    return Reference.decoder(CASES.path(name).path("base").asText());
  }

  private static void assertReference(Decoder decoder, String name) {
    int[][] rows =
        JsonMapper.builder().build().convertValue(CASES.path(name).path("rows"), int[][].class);
    int[][] positions =
        Arrays.stream(rows).map(r -> new int[] {r.length / 2, r.length - 1}).toArray(int[][]::new);
    try (Logits logits = decoder.logits(rows, positions)) {
      for (int i = 0; i < logits.count(); i++) {
        float[] expected = Reference.line(CASES.path(name).path("logits"), i / 2, i % 2);
        assertThat(Reference.relativeError(logits.line(i), expected))
            .as("%s, line %d", name, i)
            .isLessThan(1e-5);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void attached(String name) {
    try (Decoder decoder = base(name);
        LoraAdapter adapter = LoraAdapter.load(saved(name), decoder.config())) {
      decoder.attach(adapter);
      assertReference(decoder, name);
      // Once more: what is kept between passes gives the same.
      assertReference(decoder, name);
      decoder.detach();
      int[][] rows = Reference.rows();
      try (Decoder untouched = base(name);
          Logits before = untouched.logits(rows, Reference.positions());
          Logits after = decoder.logits(rows, Reference.positions())) {
        assertThat(after.line(0)).isEqualTo(before.line(0));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void mergedSavedAndLoaded(String name) {
    try (Decoder decoder = base(name);
        LoraAdapter adapter = LoraAdapter.load(saved(name), decoder.config());
        Decoder merged = decoder.merged(adapter)) {
      assertReference(merged, name);
      merged.save(folder, Precision.F32);
      try (Decoder again = Decoder.load(folder)) {
        assertReference(again, name);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void savedAndLoadedIsTheSame(String name) {
    try (Decoder decoder = base(name);
        LoraAdapter adapter = LoraAdapter.load(saved(name), decoder.config())) {
      adapter.save(folder, Precision.F32);
      try (SafetensorsFile theirs =
              SafetensorsFile.open(saved(name).resolve(AdapterDirectory.WEIGHTS));
          SafetensorsFile ours = SafetensorsFile.open(folder.resolve(AdapterDirectory.WEIGHTS))) {
        assertThat(ours.tensors().keySet()).isEqualTo(theirs.tensors().keySet());
        for (String tensor : ours.tensors().keySet()) {
          assertThat(ours.bytes(tensor)).isEqualTo(theirs.bytes(tensor));
        }
      }
      assertThat(LoraConfig.read(folder)).isEqualTo(adapter.config());
      try (LoraAdapter again = LoraAdapter.load(folder, decoder.config());
          LoraAdapter copy = again.copy()) {
        assertThat(again.isShapedAs(adapter.config())).isTrue();
        decoder.attach(copy);
        assertReference(decoder, name);
        decoder.detach();
      }
    }
  }

  /** A copy of an adapter whose keys are written otherwise. */
  private void spell(String name, UnaryOperator<String> spelling) throws IOException {
    Files.copy(saved(name).resolve("adapter_config.json"), folder.resolve("adapter_config.json"));
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    Path file = saved(name).resolve(AdapterDirectory.WEIGHTS);
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      open.tensors()
          .forEach(
              (key, info) -> {
                ByteBuffer bytes = open.bytes(key);
                ByteBuffer copy =
                    ByteBuffer.allocate(bytes.remaining()).order(ByteOrder.LITTLE_ENDIAN);
                copy.put(bytes).flip();
                tensors.put(
                    spelling.apply(key),
                    new SafetensorsWriter.Tensor(info.dtype(), info.shape(), copy));
              });
    }
    SafetensorsWriter.write(folder.resolve(AdapterDirectory.WEIGHTS), tensors, Map.of());
  }

  @ParameterizedTest
  @CsvSource({
    "lora_([AB]).weight, lora_$1.default.weight",
    "^base_model.model., ''",
    "lora_magnitude_vector$, lora_magnitude_vector.weight",
    "lora_magnitude_vector$, lora_magnitude_vector.default",
    "lora_magnitude_vector$, lora_magnitude_vector.default.weight",
    "(embed_tokens|lm_head|norm).weight$, $1.modules_to_save.default.weight",
    "(embed_tokens|lm_head|norm).weight$, $1.modules_to_save.weight",
  })
  void otherSpellingsOfKeys(String regex, String replacement) throws IOException {
    spell("saved-all", key -> key.replaceFirst(regex, replacement));
    try (Decoder decoder = base("saved-all");
        LoraAdapter adapter = LoraAdapter.load(folder, decoder.config())) {
      decoder.attach(adapter);
      assertReference(decoder, "saved-all");
      decoder.detach();
    }
  }

  @Test
  void refusesTwoAdaptersInOneFile() throws IOException {
    int[] count = {0};
    spell(
        "patterns",
        key -> key.replace(".weight", count[0]++ == 0 ? ".first.weight" : ".second.weight"));
    assertThatThrownBy(() -> LoraAdapter.load(folder, Reference.config("gqa-tied")))
        .hasMessageContaining("tensors of several adapters, [first, second]");
  }

  @Test
  void severalInOneBatchActEachOnItsOwnRows() {
    int[][] rows = Reference.rows();
    int[][] positions = Reference.positions();
    int[] choice = {1, -1, 0};
    Recipe.Lora dora =
        new Recipe.Lora(
            2,
            4,
            List.of("q_proj", "up_proj"),
            false,
            true,
            new TreeMap<>(),
            new TreeMap<>(),
            List.of());
    try (Decoder decoder = base("patterns");
        LoraAdapter first = LoraAdapter.load(saved("patterns"), decoder.config());
        LoraAdapter second = LoraAdapter.fresh(decoder, LoraConfig.of(dora), 3)) {
      second.shapes().keySet().stream()
          .filter(n -> n.contains("lora_B"))
          .forEach(n -> second.write(n, Reference.filled(n, second.shapes().get(n))));
      float[][] alone = new float[2 * rows.length][];
      for (int b = 0; b < rows.length; b++) {
        if (choice[b] >= 0) {
          decoder.attach(choice[b] == 0 ? first : second);
        }
        try (Logits logits = decoder.logits(new int[][] {rows[b]}, new int[][] {positions[b]})) {
          alone[2 * b] = logits.line(0);
          alone[2 * b + 1] = logits.line(1);
        }
        decoder.detach();
      }
      decoder.attach(List.of(first, second));
      try (Logits logits = decoder.logits(rows, positions, choice);
          Logits others = decoder.logits(rows, positions, new int[] {0, 1, -1})) {
        for (int i = 0; i < alone.length; i++) {
          assertThat(Reference.relativeError(logits.line(i), alone[i])).isLessThan(1e-5);
          assertThat(Reference.relativeError(others.line(i), alone[i])).isGreaterThan(0.01);
        }
      }
      int[][] prompts =
          Arrays.stream(rows).map(r -> Arrays.copyOf(r, r.length - 1)).toArray(int[][]::new);
      try (KeyValueCache cache = decoder.prefill(prompts, 1, choice)) {
        cache.keep(2, 0);
        int[] last = {rows[2][rows[2].length - 1], rows[0][rows[0].length - 1]};
        try (Logits logits = decoder.step(cache, last)) {
          assertThat(Reference.relativeError(logits.line(0), alone[5])).isLessThan(1e-5);
          assertThat(Reference.relativeError(logits.line(1), alone[1])).isLessThan(1e-5);
        }
      }
      assertThatThrownBy(() -> decoder.logits(rows, positions))
          .hasMessageContaining("say for each row which one acts");
      assertThatThrownBy(() -> decoder.logits(rows, positions, new int[] {0, 2, 1}))
          .hasMessageContaining("row 1: no adapter 2 of 2");
      decoder.detach();
    }
  }

  @Test
  void refusesStoredModulesInASharedBatch() {
    try (Decoder decoder = base("saved-head");
        LoraAdapter plain = LoraAdapter.load(saved("patterns"), decoder.config());
        LoraAdapter whole = LoraAdapter.load(saved("saved-head"), decoder.config())) {
      assertThatThrownBy(() -> decoder.attach(List.of(plain, whole)))
          .hasMessageContaining("cannot share a batch");
      assertThatThrownBy(() -> decoder.merge(whole)).hasMessageContaining("stores embedding");
    }
  }

  @Test
  void bringsItsTokensWhileAttached() {
    try (Decoder decoder = base("resized-tied");
        LoraAdapter adapter = LoraAdapter.load(saved("resized-tied"), decoder.config())) {
      int[][] rows = {{41}};
      assertThatThrownBy(() -> decoder.logits(rows, new int[][] {{0}}))
          .hasMessageContaining("outside the vocabulary of 40");
      decoder.attach(adapter);
      assertThat(decoder.config().vocabularySize()).isEqualTo(44);
      decoder.logits(rows, new int[][] {{0}}).close();
      decoder.detach();
      assertThat(decoder.config().vocabularySize()).isEqualTo(40);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradients(String name) {
    int[] row = {3, 17, 5, 9, 22};
    int[][] targets = {{17, 5, 9, 22, 1}};
    try (Decoder decoder = base(name);
        LoraAdapter adapter = LoraAdapter.load(saved(name), decoder.config());
        Trainable trainable = Trainable.of(decoder, adapter)) {
      trainable.accumulate(
          new int[][] {row},
          new int[][] {{0, 1, 2, 3, 4}},
          targets,
          (logits, ids) ->
              torch.cross_entropy_loss(logits, ids, new TensorOptional(), 2, -100, 0.0),
          1);
      CASES
          .path(name)
          .path("gradients")
          .properties()
          .forEach(
              field -> {
                ParameterLayout.Slot slot = adapter.slots().get(field.getKey());
                float[] expected = new float[field.getValue().size()];
                for (int i = 0; i < expected.length; i++) {
                  expected[i] = (float) field.getValue().get(i).asDouble();
                }
                float[] found = Natives.read(trainable.gradients(), slot.offset(), expected.length);
                assertThat(Reference.relativeError(found, expected))
                    .as(field.getKey())
                    .isLessThan(1e-4);
              });
    }
  }

  @Test
  void freshChangesNothingWhateverItsKind() {
    Recipe.Lora lora =
        new Recipe.Lora(
            2,
            4,
            List.of(),
            true,
            true,
            new TreeMap<>(Map.of("q_proj", 3)),
            new TreeMap<>(),
            List.of("embed_tokens", "lm_head", "norm"));
    for (String name : List.of("gqa-tied", "bias", "untied", "qwen2")) {
      try (Decoder decoder = Reference.decoder(name);
          LoraAdapter adapter = LoraAdapter.fresh(decoder, LoraConfig.of(lora), 7);
          Logits before = decoder.logits(Reference.rows(), Reference.positions())) {
        decoder.attach(adapter);
        try (Logits after = decoder.logits(Reference.rows(), Reference.positions())) {
          assertThat(Reference.relativeError(after.line(5), before.line(5))).isLessThan(1e-5);
        }
        decoder.detach();
      }
    }
  }
}
