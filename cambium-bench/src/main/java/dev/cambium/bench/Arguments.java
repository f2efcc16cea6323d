package dev.cambium.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The arguments of a benchmark's main method, by their place; what is not given has a default. */
final class Arguments {

  private final String[] given;

  Arguments(String[] given) {
    this.given = given.clone();
  }

  int number(int place, int otherwise) {
    return place < given.length ? Integer.parseInt(given[place]) : otherwise;
  }

  /** A directory; by default a new one for temporary files, whose name begins with what it is. */
  Path directory(int place, String what) throws IOException {
    return place < given.length ? Path.of(given[place]) : Files.createTempDirectory(what);
  }
}
