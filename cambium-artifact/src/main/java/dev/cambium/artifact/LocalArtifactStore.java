package dev.cambium.artifact;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store in a folder: {@code objects/sha256/ab/cdef…}, with {@code tmp/} for what is being written
 * and {@code lock} for {@link #collect}.
 *
 * <p>An object is written to {@code tmp/}, fsynced, made read-only, renamed to its place, and the
 * folder fsynced. Its age is its time of modification, which {@code put} sets to now when the
 * object is already there. That touch and a deletion by {@code collect} exclude each other by a
 * lock on {@code lock}, so an object is either seen young and kept, or gone and written anew.
 */
public final class LocalArtifactStore implements ArtifactStore {

  private static final Logger LOG = LoggerFactory.getLogger(LocalArtifactStore.class);

  /** A temporary file that nobody has written to for so long belongs to a process that died. */
  private static final Duration ABANDONED = Duration.ofHours(1);

  private static final int BUFFER = 1 << 16;

  /** File locks hold between processes only; within this one, a lock per store's real path. */
  private static final Map<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

  private final InstantSource clock;
  private final Path objects;
  private final Path temporary;
  private final Path lockFile;
  private final ReentrantLock lock;

  private LocalArtifactStore(Path root, InstantSource clock) throws IOException {
    this.clock = clock;
    this.objects = root.resolve("objects").resolve("sha256");
    this.temporary = root.resolve("tmp");
    this.lockFile = root.resolve("lock");
    Files.createDirectories(objects);
    Files.createDirectories(temporary);
    this.lock = LOCKS.computeIfAbsent(root.toRealPath(), path -> new ReentrantLock());
  }

  /** Opens the store in a folder, creating it if needed, and removes what dead writers left. */
  public static LocalArtifactStore open(Path root) {
    return open(root, InstantSource.system());
  }

  static LocalArtifactStore open(Path root, InstantSource clock) {
    try {
      LocalArtifactStore store = new LocalArtifactStore(root.toAbsolutePath(), clock);
      store.removeAbandoned();
      return store;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot open the artifact store in " + root + ": " + e, e);
    }
  }

  @Override
  public Digest put(byte[] bytes) {
    Digest digest = Digest.of(bytes);
    try {
      if (!keepsExisting(digest)) {
        Path file = DurableFile.temporaryIn(temporary);
        try {
          DurableFile.writeTemporary(file, channel -> writeAll(channel, ByteBuffer.wrap(bytes)));
          moveIntoPlace(file, digest);
        } finally {
          Files.deleteIfExists(file);
        }
      }
      return digest;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot store " + digest + ": " + e, e);
    }
  }

  @Override
  public Digest put(Path source) {
    try {
      Digest first = hash(source);
      if (keepsExisting(first)) {
        return first;
      }
      Path file = DurableFile.temporaryIn(temporary);
      try {
        MessageDigest copied = Digest.sha256();
        DurableFile.writeTemporary(file, channel -> copy(source, channel, copied));
        // Of what was copied, not of what was hashed before: the source may have changed meanwhile.
        Digest digest = Digest.ofRaw(copied.digest());
        moveIntoPlace(file, digest);
        return digest;
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot store " + source + ": " + e, e);
    }
  }

  /** Whether a sound object is there, which is then young. A corrupt one is to be replaced. */
  private boolean keepsExisting(Digest digest) throws IOException {
    Path file = path(digest);
    if (!touch(file)) {
      return false;
    }
    Digest found;
    try {
      found = hash(file);
    } catch (NoSuchFileException e) {
      return false; // Deleted since: written anew.
    }
    if (found.equals(digest)) {
      return true;
    }
    LOG.warn("{}: was corrupt (its digest is {}); replacing it by the good bytes", file, found);
    return false;
  }

  private boolean touch(Path file) throws IOException {
    return locked(
        () -> {
          try {
            Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
            return true;
          } catch (NoSuchFileException e) {
            return false;
          }
        });
  }

  @Override
  public boolean renew(Digest digest) {
    try {
      return touch(path(digest));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot touch " + path(digest) + ": " + e, e);
    }
  }

  private void moveIntoPlace(Path file, Digest digest) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
    PosixFileAttributeView posix = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    if (posix != null) {
      posix.setPermissions(PosixFilePermissions.fromString("r--r--r--"));
    }
    Path target = path(digest);
    Path folder = folder(digest);
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder);
      DurableFile.syncFolder(objects);
    }
    Files.move(file, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    DurableFile.syncFolder(folder);
  }

  @Override
  public boolean has(Digest digest) {
    return Files.isRegularFile(path(digest), LinkOption.NOFOLLOW_LINKS);
  }

  @Override
  public byte[] bytes(Digest digest) {
    Path file = path(digest);
    try {
      long size = Files.size(file);
      if (size > Integer.MAX_VALUE - 8) {
        throw new IntegrityException(
            file.toString(), digest, size + " bytes, too many to read at once");
      }
      byte[] bytes = Files.readAllBytes(file);
      check(digest, Digest.of(bytes));
      return bytes;
    } catch (IOException e) {
      throw unreadable(digest, e);
    }
  }

  @Override
  public InputStream open(Digest digest) {
    try {
      return new VerifyingStream(
          Files.newInputStream(path(digest)), path(digest).toString(), digest);
    } catch (IOException e) {
      throw unreadable(digest, e);
    }
  }

  @Override
  public long size(Digest digest) {
    try {
      return Files.size(path(digest));
    } catch (IOException e) {
      throw unreadable(digest, e);
    }
  }

  @Override
  public void verify(Digest digest) {
    try {
      check(digest, hash(path(digest)));
    } catch (IOException e) {
      throw unreadable(digest, e);
    }
  }

  @Override
  public void materialize(Digest digest, Path target) {
    if (!has(digest)) {
      throw new MissingArtifactException(path(digest).toString(), digest);
    }
    DurableFile.write(
        target,
        channel -> {
          MessageDigest copied = Digest.sha256();
          copy(path(digest), channel, copied);
          check(digest, Digest.ofRaw(copied.digest()));
        });
  }

  @Override
  public Stream<Digest> list() {
    try {
      return digests().stream();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + objects + ": " + e, e);
    }
  }

  private List<Digest> digests() throws IOException {
    List<Digest> digests = new ArrayList<>();
    try (Stream<Path> files = Files.walk(objects, 2)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path relative = objects.relativize(file);
        if (relative.getNameCount() == 2) {
          String hex = relative.getName(0).toString() + relative.getName(1);
          if (hex.matches("[0-9a-f]{64}")) {
            digests.add(new Digest(hex));
          }
        }
      }
    }
    digests.sort(null);
    return digests;
  }

  @Override
  public boolean delete(Digest digest) {
    try {
      return locked(() -> Files.deleteIfExists(path(digest)));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + path(digest) + ": " + e, e);
    }
  }

  @Override
  public Collected collect(Supplier<Set<Digest>> reachable, Duration grace) {
    if (grace.isNegative()) {
      throw new IllegalArgumentException("negative grace period: " + grace);
    }
    try {
      removeAbandoned();
      Instant youngAfter = clock.instant().minus(grace);
      Set<Digest> needed = reachable.get();
      return locked(() -> collectLocked(needed, youngAfter));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot collect garbage in " + objects + ": " + e, e);
    }
  }

  private Collected collectLocked(Set<Digest> reachable, Instant youngAfter) throws IOException {
    List<Digest> deleted = new ArrayList<>();
    long bytes = 0;
    long kept = 0;
    long young = 0;
    for (Digest digest : digests()) {
      Path file = path(digest);
      if (reachable.contains(digest)) {
        kept++;
      } else if (Files.getLastModifiedTime(file).toInstant().isAfter(youngAfter)) {
        young++;
      } else {
        bytes += Files.size(file);
        Files.delete(file);
        deleted.add(digest);
      }
    }
    return new Collected(deleted, bytes, kept, young);
  }

  /** Where an object lies. For tests and messages: reading it there verifies nothing. */
  Path path(Digest digest) {
    return folder(digest).resolve(digest.hex().substring(2));
  }

  private Path folder(Digest digest) {
    return objects.resolve(digest.hex().substring(0, 2));
  }

  private void removeAbandoned() throws IOException {
    Instant before = Instant.now().minus(ABANDONED);
    try (Stream<Path> files = Files.list(temporary)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        try {
          if (Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
            Files.delete(file);
            LOG.info("{}: removed, left behind by a writer that died", file);
          }
        } catch (NoSuchFileException e) {
          continue; // Its writer has just moved it into place.
        }
      }
    }
  }

  @FunctionalInterface
  private interface Step<T> {
    T run() throws IOException;
  }

  private <T> T locked(Step<T> step) throws IOException {
    lock.lock();
    try (FileChannel channel =
            FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      return step.run();
    } finally {
      lock.unlock();
    }
  }

  private void check(Digest expected, Digest found) {
    if (!found.equals(expected)) {
      throw new IntegrityException(path(expected).toString(), expected, found.toString());
    }
  }

  private RuntimeException unreadable(Digest digest, IOException e) {
    return e instanceof NoSuchFileException
        ? new MissingArtifactException(path(digest).toString(), digest)
        : new UncheckedIOException("cannot read " + path(digest) + ": " + e, e);
  }

  private static Digest hash(Path file) throws IOException {
    MessageDigest digest = Digest.sha256();
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return Digest.ofRaw(digest.digest());
  }

  private static void copy(Path source, WritableByteChannel target, MessageDigest digest)
      throws IOException {
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = Files.newInputStream(source)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
        writeAll(target, ByteBuffer.wrap(buffer, 0, n));
      }
    }
  }

  private static void writeAll(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
