package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contracts over SQLite. */
class SqliteStoreTest {

  @Nested
  class Basics extends LedgerContract {
    @Override
    TestStore stores() {
      return TestStore.SQLITE;
    }
  }

  @Nested
  class Refusals extends InvalidFactContract {
    @Override
    TestStore stores() {
      return TestStore.SQLITE;
    }
  }

  @Nested
  class Concurrency extends ConcurrencyContract {
    @Override
    TestStore stores() {
      return TestStore.SQLITE;
    }
  }

  @Nested
  class CommitFailures extends CommitFailureContract {
    @Override
    TestStore stores() {
      return TestStore.SQLITE;
    }
  }

  @Nested
  class RandomHistories extends RandomHistoryContract {
    @Override
    TestStore stores() {
      return TestStore.SQLITE;
    }
  }

  @Test
  void aForeignFileIsRefused(@TempDir Path directory) throws Exception {
    Ledger.create(directory, InstantSource.system()).close();
    Files.delete(directory.resolve(".cambium/ledger.db"));
    Files.writeString(
        directory.resolve(".cambium/ledger.db"),
        "not a database at all, but long enough for a header of one hundred bytes, which is what is read first");
    assertThatThrownBy(() -> Ledger.open(directory, InstantSource.system()))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("not a ledger's database");
  }
}
