package dev.cambium.artifact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.VersionKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VersionsTest {

  @TempDir Path folder;
  private Path source;
  private LocalArtifactStore store;
  private Versions versions;

  @BeforeEach
  void prepare() throws IOException {
    store = LocalArtifactStore.open(folder.resolve("store"));
    versions = new Versions(store);
    source = Files.createDirectories(folder.resolve("source"));
    Files.writeString(source.resolve("config.json"), "{}");
    Files.createDirectories(source.resolve("deep/er"));
    Files.writeString(source.resolve("deep/er/weights"), "1234");
  }

  @Test
  void aFolderComesBackFromItsDigest() throws IOException {
    Manifest manifest = versions.store(VersionKind.MODEL, null, source);
    assertThat(manifest.files())
        .extracting(FileEntry::path)
        .containsExactly("config.json", "deep/er/weights");
    assertThat(manifest.size()).isEqualTo(6);
    assertThat(store.bytes(manifest.digest())).isEqualTo(Json.canonical(manifest));
    assertThat(versions.manifest(manifest.digest())).isEqualTo(manifest);

    Path target = folder.resolve("out/there");
    versions.materialize(manifest, target);
    assertThat(versions.store(VersionKind.MODEL, null, target)).isEqualTo(manifest);
    try (Stream<Path> left = Files.list(target.getParent())) {
      assertThat(left).containsExactly(target);
    }
    assertThat(versions.verify(manifest)).isEmpty();
  }

  @Test
  void storesOnlyTheFilesNamed() {
    Manifest manifest = versions.store(VersionKind.MODEL, null, source, List.of("deep/er/weights"));
    assertThat(manifest.files()).extracting(FileEntry::path).containsExactly("deep/er/weights");
  }

  @Test
  void itsObjectsAreWhatGarbageCollectionMustKeep() {
    Manifest parent = versions.store(VersionKind.MODEL, null, source);
    Manifest child =
        versions.store(VersionKind.ADAPTER, parent.digest(), source, List.of("config.json"));
    store.put("lost".getBytes());
    Set<Digest> reachable = new HashSet<>(versions.objects(parent));
    reachable.addAll(versions.objects(child));
    assertThat(reachable).hasSize(4);
    assertThat(store.collect(() -> reachable, Duration.ZERO).deleted())
        .containsExactly(Digest.ofText("lost"));
    assertThat(versions.verify(parent)).isEmpty();
    assertThat(versions.verify(child)).isEmpty();
  }

  @Test
  void materializesIntoAnEmptyFolderOnly() throws IOException {
    Manifest manifest = versions.store(VersionKind.MODEL, null, source);
    Path empty = Files.createDirectories(folder.resolve("empty"));
    versions.materialize(manifest, empty);
    assertThat(empty.resolve("deep/er/weights")).hasContent("1234");
    assertThatThrownBy(() -> versions.materialize(manifest, empty))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not empty");
    Path file = Files.writeString(folder.resolve("file"), "mine");
    assertThatThrownBy(() -> versions.materialize(manifest, file))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(file).hasContent("mine");
  }

  @Test
  void aCorruptObjectMaterializesNothing() throws IOException {
    Manifest manifest = versions.store(VersionKind.MODEL, null, source);
    Files.delete(store.path(manifest.file("deep/er/weights").orElseThrow().digest()));
    Path target = folder.resolve("out/there");
    assertThatThrownBy(() -> versions.materialize(manifest, target))
        .isInstanceOf(MissingArtifactException.class);
    assertThat(folder.resolve("out")).isEmptyDirectory();
  }

  @Test
  void verifyNamesEveryFault() throws IOException {
    Manifest manifest = versions.store(VersionKind.MODEL, null, source);
    Digest weights = manifest.file("deep/er/weights").orElseThrow().digest();
    Files.delete(store.path(weights));
    Path config = store.path(manifest.file("config.json").orElseThrow().digest());
    Files.delete(config);
    Files.writeString(config, "[]");
    assertThat(versions.verify(manifest))
        .containsExactly(
            new Versions.Fault("config.json", Digest.ofText("{}"), Digest.ofText("[]").toString()),
            new Versions.Fault("deep/er/weights", weights, "no such object"));

    Manifest wrongSize =
        new Manifest(
            VersionKind.MODEL, null, List.of(new FileEntry("a", 3, store.put(new byte[2]))));
    assertThat(versions.verify(wrongSize))
        .extracting(Versions.Fault::path, Versions.Fault::found)
        .containsExactly(
            tuple("", "no such object"), tuple("a", "2 bytes where the manifest says 3"));
  }

  @Test
  void refusesLinksAndPathsThatLeadOut() throws IOException {
    Path outside = Files.writeString(folder.resolve("outside"), "secret");
    assertThatThrownBy(() -> versions.store(VersionKind.MODEL, null, source, List.of("../outside")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("../outside");
    assertThatThrownBy(() -> versions.store(VersionKind.MODEL, null, source, List.of("deep")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not a plain file");
    Files.createSymbolicLink(source.resolve("link"), outside);
    assertThatThrownBy(() -> versions.store(VersionKind.MODEL, null, source))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("symbolic link");
    Files.delete(source.resolve("link"));
    Files.createSymbolicLink(source.resolve("linked"), folder.resolve("source/deep"));
    assertThatThrownBy(
            () -> versions.store(VersionKind.MODEL, null, source, List.of("linked/er/weights")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("symbolic link");
    assertThat(store.has(Digest.ofText("secret"))).isFalse();
  }

  @Test
  void refusesAFolderWithoutFilesAndAnObjectThatIsNoManifest() throws IOException {
    Path empty = Files.createDirectories(folder.resolve("empty"));
    assertThatThrownBy(() -> versions.store(VersionKind.MODEL, null, empty))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("without files");
    Digest text = store.put("{\"kind\":\"model\"".getBytes());
    assertThatThrownBy(() -> versions.manifest(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not a valid Manifest");
  }
}
