package dev.cambium.artifact.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.safetensors.SafetensorsWriter.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {

  @TempDir Path folder;

  @Test
  void replacesAFileAndLeavesTheCallersBufferAlone() throws IOException {
    Path file = Files.writeString(folder.resolve("w.safetensors"), "old");
    ByteBuffer bytes = ByteBuffer.wrap(new byte[] {9, 1, 2, 3, 4, 9}, 1, 4);
    SafetensorsWriter.write(
        file, new TreeMap<>(Map.of("w", new Tensor(DType.U8, List.of(4L), bytes))), Map.of());
    assertThat(bytes.remaining()).isEqualTo(4);
    try (SafetensorsFile open = SafetensorsFile.open(file)) {
      assertThat(open.bytes("w")).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}));
    }
  }

  @Test
  void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
    Path target = Files.createDirectories(folder.resolve("taken/inner")).getParent();
    assertThatThrownBy(() -> SafetensorsWriter.write(target, new TreeMap<>(), Map.of()))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("taken");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(target);
    }
  }

  @Test
  void refusesBytesThatDoNotFitTheShape() {
    assertThatThrownBy(() -> new Tensor(DType.F32, List.of(2L, 3L), ByteBuffer.allocate(20)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("shape [2, 3] of F32 takes 24 bytes; got 20");
  }

  @Test
  void refusesNamesThatNoReaderCouldRead() {
    Tensor tensor = new Tensor(DType.U8, List.of(), ByteBuffer.allocate(1));
    Path file = folder.resolve("w.safetensors");
    assertThatThrownBy(
            () ->
                SafetensorsWriter.write(
                    file, new TreeMap<>(Map.of("__metadata__", tensor)), Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> SafetensorsWriter.write(file, new TreeMap<>(Map.of("\ud800", tensor)), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("surrogate");
    assertThat(file).doesNotExist();
  }

  @Test
  void packedTypesHaveNoBytesPerElement() {
    assertThat(DType.BF16.bytes()).isEqualTo(2);
    assertThat(DType.F6_E3M2.bytes(8)).isEqualTo(6);
    assertThatThrownBy(DType.F4::bytes).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> DType.F4.bytes(3)).isInstanceOf(ArithmeticException.class);
  }
}
