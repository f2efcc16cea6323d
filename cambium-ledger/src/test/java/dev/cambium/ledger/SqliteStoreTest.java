package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Fact;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
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
  class SharedCommits extends SharedCommitContract {
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
            .isLessThan(32_000 * 4_096L);
      }
      assertThat(ledger.verify(ArtifactCheck.NONE).findings()).isEmpty();
    }
    try (Ledger ledger = Ledger.open(directory, InstantSource.system())) {
      assertThat(ledger.state().size()).isEqualTo(records);
      assertThat(ledger.verify(ArtifactCheck.NONE).findings()).isEmpty();
    }
  }

  /** Or it would grow as long as they follow one another, until one of them copies all of it. */
  @Test
  void commitsThatFollowOneAnotherWriteTheLogFromItsBeginningAgain(@TempDir Path directory)
      throws Exception {
    Path log = directory.resolve(".cambium/ledger.db-wal");
    try (Ledger ledger = Ledger.create(directory, InstantSource.system())) {
      ledger.append("test", List.of(History.declared()), List.of());
      int begun = timesBegun(log);
      for (int records = 0; timesBegun(log) == begun; records++) {
        assertThat(records).as("a commit would copy it all by then").isLessThan(2_000);
        ledger.append(
            "test", List.of(History.finished(History.artifact("action " + records))), List.of());
      }
      assertThat(ledger.verify(ArtifactCheck.NONE).findings()).isEmpty();
    }
  }

  /** Of the log: a number in its header (SQLite's file format, section 4.1). */
  private static int timesBegun(Path log) throws IOException {
    try (FileChannel channel = FileChannel.open(log)) {
      ByteBuffer number = ByteBuffer.allocate(Integer.BYTES);
      channel.read(number, 12);
      return number.flip().getInt();
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
