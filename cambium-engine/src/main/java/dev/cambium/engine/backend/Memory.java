package dev.cambium.engine.backend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.bytedeco.javacpp.Pointer;

/**
 * What memory this process can still take. The system grants more than it has and kills whoever
 * touches it, so whoever wants much asks here first.
 */
public final class Memory {

  /** Below this nobody needs to ask. */
  private static final long SMALL = 64L << 20;

  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final Path CGROUP = Path.of("/sys/fs/cgroup");

  private Memory() {}

  /**
   * Refuses what does not fit, before it is allocated.
   *
   * @param bytes wanted
   * @param what they are for
   * @throws InsufficientMemoryException if fewer are available; where that cannot be told, never
   */
  public static void require(long bytes, String what) {
    if (bytes > SMALL) {
      require(bytes, available(MEMINFO, CGROUP), what);
    }
  }

  static void require(long bytes, OptionalLong available, String what) {
    if (available.isPresent() && available.getAsLong() < bytes) {
      throw new InsufficientMemoryException(what, bytes, available.getAsLong());
    }
  }

  /**
   * Returns to the system what was freed. Between a large computation and the next the C library
   * otherwise keeps it, in pieces of which not all fit again.
   */
  public static void giveBack() {
    Pointer.trimMemory();
  }

  /** The machine's available memory, or what the container's limit leaves, if that is less. */
  static OptionalLong available(Path meminfo, Path cgroup) {
    OptionalLong machine = field(meminfo, "MemAvailable:");
    OptionalLong limit = number(cgroup.resolve("memory.max"));
    OptionalLong used = number(cgroup.resolve("memory.current"));
    long inKilobytes = 1024;
    long left = machine.isPresent() ? machine.getAsLong() * inKilobytes : Long.MAX_VALUE;
    if (limit.isPresent() && used.isPresent()) {
      // Cached files are counted as used, and given up when something else wants the memory.
      long cached = field(cgroup.resolve("memory.stat"), "inactive_file").orElse(0);
      left = Math.min(left, Math.max(0, limit.getAsLong() - used.getAsLong() + cached));
    }
    return left == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(left);
  }

  private static OptionalLong field(Path file, String name) {
    try {
      for (String line : Files.readAllLines(file)) {
        String[] words = line.split("\\s+");
        if (words.length > 1 && words[0].equals(name)) {
          return OptionalLong.of(Long.parseLong(words[1]));
        }
      }
    } catch (IOException | NumberFormatException e) {
      // Another system, or another layout: told by the absence.
    }
    return OptionalLong.empty();
  }

  /** The number in a file; empty if it is not there or says {@code max}. */
  private static OptionalLong number(Path file) {
    try {
      String text = Files.readString(file).strip();
      return text.matches("\\d+") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
