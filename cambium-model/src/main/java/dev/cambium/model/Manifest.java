package dev.cambium.model;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a version is. Its digest is the version's identity, so it holds no name, number or time: the
 * same files on the same parent are the same version.
 *
 * @param kind what the files are
 * @param parent digest of the parent version's manifest; none for a foundation
 * @param files every file, in the order of their paths
 */
public record Manifest(VersionKind kind, @Nullable Digest parent, List<FileEntry> files) {

  public Manifest {
    files = files.stream().sorted(Comparator.comparing(FileEntry::path)).toList();
    Set<String> seen = new HashSet<>();
    for (FileEntry file : files) {
      if (!seen.add(file.path())) {
        throw new IllegalArgumentException("manifest names a file twice: " + file.path());
      }
    }
    if (files.isEmpty()) {
      throw new IllegalArgumentException("manifest without files");
    }
    if (kind != VersionKind.MODEL && parent == null) {
      throw new IllegalArgumentException("an " + kind + " needs a parent version");
    }
  }

  /** The version's identity: the digest of the canonical JSON of this manifest. */
  public Digest digest() {
    return Json.digest(this);
  }

  /** The entry of a path. */
  public Optional<FileEntry> file(String path) {
    return files.stream().filter(f -> f.path().equals(path)).findFirst();
  }

  /** All bytes of all files. */
  public long size() {
    return files.stream().mapToLong(FileEntry::size).sum();
  }
}
