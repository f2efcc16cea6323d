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
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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
        .containsEntry("targets", "[v_proj, down_proj, q_proj]")
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
        "fan_in_fan_out|true",
        "lora_bias|true",
        "trainable_token_indices|[1]",
        "auto_mapping|{\"base_model_class\":\"X\"}",
        "r|0",
        "r|\"2\"",
        "lora_alpha|-1",
        "use_rslora|1",
        "target_modules|3",
        "bias|\"lora_only\"",
        "layer_replication|[[0,1],[0,2]]",
        "layers_to_transform|\"first\"",
        "modules_to_save|[3]",
        "rank_pattern|4",
        "arrow_config|{}",
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

  @ParameterizedTest
  @CsvSource({"target_modules, embed_tokens", "target_modules, lm_head"})
  void refusesModulesThatCannotBeAdapted(String key, String module) throws IOException {
    Fixture.edit(config, c -> ((ArrayNode) c.get(key)).add(module));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(p -> assertThat(p.key()).isEqualTo(key))
        .satisfies(p -> assertThat(p.found()).endsWith(module));
  }

  @Test
  void refusesAProjectionToBeStoredWhole() throws IOException {
    Fixture.edit(config, c -> c.putArray("modules_to_save").add("mlp").add("o_proj"));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .filteredOn(p -> p.key().equals("modules_to_save"))
        .extracting(Problem::found)
        .contains("model.layers.0.mlp", "model.layers.1.self_attn.o_proj");
  }

  @Test
  void warnsOfTargetsThatMatchNothing() throws IOException {
    Fixture.edit(config, c -> ((ArrayNode) c.get("target_modules")).add("c_attn"));
    Inspection found = AdapterDirectory.inspect(adapter, base);
    assertThat(found.accepted()).isTrue();
    assertThat(found.problems())
        .singleElement()
        .satisfies(p -> assertThat(p.found()).isEqualTo("c_attn"));
    Fixture.edit(config, c -> c.putArray("target_modules").add("c_attn"));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .anySatisfy(
            p -> {
              assertThat(p.key()).isEqualTo("target_modules");
              assertThat(p.found()).isEqualTo("[\"c_attn\"]");
            });
  }

  @ParameterizedTest
  @CsvSource({
    "target_modules, q_(proj",
    "modules_to_save, '[\"n(orm\"]'",
    "rank_pattern, '{\"q_(proj\":4}'",
    "rank_pattern, '{\"q_proj\":-4}'",
    "alpha_pattern, '{\"q_proj\":0}'",
  })
  void refusesWhatIsNoPattern(String key, String value) throws IOException {
    Fixture.edit(
        config, c -> c.set(key, Fixture.tree(value.startsWith("q") ? '"' + value + '"' : value)));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .anySatisfy(p -> assertThat(p.key()).startsWith(key));
  }

  @Test
  void takesPatternsMagnitudesAndStoredModulesByTheirShapes() throws IOException {
    Fixture.edit(
        config,
        c -> {
          c.put("use_dora", true);
          c.putObject("rank_pattern").put("layers.1.self_attn.q_proj", 3);
          c.putArray("modules_to_save").add("lm_head");
        });
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .extracting(Problem::key, Problem::expected)
        .contains(
            tuple(Q + "lora_A.weight", "[3, 8], by adapter_config.json and the base"),
            tuple(Q + "lora_magnitude_vector", "shape [8], by adapter_config.json and the base"))
        .anySatisfy(
            t -> assertThat(t.toList().get(0)).isEqualTo("base_model.model.lm_head.weight"));
  }

  @Test
  void readsOtherSpellingsOfKeys() {
    Fixture.rewrite(
        weights,
        tensors -> {
          var before = new java.util.TreeMap<>(tensors);
          tensors.clear();
          before.forEach(
              (name, tensor) ->
                  tensors.put(
                      name.replace("base_model.model.", "").replace(".weight", ".default.weight"),
                      tensor));
        });
    assertThat(AdapterDirectory.inspect(adapter, base).problems()).isEmpty();
    Fixture.rewrite(
        weights,
        tensors -> tensors.put("other.lora_A.mine.weight", tensors.get(tensors.firstKey())));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .extracting(Problem::found)
        .contains("tensors of several adapters, [default, mine], in one file");
  }

  @Test
  void refusesKeysOfModulesThatTheBaseLacks() {
    Fixture.rewrite(
        weights,
        t ->
            t.put(
                "base_model.model.model.layers.1.self_attn.qkv_proj.lora_A.weight",
                t.get(Q + "lora_A.weight")));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(p -> assertThat(p.key()).contains("qkv_proj"));
  }

  private static Tensor matrix(long rows, long columns) {
    ByteBuffer bytes =
        ByteBuffer.allocate((int) (rows * columns * Float.BYTES))
            .order(java.nio.ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(0, 0.5f);
    return new Tensor(DType.F32, List.of(rows, columns), bytes);
  }

  @Test
  void takesEmbeddingsResizedForTokensOfItsOwn() throws IOException {
    long rows =
        Fixture.tree(Files.readString(base.resolve("config.json"))).path("vocab_size").asLong();
    Path own = Files.copy(base.resolve("tokenizer.json"), adapter.resolve("tokenizer.json"));
    Fixture.edit(
        own,
        t ->
            t.withArray("added_tokens")
                .addObject()
                .put("id", rows)
                .put("content", "<mine>")
                .put("special", true));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(p -> assertThat(p.found()).contains("<mine>"));
    Fixture.rewrite(
        weights, t -> t.put("base_model.model.model.embed_tokens.weight", matrix(rows + 1, 8)));
    Fixture.rewrite(weights, t -> t.put("base_model.model.lm_head.weight", matrix(rows + 1, 8)));
    Inspection found = AdapterDirectory.inspect(adapter, base);
    assertThat(found.problems()).isEmpty();
    assertThat(found.paths()).contains("tokenizer.json");
    assertThat(found.facts()).containsEntry("tokens added", "1");
    Fixture.rewrite(weights, t -> t.put("base_model.model.lm_head.weight", matrix(rows + 2, 8)));
    assertThat(AdapterDirectory.inspect(adapter, base).accepted()).isFalse();
  }

  @Test
  void refusesAnAdapterMadeForAnotherModelThatIsThere() throws Exception {
    Path other = Fixture.copy("sharded", folder.resolve("other"));
    Fixture.edit(config, c -> c.put("base_model_name_or_path", other.toString()));
    assertThat(AdapterDirectory.inspect(adapter, base).problems()).isEmpty();
    Fixture.rewrite(
        other.resolve("model-00001-of-00002.safetensors"),
        t -> t.get(t.firstKey()).bytes().putFloat(0, 0.123f));
    assertThat(refusals(AdapterDirectory.inspect(adapter, base)))
        .singleElement()
        .satisfies(p -> assertThat(p.key()).isEqualTo("base_model_name_or_path"))
        .satisfies(p -> assertThat(p.found()).contains("whose weights are not those of the base"));
  }

  @Test
  void warnsWhereTheBaseCallsItselfOtherwise() throws IOException {
    Fixture.edit(base.resolve("config.json"), c -> c.put("_name_or_path", "example/other"));
    Inspection found = AdapterDirectory.inspect(adapter, base);
    assertThat(found.accepted()).isTrue();
    assertThat(found.problems())
        .singleElement()
        .satisfies(p -> assertThat(p.found()).isEqualTo("example/base"))
        .satisfies(p -> assertThat(p.expected()).startsWith("example/other"));
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

  /** Patterns on which a matcher that tries one way after another does not come to an end. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*x",
        "(([a-z._0-9])+)+x",
        "(?:[a-z._0-9]|[a-z._0-9])*x",
        "(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||)(|||).*x"
      })
  @Timeout(20)
  void patternsOfStrangersEnd(String pattern) throws IOException {
    Fixture.edit(config, c -> c.put("target_modules", pattern));
    assertThat(AdapterDirectory.inspect(adapter, base).accepted()).isFalse();
    Fixture.edit(
        config,
        c -> {
          c.putArray("target_modules").add("q_proj").add("down_proj");
          c.putObject("rank_pattern").put(pattern, 3);
          c.putObject("alpha_pattern").put(pattern, 3);
        });
    assertThat(AdapterDirectory.inspect(adapter, base).problems())
        .noneMatch(p -> p.key().startsWith("rank_pattern"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "(?!.*visual).*q_proj|what looks ahead, behind or back is not supported: list the modules'",
        "(?<=self_attn.)q_proj|what looks ahead, behind or back is not supported",
        "(.)\\1.*|what looks ahead, behind or back is not supported",
        "((.{900}){900}){900}|it repeats more than 1000 times",
        "(.{99999}|a regular expression"
      })
  void namesPatternsThatItDoesNotTake(String pattern, String told) throws IOException {
    Fixture.edit(config, c -> c.put("target_modules", pattern));
    assertThat(AdapterDirectory.inspect(adapter).problems())
        .anySatisfy(
            p -> {
              assertThat(p.key()).isEqualTo("target_modules");
              assertThat(p.expected()).contains(told);
            });
  }
}
