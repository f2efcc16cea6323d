package dev.cambium.ledger;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Connections to an SQLite file. Write-ahead logging lets readers go on while one writer writes;
 * {@code synchronous=FULL} makes a commit wait for the disk, so that what was acknowledged outlives
 * a crash of the machine; transactions of the writer start immediate, so that they see the newest
 * state from their first statement and never fail to upgrade.
 */
final class SqliteConnector implements Connector {

  /** How long a writer waits for another process's transaction, which takes milliseconds. */
  static final int BUSY_TIMEOUT_MS = 30_000;

  private final Path file;

  SqliteConnector(Path file) {
    this.file = file;
  }

  SQLiteDataSource dataSource(SQLiteConfig.SynchronousMode synchronous, boolean foreignKeys) {
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(synchronous);
    config.enforceForeignKeys(foreignKeys);
    config.setBusyTimeout(BUSY_TIMEOUT_MS);
    config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
    return source(config);
  }

  @Override
  public Connection writer() throws SQLException {
    return dataSource(SQLiteConfig.SynchronousMode.FULL, true).getConnection();
  }

  @Override
  public Connection reader() throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.setReadOnly(true);
    config.setBusyTimeout(BUSY_TIMEOUT_MS);
    config.setTransactionMode(SQLiteConfig.TransactionMode.DEFERRED);
    return source(config).getConnection();
  }

  private SQLiteDataSource source(SQLiteConfig config) {
    SQLiteDataSource source = new SQLiteDataSource(config);
    source.setUrl("jdbc:sqlite:" + file.toAbsolutePath());
    return source;
  }
}
