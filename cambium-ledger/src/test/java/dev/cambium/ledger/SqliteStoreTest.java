package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Fact;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
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

  /** Nothing waits for it, so the test has to. */
  @Test
  void whatIsCommittedIsCopiedIntoTheFileMeanwhile(@TempDir Path directory) throws Exception {
    Path file = directory.resolve(".cambium/ledger.db");
    int records = 0;
    try (Ledger ledger = Ledger.create(directory, InstantSource.system())) {
      long empty = Files.size(file);
      while (Files.size(file) < empty + (1 << 20)) {
        assertThat(records).as("records, and none of them in the file").isLessThan(20_000);
        List<Fact> facts = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
          facts.add(History.finished(History.artifact("action " + records++)));
        }
        ledger.append("test", facts, List.of());
        assertThat(Files.size(directory.resolve(".cambium/ledger.db-wal")))
            .as("a commit does it itself from here on")
            .isLessThan(16_000 * 4_096L);
      }
      assertThat(ledger.verify(ArtifactCheck.NONE).findings()).isEmpty();
    }
    try (Ledger ledger = Ledger.open(directory, InstantSource.system())) {
      assertThat(ledger.state().size()).isEqualTo(records);
      assertThat(ledger.verify(ArtifactCheck.NONE).findings()).isEmpty();
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
