package dev.cambium.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * A database of the ledger's schema to replay into, on disk so that its size is not bounded by the
 * memory, and gone when closed. It holds no records, so that references to them are not enforced.
 */
final class Scratch implements AutoCloseable {

  private final Path directory;
  private final Connection connection;

  Scratch() {
    try {
      directory = Files.createTempDirectory("cambium-replay");
    } catch (IOException e) {
      throw new LedgerException("cannot create a temporary directory to replay in: " + e, e);
    }
    try {
      SQLiteDataSource source =
          new SqliteConnector(directory.resolve("replay.db"))
              .dataSource(SQLiteConfig.SynchronousMode.OFF, false);
      Database.migrate(source);
      connection = source.getConnection();
      connection.setAutoCommit(false);
    } catch (SQLException e) {
      delete();
      throw new LedgerException("cannot make a temporary database to replay in: " + e, e);
    }
  }

  DSLContext dsl() {
    return Database.dsl(connection);
  }

  @Override
  public void close() {
    Database.close(connection);
    delete();
  }

  private void delete() {
    try (Stream<Path> paths = Files.walk(directory)) {
      List<Path> inside = paths.sorted(Comparator.reverseOrder()).toList();
      for (Path path : inside) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      org.slf4j.LoggerFactory.getLogger(Scratch.class)
          .warn("could not delete {}: {}", directory, e.getMessage());
    }
  }
}
