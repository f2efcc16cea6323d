package dev.cambium.artifact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalArtifactStoreTest extends ArtifactStoreContract {

  @TempDir Path root;
  private LocalArtifactStore store;

  @BeforeEach
  void openStore() {
    store = LocalArtifactStore.open(root);
  }

  @Override
  protected ArtifactStore store() {
    return store;
  }

  @Override
  protected void corrupt(Digest digest, byte[] bytes) throws IOException {
    Path file = store.path(digest);
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }
    Files.write(file, bytes);
  }

  @Override
  protected void age(Digest digest) {
    try {
      Files.setLastModifiedTime(
          store.path(digest), FileTime.from(Instant.now().minus(Duration.ofHours(2))));
    } catch (NoSuchFileException e) {
      // Collected already.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void liesWhereTheFormatSays() {
    Digest digest = store.put("hello".getBytes());
    assertThat(
            root.resolve(
                "objects/sha256/2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"))
        .hasContent("hello")
        .isEqualTo(store.path(digest));
    assertThat(root.resolve("tmp")).isEmptyDirectory();
  }

  @Test
  void objectsAreReadOnly() throws IOException {
    Path file = store.path(store.put("kept".getBytes()));
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      assertThat(Files.getPosixFilePermissions(file))
          .doesNotContain(PosixFilePermission.OWNER_WRITE, PosixFilePermission.GROUP_WRITE);
      Path copy = root.resolve("copy");
      store.materialize(Digest.ofText("kept"), copy);
      assertThat(Files.getPosixFilePermissions(copy)).contains(PosixFilePermission.OWNER_WRITE);
    }
  }

  @Test
  void survivesReopening() {
    Digest digest = store.put("kept".getBytes());
    assertThat(LocalArtifactStore.open(root).bytes(digest)).asString().isEqualTo("kept");
  }

  @Test
  void removesOnlyTheTemporaryFilesOfTheDead() throws IOException {
    Path dead = Files.writeString(root.resolve("tmp/.tmp-dead"), "half a wr");
    Path alive = Files.writeString(root.resolve("tmp/.tmp-alive"), "half a wr");
    Files.setLastModifiedTime(dead, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
    LocalArtifactStore.open(root);
    assertThat(dead).doesNotExist();
    assertThat(alive).exists();
  }

  @Test
  void aHalfWrittenFileIsNoObject() throws IOException {
    Files.writeString(root.resolve("tmp/.tmp-half"), "hel");
    Files.createDirectories(root.resolve("objects/sha256/2c"));
    Files.writeString(root.resolve("objects/sha256/2c/not-a-digest"), "stray");
    assertThat(store.list()).isEmpty();
    assertThat(store.collect(() -> Set.of(), Duration.ZERO).deleted()).isEmpty();
    assertThat(root.resolve("objects/sha256/2c/not-a-digest")).exists();
  }

  @Test
  void puttingAnOldObjectMakesItYoung() throws IOException {
    Digest digest = store.put("again".getBytes());
    age(digest);
    store.put(Files.writeString(root.resolve("source"), "again"));
    assertThat(store.collect(() -> Set.of(), Duration.ofHours(1)).deleted()).isEmpty();
    age(digest);
    assertThat(store.collect(() -> Set.of(), Duration.ofHours(1)).deleted())
        .containsExactly(digest);
  }

  @Test
  void aFailedPutLeavesNothing() {
    assertThatThrownBy(() -> store.put(root.resolve("absent")))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("absent");
    assertThat(store.list()).isEmpty();
    assertThat(root.resolve("tmp")).isEmptyDirectory();
  }

  /** The lock holds between processes: while another holds it, nothing is collected. */
  @Test
  void collectingWaitsForTheLock() throws Exception {
    Digest digest = store.put("old".getBytes());
    whileAnotherProcessHoldsTheLock(
        () -> store.collect(() -> Set.of(), Duration.ZERO),
        () -> assertThat(store.has(digest)).as("not collected while locked").isTrue());
    assertThat(store.has(digest)).isFalse();
  }

  /** A writer that finds its object there cannot go on while a collector may be deleting it. */
  @Test
  void keepingAnExistingObjectWaitsForTheLock() throws Exception {
    Digest digest = store.put("old".getBytes());
    age(digest);
    FileTime old = Files.getLastModifiedTime(store.path(digest));
    whileAnotherProcessHoldsTheLock(
        () -> store.put("old".getBytes()),
        () ->
            assertThat(Files.getLastModifiedTime(store.path(digest)))
                .as("not touched while locked")
                .isEqualTo(old));
    assertThat(Files.getLastModifiedTime(store.path(digest))).isGreaterThan(old);
  }

  private interface Check {
    void run() throws IOException;
  }

  private void whileAnotherProcessHoldsTheLock(Runnable work, Check meanwhile) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process holder =
        new ProcessBuilder(
                java,
                "-cp",
                System.getProperty("java.class.path"),
                LockHolder.class.getName(),
                root.resolve("lock").toString())
            .start();
    try {
      assertThat(holder.getInputStream().read()).isEqualTo('L');
      Thread worker = new Thread(work);
      worker.start();
      for (int i = 0; i < 20; i++) {
        worker.join(5);
        meanwhile.run();
      }
      holder.getOutputStream().write('\n');
      holder.getOutputStream().flush();
      worker.join();
    } finally {
      holder.destroyForcibly().waitFor();
    }
  }

  static final class LockHolder {
    public static void main(String[] args) throws IOException {
      try (FileChannel channel =
              FileChannel.open(
                  Path.of(args[0]), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        System.out.write(lock.isValid() ? 'L' : 'X');
        System.out.flush();
        int go = System.in.read();
        System.exit(go < 0 ? 1 : 0);
      }
    }
  }
}
