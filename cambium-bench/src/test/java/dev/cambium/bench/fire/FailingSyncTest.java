package dev.cambium.bench.fire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.ledger.LedgerException;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.model.Channel;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Every sync of a command, of the database and of the artifact store, fails once, in a process
 * whose {@code fsync} and {@code fdatasync} are ours.
 */
class FailingSyncTest {

  private static final String COUNTER = "CAMBIUM_FAILING_SYNC";

  /** In memory where that can be had: what is asked is not whether a real disk keeps it. */
  private Path directory = Path.of("");

  @BeforeEach
  void make() throws IOException {
    Path memory = Path.of("/dev/shm");
    directory =
        Files.isWritable(memory)
            ? Files.createTempDirectory(memory, "sync")
            : Files.createTempDirectory("sync");
  }

  @AfterEach
  void remove() throws IOException {
    DirectoryTree.delete(directory);
  }

  @Test
  void aFailedSyncIsNamedAndNothingIsLostByIt() throws Exception {
    Path source = directory.resolve("failing-sync.c");
    try (InputStream in =
        Objects.requireNonNull(getClass().getResourceAsStream("/failing-sync.c"))) {
      Files.copy(in, source);
    }
    Path library = directory.resolve("failing-sync.so");
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/cc"))
            && ended("cc", "-shared", "-fPIC", "-o", library.toString(), source.toString(), "-ldl"),
        "needs a C compiler");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Subject.class.getName(),
            directory.toString());
    builder.environment().put("LD_PRELOAD", library.toString());
    builder.environment().put(COUNTER, directory.resolve("counter").toString());
    Process process = builder.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    String last = said.strip().substring(said.strip().lastIndexOf('\n') + 1);
    assertThat(Integer.parseInt(last)).as("syncs that failed; %s", said).isGreaterThan(10);
  }

  private static boolean ended(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getInputStream().readAllBytes();
    return process.waitFor() == 0;
  }

  /** The process whose syncs fail: prints what came of each, and at last how many there were. */
  static final class Subject {
    private static final String NOTE = "the one";

    /** In the counter when the sync has failed. */
    private static final String REACHED = "-1";

    public static void main(String[] arguments) throws IOException {
      Path directory = Path.of(arguments[0]);
      Path counter = directory.resolve("counter");
      Fleet fleet = Fleet.found(directory.resolve("template"));
      int failed = 0;
      for (boolean reached = true; reached; failed++) {
        Path ecosystem = fleet.copy(directory.resolve("fleet"));
        List<?> before;
        try (Cambium cambium = open(ecosystem)) {
          before = cambium.state().records(0, Integer.MAX_VALUE);
        }
        Files.writeString(counter, Integer.toString(failed));
        String[] whenDone = {REACHED};
        String failure =
            failure(
                () -> {
                  act(ecosystem, () -> whenDone[0] = read(counter));
                });
        List<String> told = Files.readAllLines(counter);
        Files.writeString(counter, REACHED);
        reached = told.get(0).equals(REACHED);
        System.out.println(failed + ": " + told + ": " + failure);
        require(
            reached != failure.isEmpty()
                || passedOver(told.get(1), ecosystem)
                || !whenDone[0].startsWith(REACHED), // the database was being closed: all is done
            "a sync failed, and nobody said so");
        require(
            failure.isEmpty() || failure.matches("(?is).*(disk I/O|Input/output) error.*"),
            "not named: " + failure);
        try (Cambium cambium = open(ecosystem)) {
          require(
              cambium.state().records(0, before.size()).equals(before), "a record changed or went");
        }
        act(ecosystem, () -> {});
        try (Cambium cambium = open(ecosystem)) {
          require(
              cambium.state().channel("cards", Channel.STABLE).stream()
                  .anyMatch(new VersionRef("cards", 2)::equals),
              "cards is at " + cambium.state().channel("cards", Channel.STABLE));
          List<Violation> violations = Invariants.check(cambium, List.of());
          require(violations.isEmpty(), violations.toString());
        }
        DirectoryTree.delete(ecosystem);
      }
      System.out.println(failed - 1);
    }

    /** SQLite ignores it by design; the ledger has synced the directory when it was opened. */
    private static boolean passedOver(String synced, Path ecosystem) {
      return synced.equals(ecosystem.resolve(".cambium").toString());
    }

    /** Signals, unless that was done, and runs until there is nothing to do. */
    private static void act(Path ecosystem, Runnable done) {
      try (Cambium cambium = open(ecosystem)) {
        if (cambium.state().signals().stream()
            .noneMatch(s -> s.received().fact().note().equals(NOTE))) {
          cambium.signalData(Fleet.data(ecosystem, "cards", "0"), "cards", false, false, NOTE);
        }
        while (cambium.run(Approver.ALWAYS, Progress.NONE).campaign() != null) {
          require(cambium.state().openCampaign().isEmpty(), "a campaign does not end");
        }
        done.run();
      }
    }

    private static Cambium open(Path ecosystem) {
      return Cambium.open(ecosystem, "tester", InstantSource.system(), TableTrainer::new);
    }

    private static String read(Path file) {
      try {
        return Files.readString(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static String failure(Runnable command) {
      try {
        command.run();
        return "";
      } catch (LedgerException | UncheckedIOException e) {
        return e + (e.getCause() == null ? "" : ": " + e.getCause().getMessage());
      }
    }

    private static void require(boolean condition, String message) {
      if (!condition) {
        throw new IllegalStateException(message);
      }
    }
  }
}
