package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.engine.backend.InsufficientMemoryException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model directory can have wrong when it is loaded, whoever laid it out. */
class BadWeightsTest {

  private static final String Q = "model.layers.0.self_attn.q_proj.weight";

  @TempDir Path folder;

  @BeforeEach
  void model() {
    try (Decoder decoder = Reference.decoder("gqa-tied")) {
      decoder.save(folder, Precision.F32);
    }
  }

  private Path weights() {
    return folder.resolve("model.safetensors");
  }

  private void rewrite(Consumer<SortedMap<String, SafetensorsWriter.Tensor>> change) {
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(weights())) {
      file.tensors()
          .forEach(
              (name, info) -> {
                ByteBuffer copy =
                    ByteBuffer.allocate((int) info.size()).order(ByteOrder.LITTLE_ENDIAN);
                copy.put(file.bytes(name)).flip();
                tensors.put(name, new SafetensorsWriter.Tensor(info.dtype(), info.shape(), copy));
              });
    }
    change.accept(tensors);
    SafetensorsWriter.write(weights(), tensors, Map.of());
  }

  private void config(String field, String value) throws IOException {
    Path file = folder.resolve("config.json");
    String text = Files.readString(file);
    String changed =
        text.replaceFirst("\"" + field + "\" : [^,\n]*", "\"" + field + "\" : " + value);
    Files.writeString(file, changed);
  }

  private AbstractThrowableAssert<?, ? extends Throwable> loading() {
    return assertThatThrownBy(() -> Decoder.load(folder).close());
  }

  @Test
  void aTruncatedFile() throws IOException {
    byte[] bytes = Files.readAllBytes(weights());
    Files.write(weights(), Arrays.copyOf(bytes, bytes.length - 7));
    loading().hasMessageContaining("model.safetensors").hasMessageContaining("expected");
  }

  @Test
  void anIndexThatNamesAMissingShard() throws IOException {
    Files.delete(weights());
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"" + Q + "\": \"model-1.safetensors\"}}");
    loading()
        .hasMessageContaining("model.safetensors.index.json: weight_map: found the name")
        .hasMessageContaining("model-1.safetensors; expected a file beside the index");
  }

  @Test
  void aKeyTooManyAndOneMissing() {
    rewrite(t -> t.put("model.extra.weight", t.remove(Q)));
    loading()
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("missing 1 [" + Q + "]")
        .hasMessageContaining("unexpected 1 [model.extra.weight]");
  }

  @Test
  void weightsThatAreNotNumbers() {
    rewrite(
        t -> {
          t.get(Q).bytes().putFloat(0, Float.NaN);
          t.get(Q).bytes().putFloat(8, Float.NEGATIVE_INFINITY);
        });
    loading()
        .hasMessageContaining(
            "model.safetensors: " + Q + ": found 2 values that are NaN or infinite")
        .hasMessageContaining("expected finite weights");
  }

  @Test
  void aConfigAtOddsWithTheShapes() throws IOException {
    config("intermediate_size", "50");
    loading()
        .hasMessageContaining("mlp.")
        .hasMessageContaining("has shape")
        .hasMessageContaining("the config says");
  }

  @Test
  void aTypeThatIsNotAWeights() {
    rewrite(
        t -> t.put(Q, new SafetensorsWriter.Tensor(DType.I32, t.get(Q).shape(), t.get(Q).bytes())));
    loading().hasMessageContaining(Q + " is I32; supported: F32, BF16, F16");
  }

  @Test
  void aPickleRenamed() throws IOException {
    Files.write(weights(), new byte[] {(byte) 0x80, 2, '}', 'q', 0, '.', 0, 0, 0, 0, 0, 0, 0, 0});
    loading()
        .hasMessageContaining("model.safetensors")
        .hasMessageContaining("pickle, which can run code and is never read");
  }

  @Test
  void aModelThatDoesNotFitIntoMemory() throws IOException {
    config("vocab_size", "2000000000");
    config("hidden_size", "65536");
    loading()
        .isInstanceOf(InsufficientMemoryException.class)
        .hasMessageStartingWith(folder + ": ")
        .hasMessageContaining(" weights in fp32: needs ")
        .hasMessageContaining("are available; nothing was allocated");
  }

  @Test
  void anArchitectureThatIsNotSupported() throws IOException {
    Path file = folder.resolve("config.json");
    Files.writeString(
        file, Files.readString(file).replace("LlamaForCausalLM", "Qwen3MoeForCausalLM"));
    loading()
        .hasMessageContaining("config.json: architectures: found [\"Qwen3MoeForCausalLM\"]")
        .hasMessageContaining(
            List.of(
                    "LlamaForCausalLM",
                    "Qwen2ForCausalLM",
                    "Qwen3ForCausalLM",
                    "MistralForCausalLM")
                .toString());
  }
}
