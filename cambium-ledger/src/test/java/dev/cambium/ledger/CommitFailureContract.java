package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Record;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A database that fails at the moment of committing: the outcome is asked for, never guessed. */
abstract class CommitFailureContract {

  /** The kind of database under test. */
  abstract TestStore stores();

  @TempDir Path directory;
  private FailingConnector database;
  private Ledger ledger;

  @BeforeEach
  void create() {
    stores().create(directory, InstantSource.system()).close();
    Path home = directory.resolve(Ledger.HOME);
    database = new FailingConnector(stores().connector(directory));
    ledger = new Ledger(database, LogKey.load(home.resolve(Ledger.KEYS)), InstantSource.system());
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  private List<Record> append() {
    return ledger.append("test", History.founding(), List.of());
  }

  @Test
  void recordsThatAreInAreReturned() {
    database.failure = FailingConnector.Failure.AFTER_COMMIT;
    assertThat(append()).hasSize(10);
    database.failure = FailingConnector.Failure.NONE;
    assertThat(ledger.append("test", History.wave(), List.of())).hasSize(10);
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
  }

  @Test
  void recordsThatAreNotInAreAPlainFailure() {
    database.failure = FailingConnector.Failure.BEFORE_COMMIT;
    assertThatThrownBy(this::append)
        .isExactlyInstanceOf(LedgerException.class)
        .hasMessageContaining("nothing was recorded")
        .hasMessageContaining("disk I/O error");
    assertThat(ledger.state().size()).isZero();
    database.failure = FailingConnector.Failure.NONE;
    assertThat(append().get(0).index()).isZero();
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
  }

  @Test
  void whatNobodyCanTellIsReportedAsUnknown() {
    database.failure = FailingConnector.Failure.AFTER_COMMIT;
    database.vanishes = true;
    assertThatThrownBy(this::append)
        .isInstanceOf(UnknownOutcomeException.class)
        .hasMessageContaining("records 0 to 9")
        .hasMessageContaining("unknown")
        .hasMessageContaining("connection reset");
    database.unreachable = false;
    assertThat(ledger.state().size()).isEqualTo(10);
  }
}
