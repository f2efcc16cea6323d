package dev.cambium.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AcceleratorTest {

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    Backend.instance();
  }

  @Test
  void theDeviceIsPartOfTheFingerprint() {
    Backend backend = Backend.instance();
    String kind = backend.device().equals("cpu") ? "cpu" : "cuda-";
    assertThat(backend.fingerprint()).contains("/device-" + kind);
  }

  @Test
  void asksForWhatThereIs() {
    assertThat(Accelerator.choose("CPU").reason()).isEqualTo("asked for by CAMBIUM_DEVICE");
    assertThatThrownBy(() -> Accelerator.choose("tpu"))
        .hasMessage("CAMBIUM_DEVICE must be auto, cpu or cuda, not 'tpu'");
  }

  @Test
  void withoutCudaSaysWhyAndRefusesToPretend() {
    Assumptions.assumeFalse(torch.hasCUDA(), "this is the CUDA build");
    Accelerator chosen = Accelerator.choose("auto");
    assertThat(chosen.name()).isEqualTo("cpu");
    assertThat(chosen.reason()).contains("has no CUDA", "-Pcuda");
    assertThatThrownBy(() -> Accelerator.choose("cuda"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("CAMBIUM_DEVICE=cuda, but there is ");
  }

  @Test
  void onTheProcessorNothingIsMovedOrCopied() {
    Accelerator cpu = Accelerator.choose("cpu");
    try (PointerScope scope = new PointerScope()) {
      Tensor tensor = torch.zeros(new long[] {3}, cpu.options(ScalarType.Float));
      assertThat(cpu.toHost(tensor)).isSameAs(tensor);
      assertThat(cpu.toDevice(tensor)).isSameAs(tensor);
    }
  }

  @Test
  void namesAGpuAsItsDriverDoes() throws IOException {
    Path gpu = Files.createDirectories(folder.resolve("0000:01:00.0"));
    Files.writeString(gpu.resolve("information"), "Model: \t\t NVIDIA L4 (24GB)\nIRQ: 7\n");
    assertThat(Accelerator.model(folder)).isEqualTo("NVIDIA-L4-24GB");
    assertThat(Accelerator.model(folder.resolve("none"))).isEqualTo("gpu");
  }
}
