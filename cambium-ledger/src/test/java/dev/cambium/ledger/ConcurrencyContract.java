package dev.cambium.ledger;

import static dev.cambium.ledger.History.BANKING_1;
import static dev.cambium.ledger.History.BANKING_2;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.Record;
import dev.cambium.model.VersionRef;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several connections, threads and processes on one ledger, and processes that die. */
abstract class ConcurrencyContract {

  /** The kind of database under test. */
  abstract TestStore stores();

  private static final int MOVES = 10;

  @TempDir Path directory;

  /** Appends until it is killed, and prints each index once it is acknowledged. */
  static final class Appender {
    public static void main(String[] args) {
      try (Ledger ledger = opened(args)) {
        while (true) {
          Record record =
              ledger
                  .append(
                      "appender",
                      List.of(
                          History.dataSignal(ledger.state().nextSignal(), "banking"),
                          History.declared()),
                      List.of())
                  .get(1);
          System.out.println(record.index());
        }
      }
    }
  }

  /** Moves a channel to and fro, and prints how often it was second. */
  static final class Mover {
    public static void main(String[] args) {
      try (Ledger ledger = opened(args)) {
        System.out.println(move(ledger, args[2]));
      }
    }

    static int move(Ledger ledger, String actor) {
      int conflicts = 0;
      for (int moved = 0; moved < MOVES; ) {
        VersionRef from = ledger.state().channel("banking", Channel.STABLE).orElseThrow();
        VersionRef to = from.equals(BANKING_1) ? BANKING_2 : BANKING_1;
        try {
          ledger.append(
              actor,
              List.of(History.rolledBack(from, to)),
              List.of(new Precondition.ChannelAt("banking", Channel.STABLE, from)));
          moved++;
        } catch (ConflictException e) {
          conflicts++;
        }
      }
      return conflicts;
    }
  }

  /** Takes the lock, says so, and keeps it until it is killed. */
  static final class Holder {
    public static void main(String[] args) throws Exception {
      try (Ledger ledger = opened(args);
          EcosystemLock lock =
              EcosystemLock.acquire(Path.of(args[0]), ledger, "holding", InstantSource.system())) {
        System.out.println("held " + lock.getClass().getSimpleName());
        Thread.sleep(Long.MAX_VALUE);
      }
    }
  }

  /** The ledger that another process is told to open. */
  private static Ledger opened(String[] args) {
    return Ledger.open(
        Path.of(args[0]), StoreAddress.of(args[1], Map.of()), InstantSource.system());
  }

  private Process start(Class<?> main, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx256m");
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(main.getName());
    command.add(directory.toString());
    command.add(stores().address(directory).toString());
    command.addAll(List.of(args));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private Ledger open() {
    return stores().open(directory, InstantSource.system());
  }

  private EcosystemLock acquire(String what, InstantSource clock) {
    return EcosystemLock.acquire(directory, stores().connector(directory), what, clock);
  }

  private void assertIntact() {
    try (Ledger ledger = open()) {
      assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
    }
  }

  @Test
  void whatWasAcknowledgedOutlivesBeingKilled() throws Exception {
    stores().create(directory, InstantSource.system()).close();
    long size = 0;
    for (int round = 0; round < 2; round++) {
      Process process = start(Appender.class);
      long acknowledged = -1;
      try (BufferedReader output = process.inputReader()) {
        for (int line = 0; line < 5 + 20 * round; line++) {
          acknowledged = Long.parseLong(output.readLine());
        }
        // Through the handle, which leaves the pipe open to read what was written before.
        assertThat(process.toHandle().destroyForcibly()).isTrue();
        // The pipe may still hold some; a number may be cut in its middle.
        for (String line = output.readLine(); line != null; line = output.readLine()) {
          if (!line.isEmpty() && Long.parseLong(line) == acknowledged + 2) {
            acknowledged += 2;
          }
        }
      }
      process.waitFor();
      try (Ledger ledger = open()) {
        long after = ledger.state().size();
        assertThat(after).isGreaterThan(acknowledged).isGreaterThan(size).isEven();
        size = after;
      }
    }
    assertIntact();
  }

  @Test
  void ofTwoProcessesOneWinsEachMove() throws Exception {
    try (Ledger ledger = stores().create(directory, InstantSource.system())) {
      History.live(ledger);
    }
    Process one = start(Mover.class, "one");
    Process two = start(Mover.class, "two");
    assertThat(Integer.parseInt(one.inputReader().readLine())).isNotNegative();
    assertThat(Integer.parseInt(two.inputReader().readLine())).isNotNegative();
    assertThat(one.waitFor()).isZero();
    assertThat(two.waitFor()).isZero();
    assertMoves(2 * MOVES);
  }

  @Test
  void ofFourThreadsOnTwoLedgersOneWinsEachMove() throws Exception {
    try (Ledger first = stores().create(directory, InstantSource.system());
        Ledger second = open()) {
      History.live(first);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Ledger ledger = i % 2 == 0 ? first : second;
        String actor = "thread " + i;
        threads.add(new Thread(() -> Mover.move(ledger, actor)));
      }
      threads.forEach(Thread::start);
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertMoves(4 * MOVES);
  }

  private void assertMoves(int expected) {
    try (Ledger ledger = open()) {
      List<Recorded<Fact.ChannelMoved>> history =
          ledger.state().channelHistory("banking", Channel.STABLE);
      assertThat(history).hasSize(3 + expected);
      for (int i = 1; i < history.size(); i++) {
        assertThat(history.get(i).fact().from()).isEqualTo(history.get(i - 1).fact().to());
      }
    }
    assertIntact();
  }

  @Test
  void theSecondIsToldWhatItFound() {
    try (Ledger first = stores().create(directory, InstantSource.system());
        Ledger second = open()) {
      History.live(first);
      List<Precondition> seen =
          List.of(
              new Precondition.ChannelAt("banking", Channel.STABLE, BANKING_1),
              new Precondition.LogSize(21));
      first.append("first", List.of(History.rolledBack(BANKING_1, BANKING_2)), seen);
      assertThatThrownBy(
              () ->
                  second.append("second", List.of(History.rolledBack(BANKING_1, BANKING_2)), seen))
          .isInstanceOf(ConflictException.class)
          .hasMessageContaining(
              "expected stable of banking at banking@1, found it at banking@2;"
                  + " expected 21 records, found 22")
          .satisfies(
              e ->
                  assertThat(((ConflictException) e).conflicts())
                      .extracting(ConflictException.Conflict::precondition)
                      .isEqualTo(seen));
      assertThat(second.state().size()).isEqualTo(22);
    }
  }

  @Test
  void theLockNamesItsHolderAndEndsWithIt() throws Exception {
    Instant since = Instant.parse("2026-03-01T12:00:00Z");
    InstantSource clock = InstantSource.fixed(since);
    stores().create(directory, clock).close();
    try (EcosystemLock lock = acquire("cambium run", clock)) {
      assertThat(lock).isNotNull();
      assertThatThrownBy(() -> acquire("cambium gc", clock))
          .isInstanceOf(LockedException.class)
          .hasMessageContaining("process " + ProcessHandle.current().pid())
          .hasMessageContaining("2026-03-01T12:00:00Z (cambium run)")
          .hasMessageContaining("Wait until it is done");
      // The failed attempt must not have cost this process its lock.
      Process other = start(Holder.class);
      assertThat(other.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(other.exitValue()).isNotZero();
    }
    Process holder = start(Holder.class);
    try (BufferedReader output = holder.inputReader()) {
      assertThat(output.readLine()).isEqualTo("held EcosystemLock");
      assertThatThrownBy(() -> acquire("cambium gc", clock))
          .isInstanceOf(LockedException.class)
          .hasMessageContaining("process " + holder.pid())
          .hasMessageContaining("(holding)");
      holder.destroyForcibly().waitFor();
    }
    acquire("cambium gc", clock).close();
    EcosystemLock again = acquire("cambium gc", clock);
    again.close();
    again.close();
  }
}
