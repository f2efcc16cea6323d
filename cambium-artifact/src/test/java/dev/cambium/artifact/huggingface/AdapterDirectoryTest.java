package dev.cambium.artifact.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.huggingface.Problem.Severity;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsWriter.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdapterDirectoryTest {

  private static final String Q = "base_model.model.model.layers.1.self_attn.q_proj.";

  @TempDir Path folder;
  private Path base;
  private Path adapter;
  private Path config;
  private Path weights;

  @BeforeEach
  void copy() throws Exception {
    base = Fixture.copy("sharded", folder.resolve("base"));
    adapter = Fixture.copy("adapter", folder.resolve("adapter"));
    config = adapter.resolve("adapter_config.json");
    weights = adapter.resolve("adapter_model.safetensors");
  }

  @Test
  void acceptsWhatPeftWrote() {
    Inspection on = AdapterDirectory.inspect(adapter, base);
    assertThat(on.problems()).isEmpty();
    assertThat(on.accepted()).isTrue();
    assertThat(on.kind()).isEqualTo(Inspection.Kind.ADAPTER);
    assertThat(on.architecture()).isEqualTo("LORA");
    // Per layer: q 2×8 + 8×2, v 2×8 + 4×2, down 2×6 + 8×2.
    assertThat(on.parameters()).isEqualTo(2 * (32 + 24 + 28));
    assertThat(on.paths()).containsExactly("adapter_config.json", "adapter_model.safetensors");
    assertThat(on.facts())
        .containsEntry("rank", "2")
        .containsEntry("scale", "2.0")
        .containsEntry("targets", "[q_proj, v_proj, down_proj]")
        .containsEntry("made for", "example/base")
        .containsEntry("checked against", base.toString());
    Inspection alone = Inspection.of(adapter);
    assertThat(alone.problems()).isEmpty();
    assertThat(alone.facts()).containsEntry("checked against", "no base");
  }

  @Test
  void refusesABaseOfOtherShapes() throws IOException {
    Fixture.edit(base.resolve("config.json"), c -> c.put("head_dim", 6));
    Inspection on = AdapterDirectory.inspect(adapter, base);
    assertThat(on.problems())
        .extracting(Problem::found, Problem::expected)
        .contains(tuple("shape [8, 2]", "[12, 2], by adapter_config.json and the base"));
    assertThat(on.accepted()).isFalse();
  }

  @Test
  void refusesABaseWithMoreOrFewerLayers() throws IOException {
    Fixture.edit(base.resolve("config.json"), c -> c.put("num_hidden_layers", 3));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .hasSize(6)
        .allSatisfy(p -> assertThat(p.key()).contains("layers.2."))
        .allSatisfy(p -> assertThat(p.found()).isEqualTo("no such tensor"));
    Fixture.edit(base.resolve("config.json"), c -> c.put("num_hidden_layers", 1));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .hasSize(6)
        .allSatisfy(p -> assertThat(p.key()).contains("layers.1."))
        .allSatisfy(p -> assertThat(p.found()).startsWith("a tensor of shape"));
  }

  @Test
  void refusesABaseThatIsNoModel() throws IOException {
    Files.delete(base.resolve("config.json"));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(p -> assertThat(p.key()).isEqualTo("base"));
  }

  @Test
  void coversEveryTargetInBothDirections() throws IOException {
    Fixture.rewrite(weights, t -> t.remove(Q + "lora_B.weight"));
    for (Inspection found :
        List.of(AdapterDirectory.inspect(adapter), AdapterDirectory.inspect(adapter, base))) {
      assertThat(refusals(found))
          .singleElement()
          .satisfies(p -> assertThat(p.key()).isEqualTo(Q + "lora_B.weight"))
          .satisfies(p -> assertThat(p.found()).isEqualTo("no such tensor"));
    }
  }

  @Test
  void refusesTensorsThatTheConfigDoesNotTarget() throws IOException {
    Fixture.edit(config, c -> c.putArray("target_modules").add("q_proj").add("down_proj"));
    assertThat(refusals(AdapterDirectory.inspect(adapter)))
        .hasSize(4)
        .allSatisfy(p -> assertThat(p.key()).contains("v_proj"));
  }

  @Test
  void refusesAnotherRankThanTheConfigs() throws IOException {
    Fixture.edit(config, c -> c.put("r", 4));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .hasSize(12)
        .extracting(Problem::found, Problem::expected)
        .contains(tuple("shape [2, 8]", "[4, 8], by adapter_config.json and the base"));
  }

  @Test
  void refusesLayersOfDifferentShapesEvenWithoutABase() {
    Fixture.rewrite(
        weights,
        t ->
            t.put(
                Q + "lora_A.weight",
                new Tensor(DType.F32, List.of(2L, 9L), ByteBuffer.allocate(72))));
    assertThat(refusals(AdapterDirectory.inspect(adapter)))
        .singleElement()
        .satisfies(p -> assertThat(p.key()).isEqualTo(Q + "lora_A.weight"));
  }

  @Test
  void refusesAnAdapterThatChangesNothing() {
    Fixture.rewrite(
        weights,
        t ->
            t.forEach(
                (name, tensor) -> {
                  if (name.contains("lora_B")) {
                    Fixture.zero(tensor);
                  }
                }));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(p -> assertThat(p.found()).isEqualTo("only zeros in all 6 of them"));
  }

  @Test
  void warnsOfOneModuleThatChangesNothing() {
    Fixture.rewrite(
        weights,
        t -> {
          Fixture.zero(t.get(Q + "lora_B.weight"));
          t.get(Q + "lora_B.weight").bytes().put(3, (byte) 0x80); // Negative zero.
        });
    Inspection found = AdapterDirectory.inspect(adapter, base);
    assertThat(found.accepted()).isTrue();
    assertThat(found.problems())
        .singleElement()
        .satisfies(p -> assertThat(p.severity()).isEqualTo(Severity.WARNING))
        .satisfies(p -> assertThat(p.key()).isEqualTo(Q + "lora_B.weight"));
  }

  @Test
  void refusesWeightsThatAreNotFinite() {
    Fixture.rewrite(weights, t -> t.get(Q + "lora_A.weight").bytes().putFloat(4, Float.NaN));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(
            p ->
                assertThat(p.found())
                    .isEqualTo("1 NaN and 0 infinite values, the first at index 1"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "peft_type|\"IA3\"",
        "task_type|\"SEQ_CLS\"",
        "bias|\"all\"",
        "use_dora|true",
        "fan_in_fan_out|true",
        "modules_to_save|[\"lm_head\"]",
        "layers_to_transform|[0]",
        "rank_pattern|{\"q_proj\":4}",
        "alpha_pattern|{\"q_proj\":4}",
        "lora_bias|true",
        "trainable_token_indices|[1]",
        "auto_mapping|{\"base_model_class\":\"X\"}",
        "r|0",
        "r|\"2\"",
        "lora_alpha|-1",
        "use_rslora|1",
        "target_modules|\"q_.*\"",
        "target_modules|[]",
      })
  void refusesAnOptionItDoesNotSupportByName(String key, String value) throws IOException {
    Fixture.edit(config, c -> c.set(key, Fixture.tree(value)));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .anySatisfy(
            p -> {
              assertThat(p.file()).isEqualTo("adapter_config.json");
              assertThat(p.key()).isEqualTo(key);
              assertThat(p.found()).isEqualTo(value);
            });
  }

  @Test
  void refusesTargetsItDoesNotKnowByName() throws IOException {
    Fixture.edit(
        config, c -> ((ArrayNode) c.get("target_modules")).add("embed_tokens").add("q_proj"));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .extracting(Problem::found)
        .containsExactly("embed_tokens, q_proj twice");
  }

  @Test
  void readsAllLinear() throws IOException {
    Fixture.edit(config, c -> c.put("target_modules", "all-linear"));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .hasSize(16)
        .allSatisfy(p -> assertThat(p.key()).containsPattern("k_proj|o_proj|gate_proj|up_proj"));
  }

  @Test
  void readsRankStabilizedScale() throws IOException {
    Fixture.edit(config, c -> c.put("use_rslora", true).put("lora_alpha", 3).put("r", 2));
    assertThat(AdapterDirectory.inspect(adapter).facts())
        .containsEntry("scale", String.valueOf(3 / Math.sqrt(2)));
  }

  @Test
  void namesPicklesAndMissingFiles() throws IOException {
    Files.delete(weights);
    Files.writeString(adapter.resolve("adapter_model.bin"), "never read");
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(p -> assertThat(p.found()).contains("only pickles: [adapter_model.bin]"));
    Files.delete(config);
    Inspection found = AdapterDirectory.inspect(adapter, base);
    assertThat(found.kind()).isEqualTo(Inspection.Kind.UNKNOWN);
    assertThat(refusals(found))
        .extracting(Problem::file)
        .containsExactly("adapter_config.json", "adapter_model.safetensors");
  }

  @Test
  void refusesAnotherTokenizerThanTheBases() throws IOException {
    Path own = Files.copy(base.resolve("tokenizer.json"), adapter.resolve("tokenizer.json"));
    Fixture.edit(own, t -> t.without("nothing"));
    assertThat(AdapterDirectory.inspect(adapter, base).problems()).isEmpty();
    Fixture.edit(own, t -> ((ObjectNode) t.path("model").path("vocab")).put("new", 14));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(p -> assertThat(p.file()).isEqualTo("tokenizer.json"));
  }

  @Test
  void looksAtASingleFile() throws IOException {
    Inspection file = Inspection.of(weights);
    assertThat(file.kind()).isEqualTo(Inspection.Kind.FILE);
    assertThat(file.accepted()).isTrue();
    assertThat(file.tensors()).hasSize(12);
    assertThat(file.size()).isEqualTo(Files.size(weights));
    assertThat(file.facts()).containsEntry("metadata format", "pt");
    Path pickle = Files.writeString(folder.resolve("w.pt"), "x");
    assertThat(Inspection.of(pickle).problems())
        .singleElement()
        .satisfies(p -> assertThat(p.remedy()).contains("never read"));
    Path text = Files.writeString(folder.resolve("w.txt"), "hello");
    assertThat(Inspection.of(text).problems())
        .singleElement()
        .satisfies(p -> assertThat(p.key()).isEqualTo("header length"));
  }

  private static List<Problem> refusals(Inspection inspection) {
    assertThat(inspection.accepted()).isFalse();
    return inspection.problems().stream().filter(p -> p.severity() == Severity.REFUSED).toList();
  }
}
