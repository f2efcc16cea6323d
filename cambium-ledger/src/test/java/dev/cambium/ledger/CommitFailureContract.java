package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Record;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
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

  private enum Failure {
    NONE,
    BEFORE_COMMIT,
    AFTER_COMMIT
  }

  @TempDir Path directory;
  private Failure failure = Failure.NONE;

  /** Whether the database cannot be reached any more once a commit has failed. */
  private boolean vanishes;

  private boolean unreachable;
  private Ledger ledger;

  @BeforeEach
  void create() {
    stores().create(directory, InstantSource.system()).close();
    Path home = directory.resolve(Ledger.HOME);
    ledger =
        new Ledger(
            failing(stores().connector(directory)),
            LogKey.load(home.resolve(Ledger.KEYS)),
            InstantSource.system());
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  private Connector failing(Connector real) {
    return new ForwardingConnector(real) {
      @Override
      public Connection writer() throws SQLException {
        requireReachable();
        return real.writer();
      }

      @Override
      public Connection reader() throws SQLException {
        requireReachable();
        return real.reader();
      }

      @Override
      public void commit(Connection writer) throws SQLException {
        if (failure == Failure.BEFORE_COMMIT) {
          throw new SQLException("disk I/O error");
        }
        real.commit(writer);
        if (failure == Failure.AFTER_COMMIT) {
          unreachable = vanishes;
          throw new SQLException("connection reset");
        }
      }
    };
  }

  private void requireReachable() throws SQLException {
    if (unreachable) {
      throw new SQLException("the database went away");
    }
  }

  private List<Record> append() {
    return ledger.append("test", History.founding(), List.of());
  }

  @Test
  void recordsThatAreInAreReturned() {
    failure = Failure.AFTER_COMMIT;
    assertThat(append()).hasSize(10);
    failure = Failure.NONE;
    assertThat(ledger.append("test", History.wave(), List.of())).hasSize(10);
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
  }

  @Test
  void recordsThatAreNotInAreAPlainFailure() {
    failure = Failure.BEFORE_COMMIT;
    assertThatThrownBy(this::append)
        .isExactlyInstanceOf(LedgerException.class)
        .hasMessageContaining("nothing was recorded")
        .hasMessageContaining("disk I/O error");
    assertThat(ledger.state().size()).isZero();
    failure = Failure.NONE;
    assertThat(append().get(0).index()).isZero();
    assertThat(ledger.verify(digest -> Optional.empty()).findings()).isEmpty();
  }

  @Test
  void whatNobodyCanTellIsReportedAsUnknown() {
    failure = Failure.AFTER_COMMIT;
    vanishes = true;
    assertThatThrownBy(this::append)
        .isInstanceOf(UnknownOutcomeException.class)
        .hasMessageContaining("records 0 to 9")
        .hasMessageContaining("unknown")
        .hasMessageContaining("connection reset");
    unreachable = false;
    assertThat(ledger.state().size()).isEqualTo(10);
  }
}
