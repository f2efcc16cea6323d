package dev.cambium.artifact;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CachedArtifactStoreTest extends ArtifactStoreContract {

  @TempDir Path root;
  private LocalArtifactStore far;
  private LocalArtifactStore near;
  private CachedArtifactStore store;

  @BeforeEach
  void openStore() {
    far = LocalArtifactStore.open(root.resolve("far"));
    near = LocalArtifactStore.open(root.resolve("near"));
    store = new CachedArtifactStore(far, near);
  }

  @Override
  protected ArtifactStore store() {
    return store;
  }

  @Override
  protected void corrupt(Digest digest, byte[] bytes) throws IOException {
    near.delete(digest);
    write(far, digest, bytes);
  }

  private static void write(LocalArtifactStore store, Digest digest, byte[] bytes)
      throws IOException {
    Files.setPosixFilePermissions(store.path(digest), PosixFilePermissions.fromString("rw-r--r--"));
    Files.write(store.path(digest), bytes);
  }

  @Test
  void whatIsNearIsUsedAndWhatIsDamagedThereIsFetchedAnew() throws IOException {
    Digest digest = far.put("kept".getBytes());
    assertThat(store.bytes(digest)).asString().isEqualTo("kept");
    assertThat(near.has(digest)).isTrue();
    write(near, digest, "lost".getBytes());
    Path target = root.resolve("target");
    store.materialize(digest, target);
    assertThat(target).hasContent("kept");
    near.verify(digest);
    write(near, digest, "lost".getBytes());
    assertThat(store.bytes(digest)).asString().isEqualTo("kept");
    write(near, digest, "longer than it was".getBytes());
    assertThat(store.size(digest)).isEqualTo(4);
  }

  @Test
  void aLargeObjectIsNotKeptNear() throws IOException {
    byte[] large = new byte[(int) CachedArtifactStore.LARGEST + 1];
    Path file = Files.write(root.resolve("large"), large);
    Digest digest = store.put(file);
    store.materialize(digest, root.resolve("target"));
    assertThat(root.resolve("target")).hasSameBinaryContentAs(file);
    assertThat(near.list()).isEmpty();
  }
}
