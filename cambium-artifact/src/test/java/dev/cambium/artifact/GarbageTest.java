package dev.cambium.artifact;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Digest;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import java.util.stream.Stream;
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
  private record Careless(ArtifactStore store) implements ArtifactStore {
    @Override
    public Digest put(byte[] bytes) {
      Digest digest = Digest.of(bytes);
      return store.has(digest) ? digest : store.put(bytes);
    }

    @Override
    public Digest put(Path file) {
      return store.put(file);
    }

    @Override
    public boolean has(Digest digest) {
      return store.has(digest);
    }

    @Override
    public byte[] bytes(Digest digest) {
      return store.bytes(digest);
    }

    @Override
    public InputStream open(Digest digest) {
      return store.open(digest);
    }

    @Override
    public long size(Digest digest) {
      return store.size(digest);
    }

    @Override
    public void verify(Digest digest) {
      store.verify(digest);
    }

    @Override
    public void materialize(Digest digest, Path target) {
      store.materialize(digest, target);
    }

    @Override
    public Stream<Digest> list() {
      return store.list();
    }

    @Override
    public boolean delete(Digest digest) {
      return store.delete(digest);
    }

    @Override
    public Collected collect(Supplier<Set<Digest>> reachable, Duration grace) {
      return store.collect(reachable, grace);
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
