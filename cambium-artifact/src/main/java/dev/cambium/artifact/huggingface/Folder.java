package dev.cambium.artifact.huggingface;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The plain files directly in a directory. Links are refused, pickles named, neither is opened. */
final class Folder {

  private static final List<String> PICKLES =
      List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib");

  private final Path path;
  private final Findings findings;
  private final SortedSet<String> files = new TreeSet<>();
  private final SortedSet<String> ignored = new TreeSet<>();

  Folder(Path path, Findings findings) {
    this.path = path;
    this.findings = findings;
    try (Stream<Path> entries = Files.list(path)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        String name = String.valueOf(entry.getFileName());
        ignored.add(name);
        if (Files.isSymbolicLink(entry)) {
          findings.refuse(
              name,
              "",
              "a symbolic link to " + Files.readSymbolicLink(entry),
              "a plain file",
              "Copy the directory with its links followed, for instance with 'cp -rL'.");
        } else if (Files.isRegularFile(entry, LinkOption.NOFOLLOW_LINKS)) {
          files.add(name);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the directory " + path + ": " + e, e);
    }
  }

  boolean has(String name) {
    return files.contains(name);
  }

  Path file(String name) {
    return path.resolve(name);
  }

  SortedSet<String> files() {
    return files;
  }

  /** Makes a file part of the version. */
  void take(String name) {
    ignored.remove(name);
    try {
      findings.file(name, Files.size(file(name)));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file(name) + ": " + e, e);
    }
  }

  /** Names every pickle. They are no obstacle where weights lie beside them as safetensors. */
  void namePickles() {
    for (String name : files) {
      if (isPickle(name)) {
        findings.warn(
            name,
            "",
            "a pickle, by its name",
            "safetensors, JSON or text",
            "It is never read, and will not become part of the version.");
      }
    }
  }

  static boolean isPickle(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return PICKLES.stream().anyMatch(lower::endsWith);
  }

  /** What is there and was not taken. */
  List<String> ignored() {
    return new ArrayList<>(ignored);
  }
}
