package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is wrong with a model is named with file, key, found and expected, and nothing comes in. */
class BadImportTest {

  private static final String WEIGHTS = "model.safetensors";
  private static final String NORM = "model.norm.weight";

  @TempDir Path folder;

  /** A way to spoil a model directory. */
  @FunctionalInterface
  interface Damage {
    void to(Path model) throws IOException;
  }

  private static Arguments kind(String name, Damage damage, String... expected) {
    return Arguments.of(name, damage, List.of(expected));
  }

  private static void replace(Path file, String what, String by) throws IOException {
    String text = Files.readString(file);
    assertThat(text).contains(what);
    Files.writeString(file, text.replace(what, by));
  }

  /** Writes the weights again without a tensor, and with another. */
  private static void rewrite(Path model, String without, String with, float value) {
    Map<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(model.resolve(WEIGHTS))) {
      file.tensors()
          .forEach(
              (name, info) -> {
                ByteBuffer copy = ByteBuffer.allocate((int) info.size());
                copy.put(file.bytes(name)).flip();
                tensors.put(name, new SafetensorsWriter.Tensor(DType.F32, info.shape(), copy));
              });
    }
    tensors.remove(without);
    ByteBuffer bytes = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(0, value);
    tensors.put(with, new SafetensorsWriter.Tensor(DType.F32, List.of(8L), bytes));
    SafetensorsWriter.write(model.resolve(WEIGHTS), new TreeMap<>(tensors), Map.of());
  }

  static Stream<Arguments> kinds() {
    return Stream.of(
        kind(
            "truncated",
            m -> {
              byte[] bytes = Files.readAllBytes(m.resolve(WEIGHTS));
              Files.write(m.resolve(WEIGHTS), Arrays.copyOf(bytes, bytes.length - 4));
            },
            "model.safetensors: "),
        kind(
            "index names a missing shard",
            m -> {
              Files.delete(m.resolve(WEIGHTS));
              Files.writeString(
                  m.resolve("model.safetensors.index.json"),
                  "{\"weight_map\": {\"" + NORM + "\": \"model-9.safetensors\"}}");
            },
            "model-9.safetensors: found no such plain file; expected a file that"
                + " model.safetensors.index.json names"),
        kind(
            "a key missing and one too many",
            m -> rewrite(m, NORM, "model.odd.weight", 1),
            "model.safetensors: model.norm.weight: found no such tensor; expected shape [8], by"
                + " config.json",
            "model.safetensors: model.odd.weight: found a tensor of shape [8]; expected none of"
                + " that name, by config.json"),
        kind(
            "NaN",
            m -> rewrite(m, NORM, NORM, Float.NaN),
            "model.safetensors: model.norm.weight: found 1 NaN and 0 infinite values, the first at"
                + " index 0; expected finite weights"),
        kind(
            "vocabulary larger than the embedding",
            m -> replace(m.resolve("tokenizer.json"), "\"p\":15", "\"p\":16"),
            "tokenizer.json: model.vocab: found a token with id 16; expected ids below 16, the rows"
                + " of the embedding"),
        kind(
            "tokenizer of another model",
            m -> {
              replace(
                  m.resolve("config.json"),
                  "\"vocab_size\"",
                  "\"eos_token_id\": 3, \"vocab_size\"");
              Files.writeString(m.resolve("tokenizer_config.json"), "{\"eos_token\": \"b\"}");
            },
            "tokenizer_config.json: eos_token: found \"b\", id 1 in tokenizer.json; expected the"
                + " token of id [3]"),
        kind(
            "tokenizer that cannot be loaded",
            m -> replace(m.resolve("tokenizer.json"), "\"type\":\"BPE\"", "\"type\":\"Odd\""),
            "tokenizer.json is not a tokenizer that can be loaded"),
        kind(
            "template that raises",
            m ->
                Files.writeString(
                    m.resolve("chat_template.jinja"), "{{ raise_exception('only on Mondays') }}"),
            "chat_template.jinja: found the chat template refuses these messages: only on"
                + " Mondays"),
        kind(
            "template that is not supported",
            m -> Files.writeString(m.resolve("chat_template.jinja"), "{% include 'other' %}"),
            "chat_template.jinja: found the chat template failed: line 1: the tag 'include' is not"
                + " supported"),
        kind(
            "config at odds with the shapes",
            m ->
                replace(
                    m.resolve("config.json"),
                    "\"intermediate_size\": 16",
                    "\"intermediate_size\": 24"),
            "model.safetensors: model.layers.0.mlp.gate_proj.weight: found shape [16, 8]; expected"
                + " [24, 8], by config.json"),
        kind(
            "pickle",
            m -> Files.write(m.resolve(WEIGHTS), new byte[] {'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0, 0}),
            "model.safetensors: ",
            "pickle, which can run code and is never read"),
        kind(
            "architecture",
            m -> replace(m.resolve("config.json"), "LlamaForCausalLM", "MixtralForCausalLM"),
            "config.json: architectures: found [\"MixtralForCausalLM\"]; expected one of"
                + " [LlamaForCausalLM, "),
        kind(
            "quantized",
            m ->
                replace(
                    m.resolve("config.json"),
                    "\"vocab_size\"",
                    "\"quantization_config\": {\"bits\": 4}, \"vocab_size\""),
            "config.json: quantization_config: found {\"bits\":4}; expected no such field"));
  }

  private static TreeSet<String> everything(Path directory) {
    try (Stream<Path> paths = Files.walk(directory)) {
      return new TreeSet<>(
          paths.filter(p -> p.toString().contains("objects")).map(Path::toString).toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void isNamedAndLeavesNothingBehind(String name, Damage damage, List<String> expected)
      throws IOException {
    Town town = new Town(folder.resolve("town"));
    try (Cambium cambium = town.create()) {
      Path model = Town.model(folder.resolve("bad"), 2);
      damage.to(model);
      var before = everything(town.directory);
      int versions = cambium.state().nextVersionNumber("base");
      assertThatThrownBy(() -> cambium.importVersion(model, "base", Tier.FOUNDATION, null, "bad"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith(model.toString())
          .satisfies(e -> assertThat(e.getMessage()).contains(expected));
      assertThat(everything(town.directory)).isEqualTo(before);
      assertThat(cambium.state().nextVersionNumber("base")).isEqualTo(versions);
    }
  }

  @Test
  void whatOnlySomeConversationsWouldNotSurviveIsToldAndComesIn() throws IOException {
    Town town = new Town(folder.resolve("town"));
    try (Cambium cambium = town.create()) {
      Path model = Town.model(folder.resolve("warned"), 2);
      Files.writeString(
          model.resolve("chat_template.jinja"),
          "{% for m in messages %}{{ m.content }}{% endfor %}");
      List<Problem> warnings = new ArrayList<>();
      cambium.importVersion(model, "base", Tier.FOUNDATION, null, "warned", warnings::add);
      assertThat(warnings)
          .extracting(Problem::file)
          .containsOnly("chat_template.jinja")
          .isNotEmpty();
      assertThat(cambium.state().nextVersionNumber("base")).isEqualTo(3);
    }
  }

  @Test
  void probesComeInWithAModelAndAreComparedWhenItComesBack() throws IOException {
    Town town = new Town(folder.resolve("town"));
    try (Cambium cambium = town.create()) {
      VersionRef base = new VersionRef("base", 1);
      assertThat(cambium.manifest(base).files())
          .extracting(FileEntry::path)
          .contains("token_probes.json");
      Path out = folder.resolve("out");
      cambium.export(base, out);
      VersionRef again = cambium.importVersion(out, "base", Tier.FOUNDATION, null, "as exported");
      assertThat(cambium.manifest(again).digest()).isEqualTo(cambium.manifest(base).digest());
      Path tokenizer = out.resolve("tokenizer.json");
      tokenizer.toFile().setWritable(true);
      replace(tokenizer, "\"c\":2,\"d\":3", "\"d\":2,\"c\":3");
      assertThatThrownBy(() -> cambium.importVersion(out, "base", Tier.FOUNDATION, null, "swapped"))
          .hasMessageContaining("token_probes.json")
          .hasMessageContaining("is not the one this model was made with: probe 1 is");
    }
  }
}
