package dev.cambium.artifact.hub;

import dev.cambium.artifact.hub.Http.Busy;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One file: bytes go to {@code NAME.part}, from where it ends on, and it gets its name when its
 * digest is the one that the hub gives. A file under its name is therefore whole.
 */
final class Download {

  private static final Pattern RANGE = Pattern.compile("bytes (\\d+)-(\\d+)/(\\d+|\\*)");
  private static final int BUFFER = 1 << 17;

  /** A server that sends nothing for so long is taken to be gone. */
  private static final long SILENCE_SECONDS = 60;

  private final Http http;
  private final HubAddress address;
  private final HubListing.Entry entry;
  private final Path file;
  private final Path part;
  private final LongConsumer have;

  /**
   * @param address at a commit
   * @param have hears how many bytes of the file there are
   * @throws HubException if the listing does not bound the file
   */
  Download(
      Http http, HubAddress address, HubListing.Entry entry, Path directory, LongConsumer have) {
    if (entry.size() < 0) {
      throw new HubException(
          address + ": the listing gives no size of " + entry.path() + "; not fetched");
    }
    this.http = http;
    this.address = address;
    this.entry = entry;
    this.file = directory.resolve(entry.path());
    this.part = directory.resolve(entry.path() + ".part");
    this.have = have;
  }

  /** Bytes that are there already. */
  static long there(Path directory, HubListing.Entry entry) throws IOException {
    for (String name : new String[] {entry.path(), entry.path() + ".part"}) {
      Path path = directory.resolve(name);
      if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
        return Files.size(path);
      }
    }
    return 0;
  }

  /**
   * Fetches the file, unless it is there.
   *
   * @throws HubException if it is not what the hub says it is, also when fetched anew
   * @throws IOException if the network failed for too long; what arrived is kept
   */
  Path run() throws IOException {
    if (Files.isSymbolicLink(file) || Files.isSymbolicLink(part)) {
      throw new HubException(
          file + " is a symbolic link; remove it, nothing is written through it");
    }
    if (Files.isRegularFile(file)) {
      have.accept(Files.size(file));
      return file;
    }
    String first = once();
    if (!first.isEmpty()) {
      Files.deleteIfExists(part); // what was resumed may have been of another download
      String second = once();
      if (!second.isEmpty()) {
        Files.deleteIfExists(part);
        throw new HubException(
            address + ": " + entry.path() + " is not what the hub says it is: " + second);
      }
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    return file;
  }

  /** Fetches all there is, and returns what is wrong with it; empty if nothing is. */
  private String once() throws IOException {
    FileDigest expected = http.persistently(this::attempt, this::length);
    long size = length();
    if (size != entry.size()) {
      return "expected " + entry.size() + " bytes, found " + size;
    }
    FileDigest found = digest(expected, size);
    return found.equals(expected) ? "" : "expected " + expected + ", found " + found;
  }

  private long length() {
    try {
      return Files.exists(part) ? Files.size(part) : 0;
    } catch (IOException e) {
      return 0;
    }
  }

  private FileDigest attempt() throws IOException, Busy {
    long from = length();
    if (from > entry.size()) {
      Files.delete(part);
      from = 0;
    }
    // Everything is there, and its digest is known: nothing to ask for.
    if (from > 0 && from == entry.size() && entry.digest().isPresent()) {
      return entry.digest().get();
    }
    Http.Answer answer =
        http.get(
            "/"
                + address.repository()
                + "/resolve/"
                + address.revision()
                + "/"
                + HubAddress.segment(entry.path()),
            from > 0 ? Map.of("Range", "bytes=" + from + "-") : Map.of(),
            address);
    FileDigest expected;
    try (InputStream body = answer.last().body()) {
      checkCommit(answer);
      expected = expected(answer);
      int status = answer.last().statusCode();
      if (status == 416) {
        if (from != entry.size()) {
          Files.deleteIfExists(part);
          throw new IOException(entry.path() + ": the part that was there is of no use");
        }
        return expected;
      }
      long start = status == 206 ? start(answer, from) : 0;
      write(body, start);
    }
    if (length() < entry.size()) {
      throw new IOException(
          entry.path() + " ended after " + length() + " of " + entry.size() + " bytes");
    }
    return expected;
  }

  private long start(Http.Answer answer, long from) throws IOException {
    Matcher range = RANGE.matcher(answer.header("Content-Range").orElse(""));
    if (!range.matches() || Long.parseLong(range.group(1)) != from) {
      Files.deleteIfExists(part);
      throw new IOException(
          entry.path()
              + ": asked for bytes from "
              + from
              + ", got '"
              + answer.header("Content-Range").orElse("no range")
              + "'");
    }
    return from;
  }

  private void checkCommit(Http.Answer answer) {
    Optional<String> commit = answer.first().firstValue("X-Repo-Commit");
    if (commit.isPresent() && !commit.get().equals(address.revision())) {
      throw new HubException(
          address + ": the hub gave " + entry.path() + " of another commit, " + commit.get());
    }
  }

  /** The listing's digest; where it has none, that of the endpoint's own answer. */
  private FileDigest expected(Http.Answer answer) {
    Optional<FileDigest> told = entry.digest();
    for (String header : new String[] {"X-Linked-Etag", "ETag"}) {
      if (told.isEmpty()) {
        told = answer.first().firstValue(header).flatMap(FileDigest::ofTag);
      }
    }
    return told.orElseThrow(
        () ->
            new HubException(
                address
                    + ": the hub names no digest of "
                    + entry.path()
                    + ", so it cannot be checked; not taken"));
  }

  private void write(InputStream body, long from) throws IOException {
    AtomicLong written = new AtomicLong(from);
    try (Watchdog watchdog = new Watchdog(body, written);
        FileChannel out =
            FileChannel.open(
                part,
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS)) {
      out.truncate(from);
      out.position(from);
      byte[] buffer = new byte[BUFFER];
      for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
        if (written.get() + n > entry.size()) {
          throw new HubException(
              address
                  + ": "
                  + entry.path()
                  + " is longer than the "
                  + entry.size()
                  + " bytes of the listing");
        }
        ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
        have.accept(written.addAndGet(n));
      }
      watchdog.check();
      out.force(true);
    }
  }

  /** Closes a body that no byte comes out of any more, which ends the read that waits for one. */
  private static final class Watchdog implements AutoCloseable {
    private final ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "hub-watchdog");
              thread.setDaemon(true);
              return thread;
            });
    private volatile boolean silent;
    private long seen = -1;

    Watchdog(InputStream body, AtomicLong written) {
      timer.scheduleWithFixedDelay(
          () -> {
            long now = written.get();
            if (now == seen) {
              silent = true;
              try {
                body.close();
              } catch (IOException e) {
                // it is being given up anyway
              }
            }
            seen = now;
          },
          SILENCE_SECONDS,
          SILENCE_SECONDS,
          TimeUnit.SECONDS);
    }

    void check() throws IOException {
      if (silent) {
        throw new IOException("nothing arrived for " + SILENCE_SECONDS + " s");
      }
    }

    @Override
    public void close() {
      timer.shutdownNow();
    }
  }

  private FileDigest digest(FileDigest expected, long size) throws IOException {
    MessageDigest digest = expected.begin(size);
    try (InputStream in = Files.newInputStream(part, LinkOption.NOFOLLOW_LINKS)) {
      byte[] buffer = new byte[BUFFER];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return expected.ended(digest);
  }
}
