package dev.cambium.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import java.util.Optional;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Connections to an SQLite file. Write-ahead logging lets readers go on while one writer writes;
 * {@code synchronous=FULL} makes a commit wait for the disk, so that what was acknowledged outlives
 * a crash of the machine; transactions of the writer start immediate, so that they see the newest
 * state from their first statement and never fail to upgrade.
 */
final class SqliteConnector implements Connector {

  /**
   * Pages of the write-ahead log, of 4 KiB, after which a commit copies them into the file before
   * it returns. That is left to {@link Checkpointer} as far as it keeps up; only a commit can begin
   * the log anew.
   */
  private static final int LOG_PAGES = 32_000;

  /**
   * Nothing is written that a projector has not checked, and the checks that the schema asks for
   * would take a tenth of the time of many records. PostgreSQL makes them, and tests do.
   */
  private static final boolean CHECK_REFERENCES = false;

  /** At most, in KiB, and only as far as there is something to hold. */
  private static final int CACHE_KIB = 64 << 10;

  private final Path file;
  private final Checkpointer checkpointer = new Checkpointer(this);

  /** What the file was when the writer was opened. */
  private volatile Optional<Object> opened = Optional.empty();

  SqliteConnector(Path file) {
    this.file = file;
  }

  SQLiteDataSource dataSource(SQLiteConfig.SynchronousMode synchronous, boolean foreignKeys) {
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(synchronous);
    config.enforceForeignKeys(foreignKeys);
    config.setBusyTimeout(PATIENCE_MS);
    config.setCacheSize(-CACHE_KIB);
    config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
    // What a statement of many rows needs to undo itself would go to a file.
    config.setTempStore(SQLiteConfig.TempStore.MEMORY);
    config.setGetGeneratedKeys(false); // or every insert is followed by a question for them
    return source(config);
  }

  @Override
  public String where() {
    return file.toString();
  }

  @Override
  public SQLDialect dialect() {
    return SQLDialect.SQLITE;
  }

  @Override
  public Connection writer() throws SQLException {
    if (identity().isEmpty()) { // or SQLite would make a new, empty one
      throw new SQLException(file + " was removed; put it back");
    }
    Connection writer =
        dataSource(SQLiteConfig.SynchronousMode.FULL, CHECK_REFERENCES).getConnection();
    try (Statement statement = writer.createStatement()) {
      statement.execute("pragma wal_autocheckpoint = " + LOG_PAGES);
      statement.execute("select count(*) from sqlite_schema"); // the log beside it is there now
      // SQLite passes over a directory that it cannot sync, and with it over a log that may be
      // lost.
      Disk.force(Objects.requireNonNull(file.toAbsolutePath().getParent()));
    } catch (SQLException e) {
      Database.close(writer);
      throw e;
    } catch (IOException e) {
      Database.close(writer);
      throw new SQLException("cannot sync the directory of " + file + ": " + e.getMessage(), e);
    }
    opened = identity();
    return writer;
  }

  /** Another writer, for {@link Checkpointer}; it must not make a file where there is none. */
  Connection copier() throws SQLException {
    if (!identity().equals(opened)) {
      throw new SQLException(file + " is not what it was");
    }
    return dataSource(SQLiteConfig.SynchronousMode.FULL, false).getConnection();
  }

  /** A file that was removed takes writes as before, and loses them when it is closed. */
  @Override
  public void requireInPlace() throws SQLException {
    Optional<Object> now = identity();
    if (!now.equals(opened)) {
      throw new SQLException(
          file
              + (now.isEmpty() ? " was removed" : " was replaced by another file")
              + " while this process had it open; put the file back and start again");
    }
  }

  /** The file's inode, where the file system has such a thing. */
  private Optional<Object> identity() {
    try {
      BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
      return Optional.of(found.fileKey() == null ? file : found.fileKey());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  @Override
  public Connection reader() throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.setReadOnly(true);
    config.setBusyTimeout(PATIENCE_MS);
    config.setCacheSize(-CACHE_KIB / 2);
    config.setTransactionMode(SQLiteConfig.TransactionMode.DEFERRED);
    return source(config).getConnection();
  }

  @Override
  public void committed(Connection writer, int records) {
    checkpointer.committed(writer, records);
  }

  @Override
  public void close() {
    checkpointer.close();
  }

  @Override
  public void begin(Connection writer) throws SQLException {
    writer.setAutoCommit(false); // begins at once
  }

  @Override
  public void commit(Connection writer) throws SQLException {
    writer.setAutoCommit(true); // the driver's commit() would begin another transaction
  }

  @Override
  public boolean usable(Connection idle) {
    return true;
  }

  @Override
  public boolean exists() {
    return Files.isRegularFile(file);
  }

  @Override
  public DataSource migrations() {
    return dataSource(SQLiteConfig.SynchronousMode.FULL, true);
  }

  @Override
  public boolean isBusy(Throwable failure) {
    return String.valueOf(failure.getMessage()).contains("SQLITE_BUSY");
  }

  /** The file is one machine's, and so is the lock beside it; see {@link EcosystemLock}. */
  @Override
  public Held lock(String holder) {
    return () -> {};
  }

  private SQLiteDataSource source(SQLiteConfig config) {
    SQLiteDataSource source = new SQLiteDataSource(config);
    source.setUrl("jdbc:sqlite:" + file.toAbsolutePath());
    return source;
  }
}
