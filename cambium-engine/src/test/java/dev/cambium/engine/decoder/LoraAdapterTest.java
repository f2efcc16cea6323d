package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.model.Recipe;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters against PEFT: the directory in the test resources was saved by it. */
class LoraAdapterTest {

  @TempDir Path folder;

  private static Path saved() {
    try {
      return Path.of(LoraAdapterTest.class.getResource("lora/adapter_config.json").toURI())
          .getParent();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertReference(Decoder decoder) {
    JsonNode expected = Reference.ROOT.path("lora");
    try (Logits logits = decoder.logits(Reference.rows(), Reference.positions())) {
      for (int i = 0; i < logits.count(); i++) {
        assertThat(Reference.relativeError(logits.line(i), Reference.line(expected, i / 2, i % 2)))
            .isLessThan(1e-5);
      }
    }
  }

  @Test
  void attachedActsAsInPeft() {
    try (Decoder decoder = Reference.decoder("bias");
        LoraAdapter adapter = LoraAdapter.load(saved(), decoder.config())) {
      decoder.attach(adapter);
      assertReference(decoder);
    }
  }

  @Test
  void mergedActsAsAttached() {
    try (Decoder decoder = Reference.decoder("bias");
        LoraAdapter adapter = LoraAdapter.load(saved(), decoder.config())) {
      decoder.merge(adapter);
      assertReference(decoder);
    }
  }

  @Test
  void detachedActsNoMore() {
    try (Decoder decoder = Reference.decoder("bias");
        LoraAdapter adapter = LoraAdapter.load(saved(), decoder.config());
        Logits before = decoder.logits(Reference.rows(), Reference.positions())) {
      decoder.attach(adapter);
      try (Logits attached = decoder.logits(Reference.rows(), Reference.positions())) {
        assertThat(attached.line(0)).isNotEqualTo(before.line(0));
      }
      decoder.detach();
      try (Logits after = decoder.logits(Reference.rows(), Reference.positions())) {
        assertThat(after.line(0)).isEqualTo(before.line(0));
      }
    }
  }

  @Test
  void savedAndLoadedIsTheSame() throws IOException {
    try (Decoder decoder = Reference.decoder("bias");
        LoraAdapter adapter = LoraAdapter.load(saved(), decoder.config())) {
      adapter.save(folder, Precision.F32);
      try (LoraAdapter again = LoraAdapter.load(folder, decoder.config())) {
        assertThat(again.config()).isEqualTo(adapter.config());
        for (String name : adapter.shapes().keySet()) {
          assertThat(again.read(name)).isEqualTo(adapter.read(name));
        }
        again.save(folder.resolve("twice"), Precision.F32);
        assertThat(folder.resolve("twice/adapter_model.safetensors"))
            .hasSameBinaryContentAs(folder.resolve("adapter_model.safetensors"));
      }
    }
  }

  @Test
  void freshChangesNothing() {
    LoraConfig shape = LoraConfig.of(new Recipe.Lora(4, 8, List.of()));
    try (Decoder decoder = Reference.decoder("gqa-tied");
        LoraAdapter adapter = LoraAdapter.random(decoder.config(), shape, 7);
        Logits before = decoder.logits(Reference.rows(), Reference.positions())) {
      decoder.attach(adapter);
      try (Logits after = decoder.logits(Reference.rows(), Reference.positions())) {
        assertThat(Reference.relativeError(after.line(5), before.line(5))).isLessThan(1e-6);
      }
      assertThat(adapter.parameters())
          .isEqualTo(2 * 4 * (3 * 32 + 64 + 2 * 32 + 2 * (32 + 48) + 80));
    }
  }

  @Test
  void refusesMissingKeysByName() throws IOException {
    Files.copy(
        saved().resolve("adapter_model.safetensors"), folder.resolve("adapter_model.safetensors"));
    Files.writeString(
        folder.resolve("adapter_config.json"),
        Files.readString(saved().resolve("adapter_config.json"))
            .replace("\"v_proj\"", "\"k_proj\""));
    assertThatThrownBy(() -> LoraAdapter.load(folder, Reference.config("bias")))
        .hasMessageContaining("missing 4")
        .hasMessageContaining("k_proj.lora_A.weight")
        .hasMessageContaining("unexpected 4")
        .hasMessageContaining("v_proj.lora_A.weight");
  }

  @Test
  void refusesAnotherShape() {
    assertThatThrownBy(() -> LoraAdapter.load(saved(), Reference.config("gqa-tied")))
        .hasMessageContaining("has shape")
        .hasMessageContaining("the config says");
  }

  @Test
  void refusesWhatItDoesNotKnow() throws IOException {
    Files.writeString(
        folder.resolve("adapter_config.json"),
        Files.readString(saved().resolve("adapter_config.json"))
            .replace("\"bias\": \"none\"", "\"bias\": \"all\""));
    assertThatThrownBy(() -> LoraAdapter.load(folder, Reference.config("bias")))
        .hasMessageContaining("bias")
        .hasMessageContaining("all");
  }
}
