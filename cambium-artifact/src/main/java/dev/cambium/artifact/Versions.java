package dev.cambium.artifact;

import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.VersionKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Versions in a content store: folders in as manifests, manifests out as folders. The manifest's
 * own canonical JSON is an object too, so that its digest (the version's identity) leads to all of
 * its files.
 */
public final class Versions {

  private final ArtifactStore store;

  public Versions(ArtifactStore store) {
    this.store = store;
  }

  /**
   * Stores every file of a folder, and the manifest.
   *
   * @param parent the parent version's manifest; null for a foundation
   * @throws IllegalArgumentException if the folder holds no file, or anything but folders and plain
   *     files: a link could bring in, or later point to, something else
   */
  public Manifest store(VersionKind kind, @Nullable Digest parent, Path folder) {
    try {
      return store(kind, parent, folder, filesOf(folder));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + folder + ": " + e, e);
    }
  }

  /**
   * Stores some files of a folder, and the manifest.
   *
   * @param paths relative to the folder, with {@code /}
   * @throws IllegalArgumentException if a path is not one of a plain file within the folder
   */
  public Manifest store(
      VersionKind kind, @Nullable Digest parent, Path folder, Collection<String> paths) {
    List<FileEntry> entries = new ArrayList<>();
    for (String path : paths) {
      Path file = plainFile(folder, path);
      Digest digest = store.put(file);
      entries.add(new FileEntry(path, store.size(digest), digest));
    }
    Manifest manifest = new Manifest(kind, parent, entries);
    store.put(Json.canonical(manifest));
    return manifest;
  }

  /**
   * Reads a manifest.
   *
   * @throws IntegrityException if it is missing or corrupt
   * @throws IllegalArgumentException if the object is not a manifest
   */
  public Manifest manifest(Digest digest) {
    return Json.read(store.bytes(digest), Manifest.class);
  }

  /**
   * What a version of an application says.
   *
   * @param version digest of its manifest
   * @return none for a model or an adapter
   */
  public Optional<Application> application(Digest version) {
    return manifest(version)
        .file(Application.FILE)
        .map(file -> Json.read(store.bytes(file.digest()), Application.class));
  }

  /** Every object that a version needs: its manifest and its files, but not its parent's. */
  public List<Digest> objects(Manifest manifest) {
    return Stream.concat(
            Stream.of(manifest.digest()), manifest.files().stream().map(FileEntry::digest))
        .distinct()
        .toList();
  }

  /**
   * Writes a version's files to a folder. The folder appears whole or not at all.
   *
   * @param folder absent or empty
   * @throws IntegrityException if an object is missing or corrupt
   * @throws IllegalArgumentException if the folder holds anything
   */
  public void materialize(Manifest manifest, Path folder) {
    Path target = folder.toAbsolutePath().normalize();
    Path beside = target.getParent();
    if (beside == null) {
      throw new IllegalArgumentException("cannot write a version to " + target);
    }
    try {
      checkAbsentOrEmpty(target);
      Files.createDirectories(beside);
      Path temporary = DurableFile.temporaryIn(beside);
      try {
        for (FileEntry file : manifest.files()) {
          store.materialize(file.digest(), temporary.resolve(file.path()));
        }
        moveFolder(temporary, target);
      } finally {
        deleteTree(temporary);
      }
      DurableFile.syncFolder(beside);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + target + ": " + e, e);
    }
  }

  /**
   * What does not fit, for one file of a version or ({@code path} empty) its manifest.
   *
   * @param expected the digest that the manifest names
   * @param found what is there instead
   */
  public record Fault(String path, Digest expected, String found) {}

  /** Reads the manifest and every file of a version through, and names all that does not fit. */
  public List<Fault> verify(Manifest manifest) {
    List<Fault> faults = new ArrayList<>();
    fault("", manifest.digest()).ifPresent(faults::add);
    for (FileEntry file : manifest.files()) {
      Optional<Fault> fault = fault(file.path(), file.digest());
      if (fault.isPresent()) {
        faults.add(fault.get());
      } else if (store.size(file.digest()) != file.size()) {
        String found = store.size(file.digest()) + " bytes where the manifest says " + file.size();
        faults.add(new Fault(file.path(), file.digest(), found));
      }
    }
    return List.copyOf(faults);
  }

  private Optional<Fault> fault(String path, Digest digest) {
    try {
      store.verify(digest);
      return Optional.empty();
    } catch (IntegrityException e) {
      return Optional.of(new Fault(path, digest, e.found()));
    }
  }

  /** Every file below a folder; refuses what is neither a folder nor a plain file. */
  private static List<String> filesOf(Path folder) throws IOException {
    List<String> paths = new ArrayList<>();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            StringBuilder path = new StringBuilder();
            for (Path name : folder.relativize(file)) {
              path.append(path.isEmpty() ? "" : "/").append(name);
            }
            paths.add(path.toString());
            return FileVisitResult.CONTINUE;
          }
        });
    return paths;
  }

  private static Path plainFile(Path folder, String path) {
    Path file = folder;
    for (String segment : FileEntry.checkPath(path).split("/")) {
      file = file.resolve(segment);
      if (Files.isSymbolicLink(file)) {
        throw new IllegalArgumentException(
            file + ": is a symbolic link; a version holds plain files (copy the file here)");
      }
    }
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new IllegalArgumentException(file + ": not a plain file");
    }
    return file;
  }

  private static void checkAbsentOrEmpty(Path target) throws IOException {
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(target)) {
      throw new IllegalArgumentException(target + ": is there, and not a folder");
    }
    try (Stream<Path> content = Files.list(target)) {
      Optional<Path> any = content.findAny();
      if (any.isPresent()) {
        throw new IllegalArgumentException(
            target + ": is not empty (it holds " + any.get().getFileName() + ")");
      }
    }
  }

  private static void moveFolder(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException | FileAlreadyExistsException e) {
      Files.delete(to); // Empty, or this fails.
      Files.move(from, to);
    }
  }

  private static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
              throws IOException {
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
