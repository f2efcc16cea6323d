package dev.cambium.model;

/**
 * One file of a version.
 *
 * @param path relative, with {@code /}, without {@code .} or {@code ..} segments
 * @param size in bytes
 * @param digest of the content
 */
public record FileEntry(String path, long size, Digest digest) {

  public FileEntry {
    checkPath(path);
    if (size < 0) {
      throw new IllegalArgumentException(path + ": negative size " + size);
    }
  }

  /** Refuses a path that could lead out of the folder it is written to. */
  public static String checkPath(String path) {
    if (path.isEmpty() || path.startsWith("/") || path.contains("\\") || path.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("not a relative file path: '" + path + "'");
    }
    for (String segment : path.split("/", -1)) {
      if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
        throw new IllegalArgumentException("not a plain relative file path: '" + path + "'");
      }
    }
    return path;
  }
}
