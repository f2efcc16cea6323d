package dev.cambium.ledger;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.model.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One process at a time does something long with an ecosystem. The lock is the operating system's
 * on {@code .cambium/lock}, so that it ends with the process, however that ends; the file's content
 * says who holds it, and is only for people. Where machines share a PostgreSQL database, the lock
 * is one of a session there as well, which ends with the process, too. (The ledger needs no lock:
 * its appends are compared with the state in their transaction. The lock keeps two processes from
 * doing the same work.)
 */
public final class EcosystemLock implements AutoCloseable {

  static final String FILE = "lock";

  /** Far behind the content: where locks are mandatory, the content can still be read. */
  private static final long LOCKED_BYTE = 1L << 40;

  /**
   * Files locked by this process. The operating system's locks are of a process and are lost when
   * it closes any descriptor of the file, so a second attempt must not even open it.
   */
  private static final Map<Path, Holder> HELD = new ConcurrentHashMap<>();

  /**
   * Who holds a lock.
   *
   * @param pid its process
   * @param host its machine
   * @param since when it took it
   * @param what it does
   */
  record Holder(long pid, String host, Instant since, String what) {
    @Override
    public String toString() {
      return "process " + pid + " on " + host + ", since " + since + " (" + what + ")";
    }
  }

  private final Path file;
  private final FileChannel channel;
  private final Connector.Held shared;
  private boolean closed;

  private EcosystemLock(Path file, FileChannel channel, Connector.Held shared) {
    this.file = file;
    this.channel = channel;
    this.shared = shared;
  }

  /**
   * Takes the lock on this machine, and the one in the ledger's database if machines share that.
   *
   * @param directory the ecosystem's
   * @param what this process is about to do, for whoever finds it locked
   * @throws LockedException naming the holder, if somebody has it
   * @throws LedgerException if the file cannot be written, or the database not be reached
   */
  public static EcosystemLock acquire(
      Path directory, Ledger ledger, String what, InstantSource clock) {
    return acquire(directory, ledger.connector(), what, clock);
  }

  static EcosystemLock acquire(
      Path directory, Connector connector, String what, InstantSource clock) {
    EcosystemLock local = acquire(directory, what, clock);
    try {
      return new EcosystemLock(
          local.file,
          local.channel,
          connector.lock(what + ", process " + ProcessHandle.current().pid() + " on " + host()));
    } catch (SQLException e) {
      local.close();
      throw Database.failure(connector, "cannot lock the ecosystem", e);
    } catch (RuntimeException e) {
      local.close();
      throw e;
    }
  }

  /**
   * Takes the lock on this machine.
   *
   * @param directory the ecosystem's
   * @param what this process is about to do, for whoever finds it locked
   * @throws LockedException naming the holder, if somebody has it
   * @throws LedgerException if the file cannot be written
   */
  public static EcosystemLock acquire(Path directory, String what, InstantSource clock) {
    Path file;
    try {
      Path home = Files.createDirectories(directory.resolve(Ledger.HOME));
      file = home.toRealPath().resolve(FILE);
    } catch (IOException e) {
      throw new LedgerException("cannot lock " + directory + ": " + e, e);
    }
    Holder self =
        new Holder(
            ProcessHandle.current().pid(),
            host(),
            clock.instant().truncatedTo(ChronoUnit.SECONDS),
            what);
    Holder other = HELD.putIfAbsent(file, self);
    if (other != null) {
      throw locked(directory, Optional.of(other));
    }
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
      if (lock == null) {
        throw locked(directory, read(channel));
      }
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(Json.canonical(self)), 0);
      return new EcosystemLock(file, channel, () -> {});
    } catch (IOException | RuntimeException e) {
      HELD.remove(file);
      close(channel);
      if (e instanceof LockedException taken) {
        throw taken;
      }
      throw new LedgerException("cannot lock " + file + ": " + e, e);
    }
  }

  private static LockedException locked(Path directory, Optional<Holder> holder) {
    return new LockedException(
        "the ecosystem in "
            + directory
            + " is in use by "
            + holder.map(Holder::toString).orElse("another process")
            + ". Wait until it is done, or stop it; what it did so far is kept.");
  }

  private static Optional<Holder> read(FileChannel channel) throws IOException {
    ByteBuffer content = ByteBuffer.allocate((int) Math.min(channel.size(), 1 << 16));
    channel.read(content, 0);
    try {
      JsonNode json =
          Json.mapper()
              .readTree(new String(content.array(), 0, content.position(), StandardCharsets.UTF_8));
      return Optional.ofNullable(Json.mapper().treeToValue(json, Holder.class));
    } catch (IOException e) {
      return Optional.empty(); // its holder has only just taken it and is writing
    }
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "this machine";
    }
  }

  private static void close(
      java.nio.channels.@org.jspecify.annotations.Nullable FileChannel channel) {
    if (channel == null) {
      return;
    }
    try {
      channel.close();
    } catch (IOException e) {
      throw new LedgerException("cannot release a lock: " + e, e);
    }
  }

  /** Releases the lock. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    shared.close();
    try {
      channel.truncate(0);
    } catch (IOException e) {
      throw new LedgerException("cannot release the lock " + file + ": " + e, e);
    } finally {
      close(channel);
      HELD.remove(file);
    }
  }
}
