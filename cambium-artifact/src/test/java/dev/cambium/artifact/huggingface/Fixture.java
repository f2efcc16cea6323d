package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.SafetensorsWriter.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Copies of directories that transformers and PEFT wrote (random weights: 2 layers of width 8), to
 * be changed in one place.
 */
final class Fixture {

  private static final ObjectMapper JSON = new ObjectMapper();

  private Fixture() {}

  static Path copy(String name, Path target) throws IOException, URISyntaxException {
    Path source = Path.of(Fixture.class.getResource("/huggingface/" + name).toURI());
    Files.createDirectories(target);
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, target.resolve(file.getFileName().toString()));
      }
    }
    return target;
  }

  static JsonNode tree(String json) {
    try {
      return JSON.readTree(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void edit(Path file, Consumer<ObjectNode> change) throws IOException {
    ObjectNode tree = (ObjectNode) tree(Files.readString(file));
    change.accept(tree);
    Files.writeString(file, tree.toPrettyString());
  }

  /** Rewrites a safetensors file with some tensors changed; their buffers may be written to. */
  static void rewrite(Path file, Consumer<SortedMap<String, Tensor>> change) {
    SortedMap<String, Tensor> tensors = new TreeMap<>();
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      open.tensors()
          .forEach(
              (name, info) -> {
                ByteBuffer bytes = open.bytes(name);
                ByteBuffer copy =
                    ByteBuffer.allocate(bytes.remaining()).order(ByteOrder.LITTLE_ENDIAN);
                copy.put(bytes).flip();
                tensors.put(name, new Tensor(info.dtype(), info.shape(), copy));
              });
    }
    change.accept(tensors);
    SafetensorsWriter.write(file, tensors, Map.of("format", "pt"));
  }

  static void zero(Tensor tensor) {
    for (int i = 0; i < tensor.bytes().limit(); i++) {
      tensor.bytes().put(i, (byte) 0);
    }
  }
}
