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
import org.jooq.SQLDialect;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * An empty database of the ledger's schema, to compare one with that holds records; gone when
 * closed.
 */
final class Scratch implements AutoCloseable {

  private final Path directory;
  private final Connection connection;

  /** A freshly migrated database: making one takes much longer than copying it. */
  private static byte @Nullable [] template;

  private static synchronized byte[] template(Path directory) throws IOException {
    if (template == null) {
      Path file = directory.resolve("template.db");
      Database.migrate(
          new SqliteConnector(file).dataSource(SQLiteConfig.SynchronousMode.OFF, false),
          SQLDialect.SQLITE);
      template = Files.readAllBytes(file);
    }
    return template;
  }

  Scratch() {
    try {
      directory = Files.createTempDirectory("cambium-replay");
    } catch (IOException e) {
      throw new LedgerException("cannot create a temporary directory to replay in: " + e, e);
    }
    try {
      Files.write(directory.resolve("replay.db"), template(directory));
      SQLiteDataSource source =
          new SqliteConnector(directory.resolve("replay.db"))
              .dataSource(SQLiteConfig.SynchronousMode.OFF, false);
      connection = source.getConnection();
      connection.setAutoCommit(false);
    } catch (SQLException | IOException e) {
      delete();
      throw new LedgerException("cannot make a temporary database to replay in: " + e, e);
    }
  }

  DSLContext dsl() {
    return Database.dsl(connection, SQLDialect.SQLITE);
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
