package dev.cambium.artifact;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Writes a file so that, whenever the machine stops, its name holds either the old content or all
 * of the new: temporary file beside it, fsync, atomic rename, fsync of the folder.
 */
public final class DurableFile {

  /** Temporary files begin and end so; whoever owns a folder may remove stale ones. */
  static final String TEMPORARY_PREFIX = ".tmp-";

  private DurableFile() {}

  /** Writes a file's content. */
  @FunctionalInterface
  public interface Content {
    /** Writes all bytes from the channel's position on. */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Creates or replaces a file. Missing parent folders are created.
   *
   * @throws UncheckedIOException if anything fails; the file is then as it was before
   */
  public static void write(Path file, Content content) {
    Path target = file.toAbsolutePath();
    Path folder = folderOf(target);
    try {
      Files.createDirectories(folder);
      Path temporary = temporaryIn(folder);
      try {
        writeTemporary(temporary, content);
        Files.move(
            temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(temporary);
      }
      syncFolder(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + target + ": " + e, e);
    }
  }

  /** A fresh name in a folder; the file does not exist yet. */
  static Path temporaryIn(Path folder) {
    return folder.resolve(TEMPORARY_PREFIX + UUID.randomUUID());
  }

  /** Writes and fsyncs a new file. */
  static void writeTemporary(Path temporary, Content content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      content.writeTo(channel);
      channel.force(true);
    }
  }

  /** Makes renames and deletions in a folder survive a power cut. */
  static void syncFolder(Path folder) throws IOException {
    if (System.getProperty("os.name", "").startsWith("Windows")) {
      return; // A folder cannot be opened there; NTFS journals renames itself.
    }
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static Path folderOf(Path absolute) {
    Path folder = absolute.getParent();
    if (folder == null) {
      throw new IllegalArgumentException("not a file: " + absolute);
    }
    return folder;
  }
}
