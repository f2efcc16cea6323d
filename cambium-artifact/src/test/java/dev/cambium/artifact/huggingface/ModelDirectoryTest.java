package dev.cambium.artifact.huggingface;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.artifact.Versions;
import dev.cambium.artifact.huggingface.Problem.Severity;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsWriter.Tensor;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.VersionKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelDirectoryTest {

  private static final String K_PROJ = "model.layers.1.self_attn.k_proj.weight";

  @TempDir Path folder;
  private Path sharded;
  private Path untied;

  @BeforeEach
  void copy() throws Exception {
    sharded = Fixture.copy("sharded", folder.resolve("sharded"));
    untied = Fixture.copy("untied", folder.resolve("untied"));
  }

  @Test
  void acceptsAShardedTiedModel() {
    Inspection model = ModelDirectory.inspect(sharded);
    assertThat(model.problems()).isEmpty();
    assertThat(model.accepted()).isTrue();
    assertThat(model.kind()).isEqualTo(Inspection.Kind.MODEL);
    assertThat(model.architecture()).isEqualTo("LlamaForCausalLM");
    // 16×8 embedding, 8 norm; per layer 8×8 q and o, 4×8 k and v, three of 6×8, two norms of 8.
    assertThat(model.parameters()).isEqualTo(128 + 8 + 2 * (128 + 64 + 144 + 16));
    assertThat(model.dtypes()).containsExactly(DType.F32);
    assertThat(model.tensors()).hasSize(2 + 2 * 9);
    assertThat(model.tensors())
        .contains(
            new Inspection.TensorSummary(
                "model-00002-of-00002.safetensors", K_PROJ, DType.F32, List.of(4L, 8L)));
    assertThat(model.facts())
        .containsEntry("layers", "2")
        .containsEntry("rope", "llama3")
        .containsEntry("embeddings", "tied")
        .containsEntry("heads", "2 (1 for keys and values)")
        .containsEntry("tokenizer ids", "14")
        .containsEntry("chat template", "chat_template.jinja");
    assertThat(model.paths())
        .containsExactly(
            "chat_template.jinja",
            "config.json",
            "generation_config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json",
            "tokenizer_config.json");
    assertThat(model.size())
        .isEqualTo(
            model.files().stream()
                .mapToLong(f -> sharded.resolve(f.name()).toFile().length())
                .sum());
    assertThat(Inspection.of(sharded)).isEqualTo(model);
  }

  @Test
  void acceptsAnUntiedModelWithBiasesInBf16() {
    Inspection model = ModelDirectory.inspect(untied);
    assertThat(model.problems()).isEmpty();
    assertThat(model.dtypes()).containsExactly(DType.BF16);
    assertThat(model.tensors())
        .extracting(Inspection.TensorSummary::name)
        .contains("lm_head.weight", "model.layers.0.self_attn.o_proj.bias");
    assertThat(model.facts()).containsEntry("head width", "6").containsEntry("rope", "default");
  }

  @Test
  void becomesAVersionOfItsFilesOnly() throws IOException {
    Files.writeString(untied.resolve("notes.txt"), "mine");
    Files.createDirectories(untied.resolve(".cache"));
    Inspection model = ModelDirectory.inspect(untied);
    assertThat(model.accepted()).isTrue();
    assertThat(model.ignored()).containsExactly(".cache", "notes.txt");
    LocalArtifactStore store = LocalArtifactStore.open(folder.resolve("store"));
    Manifest manifest = new Versions(store).store(VersionKind.MODEL, null, untied, model.paths());
    new Versions(store).materialize(manifest, folder.resolve("out"));
    Inspection out = ModelDirectory.inspect(folder.resolve("out"));
    assertThat(out.tensors()).isEqualTo(model.tensors());
    assertThat(out.ignored()).isEmpty();
  }

  @Test
  void goesOutAsJson() {
    JsonNode json = Json.mapper().valueToTree(ModelDirectory.inspect(untied));
    assertThat(json.path("accepted").asBoolean()).isTrue();
    assertThat(json.path("kind").asText()).isEqualTo("model");
    assertThat(json.path("dtypes").toString()).isEqualTo("[\"BF16\"]");
    assertThat(json.path("tensors").path(0).path("shape").isArray()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[\"Qwen3MoeForCausalLM\"]",
        "[\"LlamaForSequenceClassification\"]",
        "[\"LlamaForCausalLM\",\"Other\"]",
        "[]",
        "null"
      })
  void refusesOtherArchitecturesByName(String architectures) throws IOException {
    Fixture.edit(
        untied.resolve("config.json"), c -> c.set("architectures", Fixture.tree(architectures)));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.file()).isEqualTo("config.json");
    assertThat(problem.key()).isEqualTo("architectures");
    assertThat(problem.found()).isEqualTo(architectures);
    assertThat(problem.expected()).startsWith("one of [LlamaForCausalLM, ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "model_type|\"mistral\"|\"llama\"",
        "model_type|null|\"llama\"",
        "hidden_act|\"gelu\"|\"silu\"",
        "mlp_bias|true|false",
        "pretraining_tp|2|1",
        "partial_rotary_factor|0.5|1.0",
        "sliding_window|4096|no such field",
        "quantization_config|{\"bits\":4}|no such field",
        "auto_map|{\"AutoModel\":\"code.Model\"}|no such field",
        "layer_types|[\"sliding_attention\",\"full_attention\"]|\"full_attention\"",
        "hidden_size|\"8\"|a whole number from 1",
        "num_hidden_layers|0|a whole number from 1 to 10000",
        "num_hidden_layers|1000000000|a whole number from 1 to 10000",
        "num_attention_heads|null|a whole number from 1",
        "num_key_value_heads|3|a divisor of num_attention_heads, 2",
        "head_dim|5|an even number",
        "vocab_size|-1|a whole number from 1",
        "rms_norm_eps|0|a number above 0",
        "rope_theta|-1|a number above 0",
        "attention_bias|\"yes\"|true or false",
        "bos_token_id|16|an id from 0 to 15",
        "eos_token_id|[1,-1]|an id from 0 to 15",
      })
  void refusesAFieldItDoesNotSupportByName(String key, String value, String expected)
      throws IOException {
    Fixture.edit(untied.resolve("config.json"), c -> c.set(key, Fixture.tree(value)));
    Inspection model = ModelDirectory.inspect(untied);
    assertThat(model.accepted()).isFalse();
    assertThat(model.problems())
        .anySatisfy(
            p -> {
              assertThat(p.file()).isEqualTo("config.json");
              assertThat(p.key()).isEqualTo(key);
              assertThat(p.expected()).contains(expected);
              assertThat(p.remedy()).isNotEmpty();
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "{\"type\":\"default\"}",
        "{\"rope_type\":\"linear\",\"factor\":2.0}",
        "{\"type\":\"linear\",\"factor\":2}",
        "{\"type\":\"dynamic\",\"factor\":2}",
        "{\"type\":\"yarn\",\"factor\":2}",
        "{\"rope_type\":\"llama3\",\"factor\":8.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
            + "\"original_max_position_embeddings\":16}",
      })
  void acceptsTheSupportedRotaryScalingsInTheOldSpelling(String scaling) throws IOException {
    Fixture.edit(
        untied.resolve("config.json"),
        c -> {
          c.remove("rope_parameters");
          c.put("rope_theta", 500000.0);
          c.set("rope_scaling", Fixture.tree(scaling));
        });
    assertThat(ModelDirectory.inspect(untied).problems()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "rope_scaling|{\"rope_type\":\"su\",\"factor\":2.0}|rope_scaling.rope_type|\"su\"",
        "rope_scaling|{\"type\":\"dynamic\",\"alpha\":2.0,\"factor\":2}|rope_scaling.alpha|2.0",
        "rope_scaling|{\"factor\":2.0}|rope_scaling.rope_type|nothing",
        "rope_scaling|{\"rope_type\":\"linear\"}|rope_scaling.factor|nothing",
        "rope_scaling|{\"rope_type\":\"linear\",\"factor\":0}|rope_scaling.factor|0",
        "rope_scaling|{\"rope_type\":\"linear\",\"factor\":2,\"beta\":1}|rope_scaling.beta|1",
        "rope_scaling|2|rope_scaling|2",
        "rope_parameters|{\"rope_type\":\"longrope\"}|rope_parameters.rope_type|\"longrope\"",
        "rope_parameters|{\"rope_theta\":\"big\"}|rope_parameters.rope_theta|\"big\"",
        "rope_parameters|{\"attention_factor\":1.5}|rope_parameters.attention_factor|1.5",
      })
  void refusesOtherRotaryScalingsByName(String field, String value, String key, String found)
      throws IOException {
    Fixture.edit(
        untied.resolve("config.json"),
        c -> {
          c.remove("rope_parameters");
          c.set(field, Fixture.tree(value));
        });
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.key()).isEqualTo(key);
    assertThat(problem.found()).isEqualTo(found);
  }

  @Test
  void warnsOfAFieldItDoesNotKnow() throws IOException {
    Fixture.edit(untied.resolve("config.json"), c -> c.put("new_option", 3));
    Inspection model = ModelDirectory.inspect(untied);
    assertThat(model.accepted()).isTrue();
    assertThat(model.problems())
        .singleElement()
        .satisfies(p -> assertThat(p.severity()).isEqualTo(Severity.WARNING))
        .satisfies(p -> assertThat(p.key()).isEqualTo("new_option"));
  }

  @Test
  void refusesMalformedJsonWithItsPlace() throws IOException {
    Files.writeString(untied.resolve("config.json"), "{\n  \"a\": 1,\n  oops\n}");
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.file()).isEqualTo("config.json");
    assertThat(problem.found()).contains("malformed JSON (line 3, column");
    Files.writeString(untied.resolve("config.json"), "{\"a\": 1, \"a\": 2}");
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).found()).contains("Duplicate field 'a'");
    Files.writeString(untied.resolve("config.json"), "[]");
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).expected()).isEqualTo("a JSON object");
    Files.writeString(untied.resolve("config.json"), "");
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).expected()).isEqualTo("a JSON object");
  }

  @Test
  void refusesAMissingTensor() {
    Fixture.rewrite(untied.resolve("model.safetensors"), t -> t.remove(K_PROJ));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.key()).isEqualTo(K_PROJ);
    assertThat(problem.found()).isEqualTo("no such tensor");
  }

  @Test
  void refusesATensorThatNothingCallsFor() {
    Fixture.rewrite(
        untied.resolve("model.safetensors"),
        t -> {
          t.put("model.layers.0.extra.weight", t.get("model.norm.weight"));
          t.put("model.layers.0.self_attn.rotary_emb.inv_freq", t.get("model.norm.weight"));
        });
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).key())
        .isEqualTo("model.layers.0.extra.weight");
  }

  @Test
  void refusesAWrongShape() {
    Fixture.rewrite(
        untied.resolve("model.safetensors"),
        t -> t.put(K_PROJ, new Tensor(DType.BF16, List.of(8L, 6L), t.get(K_PROJ).bytes())));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.key()).isEqualTo(K_PROJ);
    assertThat(problem.found()).isEqualTo("shape [8, 6]");
    assertThat(problem.expected()).isEqualTo("[6, 8], by config.json");
  }

  @Test
  void listsOnlyTheFirstOfManyAlike() throws IOException {
    Fixture.edit(untied.resolve("config.json"), c -> c.put("num_hidden_layers", 30));
    Inspection model = ModelDirectory.inspect(untied);
    assertThat(model.problems()).hasSize(21);
    // 28 layers with 7 projections, 4 biases and 2 norms are missing.
    assertThat(model.problems())
        .last()
        .extracting(Problem::found)
        .isEqualTo(28 * 13 + " missing tensors");
  }

  @Test
  void refusesAnotherTypeOfWeights() {
    Fixture.rewrite(
        untied.resolve("model.safetensors"),
        t -> t.put(K_PROJ, new Tensor(DType.I8, List.of(6L, 8L), ByteBuffer.allocate(48))));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.key()).isEqualTo(K_PROJ);
    assertThat(problem.found()).isEqualTo("I8");
  }

  @Test
  void refusesWeightsThatAreNotFinite() {
    Fixture.rewrite(
        untied.resolve("model.safetensors"),
        t -> {
          t.get(K_PROJ).bytes().putShort(6, (short) 0x7fc0).putShort(10, (short) 0xff80);
        });
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.key()).isEqualTo(K_PROJ);
    assertThat(problem.found()).isEqualTo("1 NaN and 1 infinite values, the first at index 3");
  }

  @Test
  void aTiedHeadMustBeTheEmbedding() {
    Path shard = sharded.resolve("model-00001-of-00002.safetensors");
    tieHeadIn(shard, false);
    assertThat(ModelDirectory.inspect(sharded).problems()).isEmpty();
    tieHeadIn(shard, true);
    Problem problem = onlyRefusal(ModelDirectory.inspect(sharded));
    assertThat(problem.file()).isEqualTo("model-00001-of-00002.safetensors");
    assertThat(problem.key()).isEqualTo("lm_head.weight");
  }

  private void tieHeadIn(Path shard, boolean changed) {
    Fixture.rewrite(
        shard,
        t -> {
          Tensor embedding = t.get("model.embed_tokens.weight");
          ByteBuffer copy = ByteBuffer.allocate(embedding.bytes().remaining());
          copy.put(embedding.bytes().duplicate()).flip();
          if (changed) {
            copy.put(0, (byte) (copy.get(0) ^ 1));
          }
          t.put("lm_head.weight", new Tensor(DType.F32, embedding.shape(), copy));
        });
    try {
      Fixture.edit(
          sharded.resolve("model.safetensors.index.json"),
          i ->
              ((ObjectNode) i.get("weight_map"))
                  .put("lm_head.weight", shard.getFileName().toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void refusesAMissingShardByName() throws IOException {
    Files.delete(sharded.resolve("model-00002-of-00002.safetensors"));
    Problem problem = onlyRefusal(ModelDirectory.inspect(sharded));
    assertThat(problem.file()).isEqualTo("model-00002-of-00002.safetensors");
    assertThat(problem.expected()).contains("model.safetensors.index.json names");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../outside.safetensors", "/etc/x.safetensors", "a\\\\b.safetensors", "w.bin"})
  void refusesAShardOutsideOfTheDirectory(String shard) throws IOException {
    Files.copy(
        sharded.resolve("model-00002-of-00002.safetensors"), folder.resolve("outside.safetensors"));
    Fixture.edit(
        sharded.resolve("model.safetensors.index.json"),
        i -> ((ObjectNode) i.get("weight_map")).put(K_PROJ, shard));
    Problem problem = onlyRefusal(ModelDirectory.inspect(sharded));
    assertThat(problem.key()).isEqualTo("weight_map." + K_PROJ);
    assertThat(problem.expected()).contains("in this directory");
  }

  @Test
  void refusesAnIndexThatDisagreesWithItsShards() throws IOException {
    Fixture.edit(
        sharded.resolve("model.safetensors.index.json"),
        i -> ((ObjectNode) i.get("weight_map")).put(K_PROJ, "model-00001-of-00002.safetensors"));
    assertThat(onlyRefusal(ModelDirectory.inspect(sharded)).found())
        .isEqualTo(
            "it in model-00002-of-00002.safetensors, not in model-00001-of-00002.safetensors");
    Fixture.edit(
        sharded.resolve("model.safetensors.index.json"),
        i -> ((ObjectNode) i.get("weight_map")).remove(K_PROJ));
    Problem unnamed = onlyRefusal(ModelDirectory.inspect(sharded));
    assertThat(unnamed.file()).isEqualTo("model-00002-of-00002.safetensors");
    assertThat(unnamed.found()).isEqualTo("a tensor that the index does not name");
    Fixture.edit(sharded.resolve("model.safetensors.index.json"), i -> i.remove("weight_map"));
    assertThat(onlyRefusal(ModelDirectory.inspect(sharded)).key()).isEqualTo("weight_map");
  }

  @Test
  void refusesATensorInTwoShards() {
    Fixture.rewrite(
        sharded.resolve("model-00001-of-00002.safetensors"),
        t ->
            t.put(
                "model.norm.weight", new Tensor(DType.F32, List.of(8L), ByteBuffer.allocate(32))));
    assertThat(ModelDirectory.inspect(sharded).problems())
        .anySatisfy(
            p -> {
              assertThat(p.key()).isEqualTo("model.norm.weight");
              assertThat(p.found()).contains("also in model-00001-of-00002.safetensors");
            });
  }

  @Test
  void refusesAMalformedWeightsFile() throws IOException {
    byte[] bytes = Files.readAllBytes(untied.resolve("model.safetensors"));
    Files.write(untied.resolve("model.safetensors"), Arrays.copyOf(bytes, bytes.length - 2));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.file()).isEqualTo("model.safetensors");
    assertThat(problem.found()).contains("outside of the file");
  }

  @Test
  void refusesTwoSetsOfWeightsAndNone() throws IOException {
    Files.copy(untied.resolve("model.safetensors"), sharded.resolve("model.safetensors"));
    assertThat(onlyRefusal(ModelDirectory.inspect(sharded)).found()).startsWith("both it and");
    Files.delete(untied.resolve("model.safetensors"));
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).found()).startsWith("neither it nor");
  }

  @Test
  void namesPicklesAndReadsNone() throws IOException {
    Files.writeString(untied.resolve("pytorch_model.bin"), "not even a pickle");
    Files.writeString(untied.resolve("optimizer.pt"), "nor this");
    Inspection beside = ModelDirectory.inspect(untied);
    assertThat(beside.accepted()).isTrue();
    assertThat(beside.problems())
        .extracting(Problem::file)
        .containsExactly("optimizer.pt", "pytorch_model.bin");
    assertThat(beside.paths()).doesNotContain("pytorch_model.bin", "optimizer.pt");
    assertThat(beside.ignored()).contains("pytorch_model.bin", "optimizer.pt");

    Files.delete(untied.resolve("model.safetensors"));
    Problem alone = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(alone.found()).contains("only pickles: [optimizer.pt, pytorch_model.bin]");
    assertThat(alone.remedy()).contains("never read");
  }

  @Test
  void refusesSymbolicLinks() throws IOException {
    Path target = folder.resolve("elsewhere");
    Files.move(untied.resolve("generation_config.json"), target);
    Files.createSymbolicLink(untied.resolve("generation_config.json"), target);
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.file()).isEqualTo("generation_config.json");
    assertThat(problem.found()).contains("a symbolic link to " + target);
    assertThat(ModelDirectory.inspect(untied).paths()).doesNotContain("generation_config.json");
  }

  @Test
  void refusesAVocabularyLargerThanTheEmbedding() throws IOException {
    Fixture.edit(
        untied.resolve("tokenizer.json"),
        t -> ((ObjectNode) t.path("model").path("vocab")).put("last", 15));
    assertThat(ModelDirectory.inspect(untied).problems()).isEmpty();
    Fixture.edit(
        untied.resolve("tokenizer.json"),
        t -> ((ObjectNode) t.path("model").path("vocab")).put("beyond", 16));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.file()).isEqualTo("tokenizer.json");
    assertThat(problem.found()).isEqualTo("a token with id 16");
    assertThat(problem.expected()).contains("below 16");
  }

  @Test
  void countsAddedTokensAndListsOfTokens() throws IOException {
    Fixture.edit(
        untied.resolve("tokenizer.json"),
        t -> ((ObjectNode) t.path("added_tokens").path(1)).put("id", 40));
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).found()).isEqualTo("a token with id 40");
    Files.writeString(
        untied.resolve("tokenizer.json"),
        "{\"model\":{\"vocab\":[" + "[\"a\",0.0],".repeat(16) + "[\"b\",0.0]]}}");
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).found()).isEqualTo("a token with id 16");
    Files.writeString(untied.resolve("tokenizer.json"), "{}");
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).found()).isEqualTo("no tokens");
  }

  @Test
  void refusesAModelWithoutATokenizerOrConfig() throws IOException {
    Files.delete(untied.resolve("tokenizer.json"));
    assertThat(onlyRefusal(ModelDirectory.inspect(untied)).file()).isEqualTo("tokenizer.json");
    Files.delete(sharded.resolve("config.json"));
    Inspection unknown = Inspection.of(sharded);
    assertThat(unknown.kind()).isEqualTo(Inspection.Kind.UNKNOWN);
    assertThat(onlyRefusal(unknown).file()).isEqualTo("config.json");
  }

  @Test
  void findsTheChatTemplateWhereverItIs() throws IOException {
    Files.delete(untied.resolve("chat_template.jinja"));
    assertThat(ModelDirectory.inspect(untied).facts()).containsEntry("chat template", "none");
    Fixture.edit(untied.resolve("tokenizer_config.json"), t -> t.put("chat_template", "{{ x }}"));
    assertThat(ModelDirectory.inspect(untied).facts())
        .containsEntry("chat template", "tokenizer_config.json");
  }

  @Test
  void refusesSpecialTokensOfGenerationBeyondTheVocabulary() throws IOException {
    Fixture.edit(untied.resolve("generation_config.json"), g -> g.put("eos_token_id", 128001));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.file()).isEqualTo("generation_config.json");
    assertThat(problem.key()).isEqualTo("eos_token_id");
    assertThat(problem.found()).isEqualTo("128001");
    assertThat(problem.line())
        .isEqualTo(
            "generation_config.json: eos_token_id: found 128001; expected an id from 0 to 15."
                + " Correct eos_token_id in generation_config.json.");
  }

  @Test
  void refusesATokenizerWhoseSpecialTokensHaveOtherIds() throws IOException {
    Fixture.edit(untied.resolve("tokenizer_config.json"), t -> t.put("eos_token", "c"));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.line())
        .startsWith(
            "tokenizer_config.json: eos_token: found \"c\", id 4 in tokenizer.json; expected the"
                + " token of id [1], by eos_token_id of config.json or generation_config.json.");
  }

  @Test
  void refusesASpecialTokenThatTheTokenizerLacks() throws IOException {
    Fixture.edit(
        untied.resolve("tokenizer_config.json"),
        t -> t.set("bos_token", Fixture.tree("{\"content\": \"<|begin|>\"}")));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.key()).isEqualTo("bos_token");
    assertThat(problem.found()).isEqualTo("\"<|begin|>\"");
    assertThat(problem.expected()).isEqualTo("a token of tokenizer.json");
  }

  /** What fine-tuning leaves behind: another token with a role, which no configuration lists. */
  @ParameterizedTest
  @CsvSource({"eos,Both are heeded", "bos,texts and templates begin with"})
  void warnsOfARoleThatFineTuningMoved(String role, String told) throws IOException {
    Fixture.edit(
        untied.resolve("tokenizer.json"),
        t ->
            t.set(
                "added_tokens",
                Fixture.tree(
                    "[{\"id\":0,\"content\":\"<s>\",\"special\":true},"
                        + "{\"id\":1,\"content\":\"</s>\",\"special\":true},"
                        + "{\"id\":6,\"content\":\"<|end|>\",\"special\":true}]")));
    Fixture.edit(untied.resolve("tokenizer_config.json"), t -> t.put(role + "_token", "<|end|>"));
    Inspection model = ModelDirectory.inspect(untied);
    assertThat(model.accepted()).isTrue();
    assertThat(model.problems())
        .singleElement()
        .satisfies(
            p -> {
              assertThat(p.key()).isEqualTo(role + "_token");
              assertThat(p.found()).isEqualTo("\"<|end|>\", id 6");
              assertThat(p.remedy()).contains(told);
            });
  }

  @Test
  void warnsOfAFurtherEndThatTheTokenizerLacks() throws IOException {
    Fixture.edit(
        untied.resolve("generation_config.json"),
        g -> g.set("eos_token_id", Fixture.tree("[1, 15]")));
    Inspection model = ModelDirectory.inspect(untied);
    assertThat(model.accepted()).isTrue();
    assertThat(model.problems())
        .singleElement()
        .satisfies(p -> assertThat(p.found()).isEqualTo("15"));
  }

  @Test
  void namesAFolderOfTemplates() throws IOException {
    Files.createDirectory(untied.resolve("additional_chat_templates"));
    assertThat(ModelDirectory.inspect(untied).problems())
        .singleElement()
        .satisfies(p -> assertThat(p.remedy()).contains("list it in tokenizer_config.json"));
  }

  /** Within the embedding, but beyond the tokens: the tokenizer of a model with fewer. */
  @Test
  void refusesIdsThatTheTokenizerLacks() throws IOException {
    Fixture.edit(
        untied.resolve("generation_config.json"), g -> g.set("eos_token_id", Fixture.tree("15")));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.file()).isEqualTo("generation_config.json");
    assertThat(problem.found()).isEqualTo("15");
    assertThat(problem.expected()).isEqualTo("the id of a token of tokenizer.json");
  }

  @Test
  void refusesAddedTokensAndVocabulariesOfAnotherTokenizer() throws IOException {
    Fixture.edit(
        untied.resolve("tokenizer_config.json"),
        t ->
            t.set(
                "added_tokens_decoder",
                Fixture.tree("{\"1\": {\"content\": \"</s>\"}, \"5\": {\"content\": \"<x>\"}}")));
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.key()).isEqualTo("added_tokens_decoder.5");
    assertThat(problem.found()).isEqualTo("\"<x>\"");
    assertThat(problem.expected()).endsWith("\"d\"");
    Fixture.edit(untied.resolve("tokenizer_config.json"), t -> t.remove("added_tokens_decoder"));
    Files.writeString(untied.resolve("vocab.json"), "{\"a\": 2, \"b\": 4}");
    problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.line())
        .startsWith("vocab.json: \"b\": found id 4; expected id 3, by tokenizer.json.");
  }

  @Test
  void saysWhatItComparedTheTokenizerBy() throws IOException {
    assertThat(ModelDirectory.inspect(untied).facts())
        .containsEntry("tokenizer compared by", "bos_token, eos_token");
    Files.writeString(untied.resolve("tokenizer_config.json"), "{}");
    assertThat(ModelDirectory.inspect(untied).facts().get("tokenizer compared by"))
        .contains("cannot be told");
  }

  @Test
  void warnsOfATokenizerWithFarFewerTokens() throws IOException {
    Fixture.edit(
        untied.resolve("tokenizer.json"),
        t -> ((ObjectNode) t.path("model").path("vocab")).remove(List.of("i", "j", "k", "l")));
    Inspection model = ModelDirectory.inspect(untied);
    assertThat(model.accepted()).isTrue();
    assertThat(model.problems())
        .singleElement()
        .satisfies(p -> assertThat(p.found()).isEqualTo("ids up to 9 only"));
  }

  @Test
  void refusesATruncatedShard() throws IOException {
    Path shard = sharded.resolve("model-00002-of-00002.safetensors");
    byte[] bytes = Files.readAllBytes(shard);
    Files.write(shard, java.util.Arrays.copyOf(bytes, bytes.length - 5));
    assertThat(ModelDirectory.inspect(sharded).problems())
        .anySatisfy(
            p -> {
              assertThat(p.severity()).isEqualTo(Severity.REFUSED);
              assertThat(p.file()).isEqualTo("model-00002-of-00002.safetensors");
              assertThat(p.found()).isNotEmpty();
              assertThat(p.expected()).isNotEmpty();
            });
  }

  @Test
  void refusesAPickleRenamedToSafetensors() throws IOException {
    Files.write(
        untied.resolve("model.safetensors"),
        new byte[] {'P', 'K', 3, 4, 20, 0, 0, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    Problem problem = onlyRefusal(ModelDirectory.inspect(untied));
    assertThat(problem.file()).isEqualTo("model.safetensors");
    assertThat(problem.found()).contains("zip archive", "pickle", "never read");
  }

  private static Problem onlyRefusal(Inspection inspection) {
    assertThat(inspection.accepted()).isFalse();
    List<Problem> refusals =
        inspection.problems().stream().filter(p -> p.severity() == Severity.REFUSED).toList();
    assertThat(refusals).hasSize(1);
    return refusals.get(0);
  }
}
