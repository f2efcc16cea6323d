package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.ledger.VerificationReport.Finding;
import dev.cambium.ledger.merkle.Tiles;
import dev.cambium.ledger.merkle.Tiles.Tile;
import dev.cambium.model.Fact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublishedLogTest {

  @TempDir Path directory;

  private Path home() {
    return directory.resolve("fleet");
  }

  private Path target() {
    return directory.resolve("log");
  }

  private static void add(Ledger ledger, int count) {
    List<Fact> facts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      facts.add(History.declared());
    }
    ledger.append("test", facts, List.of());
  }

  /** The example in the text of C2SP tlog-tiles. */
  @Test
  void theLayoutIsThatOfTheSpecification() {
    List<Tile> tiles = Tiles.since(0, 70_000);
    assertThat(tiles).filteredOn(t -> t.level() == 0 && t.width() == 256).hasSize(273);
    assertThat(tiles)
        .filteredOn(t -> t.level() != 0 || t.width() != 256)
        .containsExactly(
            new Tile(0, 273, 112), new Tile(1, 0, 256), new Tile(1, 1, 17), new Tile(2, 0, 1));
    assertThat(Tiles.since(0, 256)).containsExactly(new Tile(0, 0, 256), new Tile(1, 0, 1));
    assertThat(Tiles.since(255, 257))
        .containsExactly(new Tile(0, 0, 256), new Tile(0, 1, 1), new Tile(1, 0, 1));
    assertThat(Tiles.since(300, 300)).isEmpty();
    assertThat(new Tile(0, 1_234_067, 256).path()).isEqualTo("tile/0/x001/x234/067");
    assertThat(new Tile(0, 1_000, 3).bundlePath()).isEqualTo("tile/entries/x001/000.p/3");
  }

  @Test
  void aLogIsPublishedBitByBitAndWhole() throws IOException {
    try (Ledger ledger = Ledger.create(home(), InstantSource.system())) {
      add(ledger, 200);
      PublishedLog log = new PublishedLog(target());
      assertThat(log.update(ledger).files()).isEqualTo(3);
      assertThat(log.check(ledger.keys()).findings()).isEmpty();
      ledger.rotateKey("test", "yearly");
      add(ledger, 400);
      PublishedLog.Published grown = log.update(ledger);
      assertThat(grown.size()).isEqualTo(601);
      assertThat(grown.tooLong()).isEmpty();
      assertThat(log.update(ledger).files()).isZero();

      PublishedLog.Checked checked = log.check(ledger.keys());
      assertThat(checked.findings()).isEmpty();
      assertThat(checked.checkpoint().orElseThrow().size()).isEqualTo(601);
      // Bit by bit or at once: the same files, but for what was partial on the way.
      PublishedLog atOnce = new PublishedLog(directory.resolve("at-once"));
      atOnce.update(ledger);
      Map<String, List<Byte>> whole = files(directory.resolve("at-once"));
      assertThat(files(target())).containsAllEntriesOf(whole);
      assertThat(whole.keySet())
          .containsExactly(
              "checkpoint",
              "tile/0/000",
              "tile/0/001",
              "tile/0/002.p/89",
              "tile/1/000.p/2",
              "tile/entries/000",
              "tile/entries/001",
              "tile/entries/002.p/89");
    }
  }

  @Test
  void whateverIsChangedIsFoundAndNamed() throws IOException {
    KeyHistory keys;
    PublishedLog log = new PublishedLog(target());
    try (Ledger ledger = Ledger.create(home(), InstantSource.system())) {
      add(ledger, 100);
      log.update(ledger);
      add(ledger, 200);
      log.update(ledger);
      keys = ledger.keys();
    }
    int tried = 0;
    for (Path file : list(target())) {
      byte[] bytes = Files.readAllBytes(file);
      String name = target().relativize(file).toString();
      for (int at = 0; at < bytes.length; at += Math.max(1, bytes.length / 40)) {
        bytes[at] ^= 1;
        Files.write(file, bytes);
        List<Finding> findings = log.check(keys).findings();
        bytes[at] ^= 1;
        tried++;
        assertThat(findings)
            .as("byte %d of %s", at, name)
            .anyMatch(
                f -> f.subject().contains(name) || f.subject().contains(name.split("\\.p")[0]));
      }
      Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 1));
      assertThat(log.check(keys).findings()).as("%s cut short", name).isNotEmpty();
      Files.delete(file);
      if (!name.contains("000.p")) { // of an earlier size: it may be gone
        assertThat(log.check(keys).findings()).as("%s gone", name).isNotEmpty();
      }
      Files.write(file, bytes);
    }
    assertThat(tried).isGreaterThan(200);
    assertThat(log.check(keys).findings()).isEmpty();
    Files.writeString(target().resolve("tile/0/extra"), "x");
    assertThat(log.check(keys).findings()).hasSize(1);
  }

  @Test
  void anotherHistoryIsNotPublishedOverTheFirst() {
    try (Ledger ledger = Ledger.create(home(), InstantSource.system());
        Ledger other = Ledger.create(directory.resolve("other"), InstantSource.system())) {
      add(ledger, 10);
      add(other, 20);
      new PublishedLog(target()).update(ledger);
      assertThatThrownBy(() -> new PublishedLog(target()).update(other))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("not a checkpoint of this log");
    }
  }

  @Test
  void aRecordTooLongForTheFormatIsNamed() {
    try (Ledger ledger = Ledger.create(home(), InstantSource.system())) {
      add(ledger, 2);
      ledger.rotateKey("test", "x".repeat(70_000));
      PublishedLog log = new PublishedLog(target());
      assertThat(log.update(ledger).tooLong()).containsExactly(2L);
      assertThat(log.check(ledger.keys()).findings())
          .singleElement()
          .matches(f -> f.subject().equals("tile/entries/000.p/3"));
    }
  }

  private static List<Path> list(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static Map<String, List<Byte>> files(Path root) throws IOException {
    Map<String, List<Byte>> contents = new TreeMap<>();
    for (Path file : list(root)) {
      List<Byte> bytes = new ArrayList<>();
      for (byte b : Files.readAllBytes(file)) {
        bytes.add(b);
      }
      contents.put(root.relativize(file).toString(), bytes);
    }
    return contents;
  }
}
