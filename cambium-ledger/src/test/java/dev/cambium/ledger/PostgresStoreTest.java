package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contracts over PostgreSQL. */
class PostgresStoreTest {

  @Nested
  class Basics extends LedgerContract {
    @Override
    TestStore stores() {
      return TestStore.POSTGRES;
    }
  }

  @Nested
  class Refusals extends InvalidFactContract {
    @Override
    TestStore stores() {
      return TestStore.POSTGRES;
    }
  }

  @Nested
  class Concurrency extends ConcurrencyContract {
    @Override
    TestStore stores() {
      return TestStore.POSTGRES;
    }
  }

  @Nested
  class CommitFailures extends CommitFailureContract {
    @Override
    TestStore stores() {
      return TestStore.POSTGRES;
    }
  }

  @Nested
  class SharedCommits extends SharedCommitContract {
    @Override
    TestStore stores() {
      return TestStore.POSTGRES;
    }
  }

  @Nested
  class RandomHistories extends RandomHistoryContract {
    @Override
    TestStore stores() {
      return TestStore.POSTGRES;
    }
  }

  /** What only a database that machines share has. */
  @Nested
  class Shared {

    @TempDir Path here;
    @TempDir Path there;
    private StoreAddress address;

    @BeforeEach
    void create() {
      address = TestStore.POSTGRES.address(here);
      Ledger.create(here, address, InstantSource.system()).close();
    }

    @Test
    void theLockHoldsAcrossMachines() {
      Connector connector = address.connector(here);
      InstantSource clock = InstantSource.system();
      try (EcosystemLock lock = EcosystemLock.acquire(here, connector, "cambium run", clock)) {
        assertThat(lock).isNotNull();
        assertThatThrownBy(() -> EcosystemLock.acquire(there, connector, "cambium gc", clock))
            .isInstanceOf(LockedException.class)
            .hasMessageContaining("cambium run, process " + ProcessHandle.current().pid())
            .hasMessageContaining("Wait until it is done");
        // Another ecosystem of the same database has a lock of its own.
        Connector other = TestStore.POSTGRES.connector(there);
        EcosystemLock.acquire(there, other, "cambium gc", clock).close();
      }
      EcosystemLock.acquire(there, connector, "cambium gc", clock).close();
    }

    @Test
    void commitsWaitForTheDisk() throws Exception {
      try (Connection writer = address.connector(here).writer();
          Statement statement = writer.createStatement();
          ResultSet found = statement.executeQuery("show synchronous_commit")) {
        found.next();
        assertThat(found.getString(1)).isEqualTo("on");
      }
    }

    @Test
    void aServerThatDoesNotWaitForItsDiskIsRefused() throws Exception {
      PostgresServer.shared().configure("full_page_writes", "off");
      try (Ledger ledger = Ledger.open(here, address, InstantSource.system())) {
        assertThatThrownBy(() -> History.live(ledger))
            .isInstanceOf(LedgerException.class)
            .hasMessageContaining("full_page_writes = off")
            .hasMessageContaining(address.toString());
        PostgresServer.shared().configure("full_page_writes", "on");
        History.live(ledger);
      } finally {
        PostgresServer.shared().configure("full_page_writes", "on");
      }
    }

    @Test
    void anotherEcosystemsAddressIsRefused() {
      try (Ledger ledger = Ledger.open(here, address, InstantSource.system())) {
        History.live(ledger);
      }
      Ledger.create(there, InstantSource.system()).close();
      assertThatThrownBy(() -> Ledger.open(there, address, InstantSource.system()))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("address is that of another ecosystem");
    }

    @Test
    void anAddressWithoutALedgerIsNamed() {
      StoreAddress empty = StoreAddress.of(PostgresServer.shared().url(), Map.of());
      assertThatThrownBy(() -> Ledger.open(here, empty, InstantSource.system()))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining(empty + " holds no ledger")
          .hasMessageContaining("cambium migrate-store");
    }

    @Test
    void whatIsAlteredIsFound() throws Exception {
      try (Ledger ledger = Ledger.open(here, address, InstantSource.system())) {
        History.live(ledger);
        try (Connection writer = address.connector(here).writer();
            Statement statement = writer.createStatement()) {
          statement.execute("update log_record set leaf = replace(leaf, '12.5', '12.6')");
          statement.execute("update channel set number = 2 where line = 'banking'");
        }
        assertThat(ledger.verify(digest -> Optional.empty()).findings())
            .anySatisfy(
                f -> {
                  assertThat(f.index()).isEqualTo(13);
                  assertThat(f.subject()).isEqualTo("hash of the leaf");
                })
            .anySatisfy(f -> assertThat(f.subject()).isEqualTo("row of table channel"));
      }
    }

    @Test
    void connectionsThatTheServerEndedAreReplaced() {
      try (Ledger ledger = Ledger.open(here, address, InstantSource.system())) {
        History.live(ledger);
        PostgresServer.shared()
            .execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                    + " where application_name = 'cambium'");
        assertThat(ledger.state().size()).isEqualTo(21);
        ledger.append("test", List.of(History.declared()), List.of());
        assertThat(ledger.state().size()).isEqualTo(22);
      }
    }
  }
}
