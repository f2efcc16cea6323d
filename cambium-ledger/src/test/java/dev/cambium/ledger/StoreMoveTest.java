package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Progress;
import dev.cambium.model.Record;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoreMoveTest {

  private static final InstantSource CLOCK = InstantSource.system();
  private static final StoreAddress LOCAL = StoreAddress.local();

  @TempDir Path directory;
  private StoreAddress postgres;
  private List<Record> records;
  private List<Optional<String>> checkpoints;

  @BeforeEach
  void create() {
    postgres = TestStore.POSTGRES.address(directory);
    try (Ledger ledger = Ledger.create(directory, CLOCK)) {
      History.live(ledger);
      ledger.append("test", List.of(History.declared(), History.declared()), List.of());
      remember(ledger);
    }
  }

  private void remember(Ledger ledger) {
    records = ledger.state().records(0, 10_000);
    checkpoints = checkpoints(ledger);
  }

  private static List<Optional<String>> checkpoints(Ledger ledger) {
    List<Optional<String>> all = new ArrayList<>();
    for (long size = 0; size <= ledger.state().size(); size++) {
      all.add(ledger.state().checkpoint(size));
    }
    return all;
  }

  private StoreMove.Moved move(StoreAddress from, StoreAddress to) {
    return StoreMove.move(directory, from, to, CLOCK, Progress.NONE, 4);
  }

  private void assertLiesIn(StoreAddress address) {
    try (Ledger ledger = Ledger.open(directory, address, CLOCK)) {
      assertThat(ledger.state().records(0, 10_000)).isEqualTo(records);
      assertThat(checkpoints(ledger)).isEqualTo(checkpoints);
      assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
    }
  }

  private void append(StoreAddress address) {
    try (Ledger ledger = Ledger.open(directory, address, CLOCK)) {
      ledger.append("test", List.of(History.declared()), List.of());
      remember(ledger);
    }
  }

  @Test
  void thereAndBackAndThereAgain() {
    StoreMove.Moved moved = move(LOCAL, postgres);
    assertThat(moved.records()).isEqualTo(23);
    assertThat(moved.copied()).isEqualTo(23);
    assertThat(moved.checkpoints()).isEqualTo(22);
    assertLiesIn(postgres);
    append(postgres);

    assertThat(move(postgres, LOCAL).copied()).as("the others are there yet").isEqualTo(1);
    assertLiesIn(LOCAL);
    append(LOCAL);
    assertThat(move(LOCAL, postgres).copied()).isEqualTo(1);
    assertLiesIn(postgres);
  }

  @Test
  void whatWasMovedTakesNoMoreRecords() {
    try (Ledger open = Ledger.open(directory, CLOCK)) {
      move(LOCAL, postgres);
      assertThatThrownBy(() -> open.append("late", List.of(History.declared()), List.of()))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("moved from here to " + postgres);
      assertThat(open.state().records(0, 10_000)).isEqualTo(records);
    }
    assertThatThrownBy(() -> Ledger.open(directory, CLOCK))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("cambium migrate-store --to " + postgres);
    StoreMove.Moved again = move(LOCAL, postgres);
    assertThat(again.copied()).isZero();
    assertThat(again.records()).isEqualTo(23);
    assertLiesIn(postgres);
  }

  /** Stops at each batch in turn; the ledger stays where it is and takes records in between. */
  @Test
  void aMoveThatStopsGoesOn() {
    for (int stop = 1; stop <= 5; stop++) {
      int last = stop;
      int[] batches = {0};
      Progress stopping =
          (task, done, total, note) -> {
            if (++batches[0] == last) {
              throw new IllegalStateException("the power went away");
            }
          };
      if (stop == 2) {
        append(LOCAL);
      }
      try {
        StoreMove.move(directory, LOCAL, postgres, CLOCK, stopping, 2);
        assertThat(stop).as("moves went on from where they stopped").isEqualTo(5);
      } catch (IllegalStateException e) {
        assertLiesIn(LOCAL);
        assertThatThrownBy(() -> Ledger.open(directory, postgres, CLOCK))
            .isInstanceOf(LedgerException.class)
            .hasMessageContaining("is not done");
      }
    }
    assertLiesIn(postgres);
  }

  /** The process dies between the two halves of the switch. */
  @Test
  void aMoveThatStopsInTheSwitchGoesOn() throws SQLException {
    move(LOCAL, postgres);
    execute(postgres, "insert into store_state values (1, 'INCOMING', 'local')");
    assertThatThrownBy(() -> Ledger.open(directory, LOCAL, CLOCK))
        .hasMessageContaining("moved from here");
    assertThatThrownBy(() -> Ledger.open(directory, postgres, CLOCK))
        .hasMessageContaining("is not done");
    move(LOCAL, postgres);
    assertLiesIn(postgres);
  }

  /** Moves with a process of its own; the arguments are directory and target. */
  static final class Mover {
    public static void main(String[] args) {
      StoreMove.move(
          Path.of(args[0]),
          LOCAL,
          StoreAddress.of(args[1], Map.of()),
          CLOCK,
          (task, done, total, note) -> System.out.println(done),
          1);
    }
  }

  @Test
  void aMoveThatIsKilledGoesOn() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Mover.class.getName(),
                directory.toString(),
                postgres.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertThat(process.inputReader().readLine()).isEqualTo("1");
    process.destroyForcibly();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    StoreMove.Moved moved = move(LOCAL, postgres);
    assertThat(moved.records()).isEqualTo(23);
    assertThat(moved.copied()).isLessThan(23);
    assertLiesIn(postgres);
  }

  @Test
  void anotherLogIsNotWrittenOver(@TempDir Path other) throws SQLException {
    try (Ledger ledger =
        Ledger.create(other, TestStore.POSTGRES.address(directory), InstantSource.system())) {
      ledger.append("test", List.of(History.declared()), List.of());
    }
    assertThatThrownBy(() -> move(LOCAL, postgres))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("holds a ledger of 1 records already");
    execute(postgres, "insert into store_state values (1, 'MOVED', 'local')");
    assertThatThrownBy(() -> move(LOCAL, postgres))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("holds another log");
    assertLiesIn(LOCAL);
    assertThatIllegalArgumentException().isThrownBy(() -> move(LOCAL, LOCAL));
  }

  @Test
  void aDamagedRecordIsNamedAndNothingMoves() throws SQLException {
    execute(LOCAL, "update log_record set leaf = replace(leaf, '12.5', '12.6')");
    assertThatThrownBy(() -> move(LOCAL, postgres))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("record 13 is not what its hash says");
    execute(LOCAL, "update log_record set leaf = replace(leaf, '12.6', '12.5')");
    String note =
        "update log_checkpoint set note = replace(note, '\n%d\n', '\n%d\n') where size = 20";
    execute(LOCAL, note.formatted(20, 21));
    assertThatThrownBy(() -> move(LOCAL, postgres))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("does not verify")
        .hasMessageContaining("checkpoint of size 20");
    execute(LOCAL, note.formatted(21, 20));
    assertLiesIn(LOCAL);
  }

  /** Nobody moved it; an altered table says so. Each is found by verify, and mended by staying. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "1, 'MOVED', 'jdbc:postgresql://localhost:1/nowhere'",
        "1, 'INCOMING', 'local'",
        "1, 'MOVED', 'no address at all'",
        "7, 'MOVED', 'local'",
        "1, 'LOST', 'local'",
      })
  void aMarkThatNoMoveLeftIsFoundAndMended(String row) throws SQLException {
    execute(LOCAL, "insert into store_state values (" + row + ")");
    assertThatThrownBy(() -> Ledger.open(directory, CLOCK)).isInstanceOf(LedgerException.class);
    try (Ledger ledger = Ledger.openToVerify(directory, LOCAL, CLOCK)) {
      assertThat(ledger.verify(digest -> Optional.empty()).findings())
          .singleElement()
          .satisfies(
              finding -> {
                assertThat(finding.subject()).isEqualTo("table store_state");
                assertThat(finding.found()).contains("cambium migrate-store --stay");
              });
      assertThatThrownBy(() -> ledger.append("test", List.of(History.declared()), List.of()))
          .isInstanceOf(LedgerException.class);
    }
    boolean unreachable = row.contains("nowhere");
    if (unreachable) {
      assertThatThrownBy(() -> StoreMove.stay(directory, LOCAL, false, CLOCK))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("--peer-is-lost");
    }
    assertThat(StoreMove.stay(directory, LOCAL, unreachable, CLOCK)).isTrue();
    assertLiesIn(LOCAL);
    append(LOCAL);
    assertThat(StoreMove.stay(directory, LOCAL, false, CLOCK)).isFalse();
  }

  @Test
  void aLedgerThatTakesRecordsElsewhereDoesNotStay() throws SQLException {
    move(LOCAL, postgres);
    assertThatThrownBy(() -> StoreMove.stay(directory, LOCAL, true, CLOCK))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("takes records: it has 23 and the one here 23");
    // As after a crash between the two halves of the switch: neither takes records.
    execute(postgres, "insert into store_state values (1, 'INCOMING', 'local')");
    assertThat(StoreMove.stay(directory, LOCAL, false, CLOCK)).isTrue();
    append(LOCAL);
    assertThat(move(LOCAL, postgres).copied()).isEqualTo(1);
    assertLiesIn(postgres);
  }

  @Test
  void aDamagedLedgerDoesNotStay() throws SQLException {
    execute(LOCAL, "insert into store_state values (1, 'LOST', 'local')");
    execute(LOCAL, "update log_record set leaf = replace(leaf, '12.5', '12.6')");
    assertThatThrownBy(() -> StoreMove.stay(directory, LOCAL, false, CLOCK))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("does not verify");
  }

  private void execute(StoreAddress address, String sql) throws SQLException {
    try (Connection connection = address.connector(directory).writer();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
