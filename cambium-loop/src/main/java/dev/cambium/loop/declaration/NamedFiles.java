package dev.cambium.loop.declaration;

import dev.cambium.loop.declaration.Node.Position;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Finds the files that a declaration names, all of them in the ecosystem's directory. */
final class NamedFiles {

  private final Path directory;
  private final Problems problems;

  NamedFiles(Path directory, Problems problems) {
    this.directory = directory;
    this.problems = problems;
  }

  /**
   * The path of a file; null, and a problem noted, where there is none that may be named.
   *
   * @param what names it, for messages, such as {@code capability 'cards': suite}
   */
  @Nullable Path find(String name, Position place, String what) {
    Path path;
    try {
      path = Path.of(name);
    } catch (InvalidPathException e) {
      problems.add(place, what + ": not a path: '" + name + "'");
      return null;
    }
    if (path.isAbsolute() || path.normalize().startsWith("..")) {
      problems.add(
          place,
          what
              + ": '"
              + name
              + "' leaves the ecosystem's directory; name a file in it, with a relative path");
      return null;
    }
    Path resolved = directory.resolve(path);
    if (!Files.exists(resolved)) {
      problems.add(place, what + ": no such file: " + resolved);
      return null;
    }
    if (!Files.isRegularFile(resolved)) {
      problems.add(place, what + ": not a file: " + resolved);
      return null;
    }
    return resolved;
  }
}
