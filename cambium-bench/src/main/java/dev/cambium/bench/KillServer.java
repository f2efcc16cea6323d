package dev.cambium.bench;

import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.LedgerException;
import dev.cambium.ledger.StoreAddress;
import dev.cambium.ledger.UnknownOutcomeException;
import dev.cambium.ledger.VerificationReport;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Record;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Kills a PostgreSQL server with SIGKILL, all its processes at once, while some threads append one
 * record after another, and so share commits; starts it again; and asks what became of each append.
 * What was acknowledged must be there, what was said to have failed must not, and what was said to
 * be unknown is settled by looking. Each record carries a number of its own, so that none can pass
 * for another.
 *
 * <p>Main: {@code KillServer [KILLS] [SEED]}; default 100 kills.
 */
public final class KillServer {

  private static final Duration STARTUP = Duration.ofSeconds(60);

  private static final int WRITERS = 3;

  private final Path directory;
  private final Random random;
  private final int port;

  /** The number of the newest record. */
  private final AtomicLong number = new AtomicLong();

  private final Set<Long> acknowledged = ConcurrentHashMap.newKeySet();
  private final Set<Long> failed = ConcurrentHashMap.newKeySet();
  private final Set<Long> unknown = ConcurrentHashMap.newKeySet();

  KillServer(Path directory, long seed) throws IOException {
    this.directory = directory;
    this.random = new Random(seed);
    try (ServerSocket free = new ServerSocket(0)) {
      this.port = free.getLocalPort();
    }
  }

  public static void main(String[] arguments) throws Exception {
    int kills = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 100;
    long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : 1;
    Path directory = Files.createTempDirectory("kill-server");
    Result result = new KillServer(directory, seed).run(kills);
    System.out.printf(
        Locale.ROOT,
        "%d kills (seed %d): %d appends acknowledged, %d of them lost; %d failed, %d of them in;"
            + " %d unknown, of which %d were in and %d were not; %d records, %s%n",
        kills,
        seed,
        result.acknowledged(),
        result.lost(),
        result.failed(),
        result.failedButIn(),
        result.unknownIn() + result.unknownOut(),
        result.unknownIn(),
        result.unknownOut(),
        result.records(),
        result.intact() ? "intact" : "NOT INTACT");
    if (!result.sound()) {
      System.exit(1);
    }
  }

  /**
   * What came of the appends.
   *
   * @param acknowledged that returned
   * @param lost of these, that were not in the log afterwards
   * @param failed that were said not to be in
   * @param failedButIn of these, that were in the log afterwards
   * @param unknownIn of unknown outcome that were in
   * @param unknownOut of unknown outcome that were not
   * @param records in the log at the end
   * @param intact whether the log verifies as a whole at the end
   */
  record Result(
      long acknowledged,
      long lost,
      long failed,
      long failedButIn,
      long unknownIn,
      long unknownOut,
      long records,
      boolean intact) {

    /** Whether nothing was lost, and nothing was said that was not so. */
    boolean sound() {
      return lost == 0 && failedButIn == 0 && intact && records == acknowledged + unknownIn;
    }
  }

  Result run(int kills) throws Exception {
    Path home = directory.resolve("ecosystem");
    StoreAddress address =
        StoreAddress.of(
            "jdbc:postgresql://localhost:" + port + "/postgres?user=postgres", Map.of());
    boolean first = true;
    ExecutorService writers =
        Executors.newFixedThreadPool(
            WRITERS,
            task -> {
              Thread daemon = new Thread(task, "writer");
              daemon.setDaemon(true);
              return daemon;
            });
    for (int kill = 0; kill < kills; kill++) {
      EmbeddedPostgres server = start();
      try (Ledger ledger =
          first
              ? Ledger.create(home, address, InstantSource.system())
              : Ledger.open(home, address, InstantSource.system())) {
        first = false;
        AtomicBoolean dead = new AtomicBoolean();
        Thread killer = killer(2 + random.nextInt(60), dead);
        append(ledger, number.incrementAndGet()); // the server is up again: it must succeed
        killer.start();
        List<Future<?>> writing = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
          writing.add(writers.submit(() -> write(ledger, dead)));
        }
        for (Future<?> one : writing) {
          one.get(); // or what it did not expect would be lost with its thread
        }
        killer.join();
      } finally {
        server.close();
      }
    }
    writers.shutdown();
    try (EmbeddedPostgres server = start();
        Ledger ledger = Ledger.open(home, address, InstantSource.system())) {
      Set<Long> in = new HashSet<>();
      for (Record record : ledger.state().records(0, Integer.MAX_VALUE)) {
        in.add(number(record.fact()));
      }
      VerificationReport report = ledger.verify(artifact -> Optional.empty());
      return new Result(
          acknowledged.size(),
          acknowledged.stream().filter(n -> !in.contains(n)).count(),
          failed.size(),
          failed.stream().filter(in::contains).count(),
          unknown.stream().filter(in::contains).count(),
          unknown.stream().filter(n -> !in.contains(n)).count(),
          ledger.state().size(),
          report.intact());
    }
  }

  private void append(Ledger ledger, long mine) {
    ledger.append("writer", List.of(fact(mine)), List.of());
    acknowledged.add(mine);
  }

  /**
   * Until the server is dead, and twice more: those must fail or be unknown, and no more than that.
   */
  private void write(Ledger ledger, AtomicBoolean dead) {
    for (int after = 0; after < 2; after += dead.get() ? 1 : 0) {
      long mine = number.incrementAndGet();
      try {
        append(ledger, mine);
      } catch (UnknownOutcomeException e) {
        unknown.add(mine);
      } catch (LedgerException e) {
        failed.add(mine);
        LockSupport.parkNanos(1_000_000); // until it is said to be dead
      }
    }
  }

  private static Fact fact(long number) {
    return new Fact.EcosystemDeclared(
        "n" + number, Digest.ofText("declaration " + number), new TreeMap<>());
  }

  private static long number(Fact fact) {
    return Long.parseLong(((Fact.EcosystemDeclared) fact).name().substring(1));
  }

  private EmbeddedPostgres start() throws IOException {
    return EmbeddedPostgres.builder()
        .setPort(port)
        .setDataDirectory(directory.resolve("data"))
        .setCleanDataDirectory(false)
        .setServerConfig("fsync", "on")
        .setPGStartupWait(STARTUP)
        .start();
  }

  private Thread killer(int afterMillis, AtomicBoolean dead) throws IOException {
    String pid = Files.readAllLines(directory.resolve("data").resolve("postmaster.pid")).get(0);
    ProcessHandle postmaster = ProcessHandle.of(Long.parseLong(pid.strip())).orElseThrow();
    return new Thread(
        () -> {
          try {
            Thread.sleep(afterMillis);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          // Its children as they are now: the writer's own among them.
          List<ProcessHandle> children = postmaster.descendants().toList();
          postmaster.destroyForcibly();
          children.forEach(ProcessHandle::destroyForcibly);
          Stream.concat(Stream.of(postmaster), children.stream())
              .forEach(process -> process.onExit().join());
          dead.set(true);
        });
  }
}
