package dev.cambium.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryTest {

  @TempDir Path folder;

  @Test
  void saysHowMuchIsNeededAndHowMuchThereIs() {
    assertThatThrownBy(() -> Memory.require(1000, OptionalLong.of(999), "the weights of m"))
        .isInstanceOf(InsufficientMemoryException.class)
        .hasMessageStartingWith(
            "the weights of m: needs 1000 bytes of memory, 999 are available; nothing was");
    assertThatCode(() -> Memory.require(1000, OptionalLong.of(1000), "x"))
        .doesNotThrowAnyException();
    assertThatCode(() -> Memory.require(1000, OptionalLong.empty(), "x"))
        .doesNotThrowAnyException();
  }

  @Test
  void noMachineHasEverything() {
    assertThatThrownBy(() -> Memory.require(Long.MAX_VALUE - 1, "everything"))
        .isInstanceOfSatisfying(
            InsufficientMemoryException.class,
            e -> assertThat(e.available()).isBetween(0L, e.needed()));
  }

  @Test
  void theTighterLimitHolds() throws IOException {
    Path meminfo = folder.resolve("meminfo");
    Files.writeString(meminfo, "MemTotal: 100 kB\nMemAvailable:   80 kB\n");
    assertThat(Memory.available(meminfo, folder)).hasValue(80 * 1024);
    Files.writeString(folder.resolve("memory.max"), "max\n");
    Files.writeString(folder.resolve("memory.current"), "50000\n");
    assertThat(Memory.available(meminfo, folder)).hasValue(80 * 1024);
    Files.writeString(folder.resolve("memory.max"), "60000\n");
    Files.writeString(folder.resolve("memory.stat"), "anon 1\ninactive_file 3000\n");
    assertThat(Memory.available(meminfo, folder)).hasValue(13_000);
    assertThat(Memory.available(folder.resolve("none"), folder.resolve("none"))).isEmpty();
  }
}
