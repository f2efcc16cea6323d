package dev.cambium.artifact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArtifactMoveTest {

  @TempDir Path directory;
  private LocalArtifactStore from;
  private LocalArtifactStore to;
  private Path journal;
  private final List<Digest> objects = new ArrayList<>();

  @BeforeEach
  void fill() throws IOException {
    from = LocalArtifactStore.open(directory.resolve("from"));
    to = LocalArtifactStore.open(directory.resolve("to"));
    journal = directory.resolve("journal");
    Random random = new Random(3);
    for (int i = 0; i < 20; i++) {
      byte[] bytes = new byte[1 + random.nextInt(5000)];
      random.nextBytes(bytes);
      objects.add(from.put(bytes));
    }
    byte[] large = new byte[(16 << 20) + 1];
    random.nextBytes(large);
    objects.add(from.put(Files.write(directory.resolve("large"), large)));
  }

  private ArtifactMove move(ArtifactStore target) {
    return new ArtifactMove(from, target, journal, "one to other");
  }

  private static void overwrite(Path file, String text) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.writeString(file, text);
  }

  @Test
  void everyObjectIsCopiedAndReadBack() {
    ArtifactMove move = move(to);
    ArtifactMove.Moved moved = move.copy(Progress.NONE);
    assertThat(moved.objects()).isEqualTo(21);
    assertThat(moved.copied()).isEqualTo(21);
    assertThat(moved.bytes()).isEqualTo(objects.stream().mapToLong(from::size).sum());
    assertThat(to.list()).containsExactlyElementsOf(objects.stream().sorted().toList());
    objects.forEach(to::verify);
    Digest late = from.put("put meanwhile".getBytes());
    assertThat(move.copy(Progress.NONE).copied()).isEqualTo(22);
    to.verify(late);
  }

  /** Killed anywhere, it goes on, and reads nothing twice that it has found whole. */
  @Test
  void goesOnAfterAnInterruption() throws IOException {
    Set<Digest> verified = new HashSet<>();
    int puts = 0;
    for (int life = 0; ; life++) {
      int[] left = {3};
      int[] put = {0};
      ArtifactStore failing =
          new ForwardingArtifactStore(to) {
            @Override
            public Digest put(byte[] bytes) {
              if (left[0]-- == 0) {
                throw new UncheckedIOException(new IOException("killed"));
              }
              put[0]++;
              return super.put(bytes);
            }

            @Override
            public void verify(Digest digest) {
              super.verify(digest);
              assertThat(verified.add(digest)).as("%s is read once", digest).isTrue();
            }
          };
      try {
        assertThat(move(failing).copy(Progress.NONE).objects()).isEqualTo(21);
        assertThat(life).isGreaterThan(4);
        puts += put[0];
        break;
      } catch (UncheckedIOException e) {
        puts += put[0];
        // The last line was being written.
        String text = Files.readString(journal);
        Files.writeString(journal, text.substring(0, text.length() - 10));
        verified.remove(new Digest(text.substring(text.length() - 65, text.length() - 1)));
      }
    }
    assertThat(puts).isEqualTo(20); // but for the large one, which comes as a file
    objects.forEach(to::verify);
  }

  @Test
  void aJournalOfOtherStoresCountsForNothing() throws IOException {
    move(to).copy(Progress.NONE);
    overwrite(to.path(objects.get(0)), "damage");
    assertThat(move(to).copy(Progress.NONE).copied()).as("was found whole before").isZero();
    Files.writeString(journal, Files.readString(journal).replace("one to other", "two to other"));
    assertThat(move(to).copy(Progress.NONE).copied()).isEqualTo(1);
    objects.forEach(to::verify);
  }

  @Test
  void whatIsCorruptIsNamedAndNotCopied() throws IOException {
    overwrite(from.path(objects.get(4)), "damage");
    assertThatThrownBy(() -> move(to).copy(Progress.NONE))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining(objects.get(4).toString());
    assertThat(to.has(objects.get(4))).isFalse();
  }
}
