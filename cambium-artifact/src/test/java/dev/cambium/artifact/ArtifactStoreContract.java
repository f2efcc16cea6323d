package dev.cambium.artifact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every {@link ArtifactStore} does. Extend it for each backend. */
public abstract class ArtifactStoreContract {

  private static final Duration HOUR = Duration.ofHours(1);

  @TempDir Path folder;

  /** The store under test: the same objects at each call within one test, none at first. */
  protected abstract ArtifactStore store();

  /** Changes what the medium holds for an object, behind the store's back. */
  protected abstract void corrupt(Digest digest, byte[] bytes) throws IOException;

  @Test
  void bytesComeBackUnderTheirDigest() throws IOException {
    byte[] bytes = random(100_000);
    Digest digest = store().put(bytes);
    assertThat(digest).isEqualTo(Digest.of(bytes));
    assertThat(store().has(digest)).isTrue();
    assertThat(store().size(digest)).isEqualTo(bytes.length);
    assertThat(store().bytes(digest)).isEqualTo(bytes);
    try (InputStream in = store().open(digest)) {
      assertThat(in.readAllBytes()).isEqualTo(bytes);
      assertThat(in.read()).isEqualTo(-1);
    }
    store().verify(digest);
  }

  @Test
  void aFileIsStoredAndLeftAlone() throws IOException {
    byte[] bytes = random(200_000);
    Path file = Files.write(folder.resolve("weights"), bytes);
    Digest digest = store().put(file);
    assertThat(digest).isEqualTo(Digest.of(bytes));
    assertThat(store().bytes(digest)).isEqualTo(bytes);
    assertThat(file).hasBinaryContent(bytes);
    assertThat(store().put(bytes)).isEqualTo(digest);
    assertThat(store().list()).containsExactly(digest);
    Files.write(file, new byte[] {1});
    store().verify(digest);
  }

  @Test
  void noBytesAreAnObjectToo() {
    Digest digest = store().put(new byte[0]);
    assertThat(store().bytes(digest)).isEmpty();
    assertThat(store().size(digest)).isZero();
  }

  @Test
  void aStreamReadByteByByteOrSkippedIsVerifiedToo() throws IOException {
    Digest digest = store().put("abcdef".getBytes());
    try (InputStream in = store().open(digest)) {
      assertThat(in.read()).isEqualTo('a');
      assertThat(in.skip(2)).isEqualTo(2);
      assertThat(in.read()).isEqualTo('d');
      in.skipNBytes(2);
      assertThat(in.read()).isEqualTo(-1);
    }
    corrupt(digest, "abcdeF".getBytes());
    try (InputStream in = store().open(digest)) {
      in.skipNBytes(6);
      assertThatThrownBy(in::read).isInstanceOf(IntegrityException.class);
    }
  }

  @Test
  void whatIsMissingIsSaidByEveryRead() {
    Digest digest = Digest.ofText("never stored");
    assertThat(store().has(digest)).isFalse();
    assertThat(store().delete(digest)).isFalse();
    Path target = folder.resolve("target");
    for (Runnable read : reads(digest, target)) {
      assertThatThrownBy(read::run)
          .isInstanceOf(MissingArtifactException.class)
          .hasMessageContaining(digest.toString());
    }
    assertThatThrownBy(() -> store().size(digest)).isInstanceOf(MissingArtifactException.class);
    assertThat(target).doesNotExist();
  }

  @Test
  void corruptionIsSaidByEveryRead() throws IOException {
    Digest digest = store().put("right".getBytes());
    for (byte[] wrong : List.of("wrong".getBytes(), "righ".getBytes(), new byte[0])) {
      corrupt(digest, wrong);
      Path target = folder.resolve("target");
      for (Runnable read : reads(digest, target)) {
        assertThatThrownBy(read::run)
            .isInstanceOf(IntegrityException.class)
            .isNotInstanceOf(MissingArtifactException.class)
            .hasMessageContaining("expected " + digest)
            .hasMessageContaining("found " + Digest.of(wrong));
      }
      assertThat(target).as("nothing corrupt gets out").doesNotExist();
    }
  }

  private List<Runnable> reads(Digest digest, Path target) {
    return List.of(
        () -> store().bytes(digest),
        () -> store().verify(digest),
        () -> store().materialize(digest, target),
        () -> {
          try (InputStream in = store().open(digest)) {
            in.readAllBytes();
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  @Test
  void puttingTheGoodBytesMendsACorruptObject() throws IOException {
    byte[] bytes = random(5_000);
    Digest digest = store().put(bytes);
    corrupt(digest, random(5_001));
    assertThat(store().put(bytes)).isEqualTo(digest);
    assertThat(store().bytes(digest)).isEqualTo(bytes);
    corrupt(digest, new byte[0]);
    assertThat(store().put(Files.write(folder.resolve("f"), bytes))).isEqualTo(digest);
    assertThat(store().bytes(digest)).isEqualTo(bytes);
  }

  @Test
  void aMaterializedFileCannotReachTheStore() throws IOException {
    Digest digest = store().put("kept".getBytes());
    Path target = Files.writeString(folder.resolve("target"), "replaced");
    store().materialize(digest, target);
    assertThat(target).hasContent("kept");
    Files.writeString(target, "damage");
    assertThat(store().bytes(digest)).asString().isEqualTo("kept");
    store().materialize(digest, folder.resolve("deeper/down/target"));
    assertThat(folder.resolve("deeper/down/target")).hasContent("kept");
  }

  @Test
  void listsInOrderWhatIsThere() {
    Set<Digest> put = new HashSet<>();
    for (int i = 0; i < 20; i++) {
      put.add(store().put(new byte[] {(byte) i}));
    }
    Digest gone = put.iterator().next();
    assertThat(store().delete(gone)).isTrue();
    assertThat(store().has(gone)).isFalse();
    put.remove(gone);
    try (Stream<Digest> listed = store().list()) {
      assertThat(listed).containsExactlyElementsOf(put.stream().sorted().toList());
    }
  }

  @Test
  void collectsTheUnreachableOnly() {
    Digest kept = store().put(random(10));
    Digest lost = store().put(random(20));
    Digest lostToo = store().put(random(30));
    Digest absent = Digest.ofText("reachable but not there");
    ArtifactStore.Collected collected = store().collect(() -> Set.of(kept, absent), Duration.ZERO);
    assertThat(collected.deleted())
        .containsExactlyElementsOf(Stream.of(lost, lostToo).sorted().toList());
    assertThat(collected.bytes()).isEqualTo(50);
    assertThat(collected.reachable()).isEqualTo(1);
    assertThat(collected.young()).isZero();
    assertThat(store().list()).containsExactly(kept);
    store().verify(kept);
    assertThat(store().collect(() -> Set.of(kept), Duration.ZERO).deleted()).isEmpty();
  }

  @Test
  void sparesTheYoung() {
    Digest young = store().put(random(10));
    ArtifactStore.Collected collected = store().collect(() -> Set.of(), HOUR);
    assertThat(collected.deleted()).isEmpty();
    assertThat(collected.young()).isEqualTo(1);
    store().verify(young);
    assertThatThrownBy(() -> store().collect(() -> Set.of(), HOUR.negated()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void renewsWhatIsThere() {
    Digest digest = store().put(random(10));
    assertThat(store().renew(digest)).isTrue();
    assertThat(store().collect(() -> Set.of(), HOUR).young()).isEqualTo(1);
    store().verify(digest);
    assertThat(store().delete(digest)).isTrue();
    assertThat(store().renew(digest)).isFalse();
    assertThat(store().has(digest)).isFalse();
  }

  /** Writers put objects that are there and old, just as a collector takes whatever is old. */
  @Test
  void writersBesideACollectorLoseNothing() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Future<?> collector =
          threads.submit(
              () -> {
                while (!stop.get()) {
                  store().collect(() -> Set.of(), HOUR);
                }
              });
      List<Future<?>> writers = new ArrayList<>();
      for (int w = 0; w < 3; w++) {
        byte[] content = random(2_000 + w);
        writers.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < rounds(); i++) {
                    Digest digest = store().put(content);
                    assertThat(store().bytes(digest)).isEqualTo(content);
                    age(digest);
                  }
                }));
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
      stop.set(true);
      collector.get();
    } finally {
      stop.set(true);
      threads.shutdownNow();
    }
  }

  /** How often writers beside a collector write. */
  protected int rounds() {
    return 80;
  }

  /** Makes an object older than an hour, if the medium lets a test do so. */
  protected void age(Digest digest) {}

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }
}
