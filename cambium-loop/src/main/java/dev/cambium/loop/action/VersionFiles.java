package dev.cambium.loop.action;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.Versions;
import dev.cambium.engine.text.ProbeFile;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.VersionKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Versions as directories: stored from one, and laid out as one where the engine can read it. */
public final class VersionFiles {

  private final ArtifactStore store;
  private final Versions versions;
  private final Path cache;

  /**
   * @param cache folder in which versions are laid out, one folder each; may be deleted at any time
   *     when no action runs
   */
  public VersionFiles(ArtifactStore store, Path cache) {
    this.store = store;
    this.versions = new Versions(store);
    this.cache = cache;
  }

  /** Reads a version's manifest. */
  public Manifest manifest(Digest version) {
    return versions.manifest(version);
  }

  /** What a version of an application says; none for a model or an adapter. */
  public Optional<Application> application(Digest version) {
    return versions.application(version);
  }

  /** Stores a manifest, so that its digest names it. */
  public Digest put(Manifest manifest) {
    return store.put(Json.canonical(manifest));
  }

  /**
   * Stores files of a directory as a version.
   *
   * @param paths relative to the directory
   */
  public Manifest put(
      Path directory, List<String> paths, VersionKind kind, @Nullable Digest parent) {
    return versions.store(kind, parent, directory, paths);
  }

  /**
   * Stores a model directory as a version, with the probes of its tokenizer, so that the tokenizer
   * can be compared wherever the version is used.
   *
   * @param paths relative to the directory
   * @throws IllegalArgumentException if the tokenizer or the template cannot be loaded, or is not
   *     the one that probes in the directory were made with; nothing is stored then
   */
  public Manifest putModel(Path directory, List<String> paths, @Nullable Digest parent) {
    byte[] probes = null;
    try {
      if (paths.contains(ProbeFile.NAME)) {
        ProbeFile.check(directory);
      } else {
        probes = ProbeFile.make(directory);
      }
    } catch (IOException | IllegalStateException | TemplateException e) {
      throw new IllegalArgumentException(directory + ": " + e.getMessage(), e);
    }
    Manifest manifest = versions.store(VersionKind.MODEL, parent, directory, paths);
    if (probes == null) {
      return manifest;
    }
    Digest digest = store.put(probes);
    List<FileEntry> files = new ArrayList<>(manifest.files());
    files.add(new FileEntry(ProbeFile.NAME, probes.length, digest));
    Manifest probed = new Manifest(VersionKind.MODEL, parent, files);
    put(probed);
    return probed;
  }

  /**
   * Compares a model version's tokenizer and template with the probes stored with it.
   *
   * @return what is wrong; empty if they agree, or if the version has no probes
   */
  public Optional<String> checkProbes(Manifest manifest) {
    if (manifest.file(ProbeFile.NAME).isEmpty()) {
      return Optional.empty();
    }
    try {
      Path folder = Files.createTempDirectory("cambium-probes");
      try {
        for (FileEntry file : manifest.files()) {
          if (!file.path().endsWith(".safetensors")) {
            store.materialize(file.digest(), folder.resolve(file.path()));
          }
        }
        ProbeFile.check(folder);
      } finally {
        DirectoryTree.delete(folder);
      }
      return Optional.empty();
    } catch (IllegalStateException | IllegalArgumentException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot check probes: " + e.getMessage(), e);
    }
  }

  /** Follows the parents of a version down to the whole model it runs on. */
  public EffectiveModel effective(Digest version) {
    Digest adapter = null;
    Digest application = null;
    Digest current = version;
    for (; ; ) {
      Manifest manifest = manifest(current);
      switch (manifest.kind()) {
        case MODEL:
          return new EffectiveModel(current, adapter, application);
        case ADAPTER:
          if (adapter != null) {
            throw new IllegalArgumentException(
                "version " + version.brief() + " puts an adapter on an adapter; merge one first");
          }
          adapter = current;
          break;
        case APPLICATION:
          if (application != null || adapter != null) {
            throw new IllegalArgumentException(
                "version " + version.brief() + " is built on an application");
          }
          application = current;
          break;
      }
      current = java.util.Objects.requireNonNull(manifest.parent());
    }
  }

  /**
   * Lays a version's own files out in a folder, and returns the folder. Read-only for the caller.
   */
  public synchronized Path directory(Digest version) {
    Path target = cache.resolve(version.hex());
    if (!Files.isDirectory(target)) {
      export(version, target);
    }
    return target;
  }

  /** Writes a version's own files into a folder that is absent or empty. */
  public void export(Digest version, Path target) {
    versions.materialize(manifest(version), target);
  }

  /** Lays one artifact out as a file, and returns the file. Read-only for the caller. */
  public synchronized Path file(Digest artifact) throws IOException {
    Path target = cache.resolve("files").resolve(artifact.hex());
    if (!Files.exists(target)) {
      Files.createDirectories(java.util.Objects.requireNonNull(target.getParent()));
      Path building = target.resolveSibling("." + artifact.hex() + "." + UUID.randomUUID());
      store.materialize(artifact, building);
      Files.move(building, target, StandardCopyOption.ATOMIC_MOVE);
    }
    return target;
  }
}
