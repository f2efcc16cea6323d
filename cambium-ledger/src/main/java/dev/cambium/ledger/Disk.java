package dev.cambium.ledger;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What files need beyond what {@link Files} does. */
final class Disk {

  private Disk() {}

  /** Whether files have owners and modes. */
  static boolean posix() {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
  }

  /** Makes a file, or a directory's names, survive a power cut. */
  static void force(Path file) throws IOException {
    if (posix() || Files.isRegularFile(file)) { // elsewhere a directory cannot be opened
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}
