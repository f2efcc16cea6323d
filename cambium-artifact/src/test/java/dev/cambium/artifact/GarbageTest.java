package dev.cambium.artifact;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Digest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterTry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Garbage collection beside writers, over a folder. */
class GarbageTest {

  private Path root;

  @Property(tries = 25)
  void nothingThatARecordNamesIsEverTaken(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 4) int writers) throws Exception {
    root = Files.createTempDirectory("garbage");
    GarbageHistory history = new GarbageHistory(seed, writers, 20);
    history.run(LocalArtifactStore.open(root, history));
  }

  @AfterTry
  void clean() {
    DirectoryTree.delete(root);
  }

  /** A store whose writers rely on whatever is there, however old; the property must notice. */
  private static final class Careless extends ForwardingArtifactStore {
    Careless(ArtifactStore store) {
      super(store);
    }

    @Override
    public Digest put(byte[] bytes) {
      Digest digest = Digest.of(bytes);
      return has(digest) ? digest : super.put(bytes);
    }
  }

  @Test
  void aCarelessStoreIsFoundOut(@TempDir Path directory) {
    assertThatThrownBy(
            () -> {
              for (int seed = 0; seed < 200; seed++) {
                GarbageHistory history = new GarbageHistory(seed, 3, 40);
                history.run(
                    new Careless(
                        LocalArtifactStore.open(directory.resolve("store-" + seed), history)));
              }
            })
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(MissingArtifactException.class);
  }
}
