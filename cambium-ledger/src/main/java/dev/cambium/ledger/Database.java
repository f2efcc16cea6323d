package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.function.Function;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.conf.Settings;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/** Read transactions over a small set of connections, and the schema's version. */
final class Database implements AutoCloseable, LedgerState.Source {

  private static final String MIGRATIONS = "classpath:dev/cambium/ledger/migration";
  private static final int IDLE_READERS = 4;

  static {
    // The library would otherwise greet whoever reads the log.
    System.setProperty("org.jooq.no-logo", "true");
    System.setProperty("org.jooq.no-tips", "true");
  }

  private final Connector connector;
  private final Deque<Connection> idle = new ArrayDeque<>();
  private boolean closed;

  Database(Connector connector) {
    this.connector = connector;
  }

  static DSLContext dsl(Connection connection, SQLDialect dialect) {
    return DSL.using(connection, dialect, new Settings().withExecuteLogging(false));
  }

  /** The connection of a context that {@link #dsl} made. */
  static Connection connection(DSLContext dsl) {
    Connection connection = dsl.configuration().connectionProvider().acquire();
    if (connection == null) {
      throw new IllegalStateException("a context without a connection");
    }
    return connection;
  }

  /** Brings a database to the newest schema. */
  static void migrate(Connector connector) {
    try {
      migrate(connector.migrations(), connector.dialect());
    } catch (FlywayException e) {
      throw new LedgerException(
          "cannot set up the ledger's database " + connector.where() + ": " + e.getMessage(), e);
    }
  }

  /**
   * @throws FlywayException if it fails
   */
  static void migrate(DataSource source, SQLDialect dialect) {
    migrations(source, dialect).load().migrate();
  }

  /**
   * The scripts, which are the same for all databases but for the words that make a table's tree.
   */
  static FluentConfiguration migrations(DataSource source, SQLDialect dialect) {
    boolean sqlite = dialect == SQLDialect.SQLITE;
    return Flyway.configure()
        .dataSource(source)
        .locations(MIGRATIONS)
        .placeholders(
            Map.of(
                "index", sqlite ? "integer" : "bigint",
                "clustered", sqlite ? " without rowid" : ""));
  }

  /**
   * Brings an existing database to the newest schema.
   *
   * @throws LedgerException if it is newer, or no ledger
   */
  void upgrade() {
    int found = schemaVersion();
    if (found > Schema.VERSION) {
      throw new LedgerException(
          connector.where()
              + " has schema version "
              + found
              + ", and this Cambium knows versions up to "
              + Schema.VERSION
              + ": use the newer Cambium that wrote it");
    }
    if (found < Schema.VERSION) {
      migrate(connector);
    }
  }

  /**
   * The version of a database's schema. Asked first, because starting the migration tool for
   * nothing would cost every command a quarter of a second.
   *
   * @throws LedgerException if this is no ledger, or could not be read
   */
  int schemaVersion() {
    try {
      return read(
          dsl ->
              dsl
                  .resultQuery(
                      "select version from flyway_schema_history"
                          + " where success and version is not null")
                  .fetch(0, String.class)
                  .stream()
                  .mapToInt(Integer::parseInt)
                  .max()
                  .orElse(0));
    } catch (LedgerException | NumberFormatException e) {
      throw new LedgerException(
          connector.where() + ": not a ledger's database, or damaged: " + e.getMessage(), e);
    }
  }

  /**
   * Runs a query, or several, on one snapshot of the database.
   *
   * @throws LedgerException if the database fails
   */
  @Override
  public <T> T read(Function<DSLContext, T> query) {
    Connection connection = null;
    boolean reusable = false;
    try {
      connection = acquire();
      connection.setAutoCommit(false);
      T result = query.apply(dsl(connection, connector.dialect()));
      connection.rollback();
      connection.setAutoCommit(true);
      reusable = true;
      return result;
    } catch (SQLException | DataAccessException e) {
      throw failure(connector, "cannot read the ledger", e);
    } finally {
      if (connection != null) {
        release(connection, reusable);
      }
    }
  }

  static LedgerException failure(Connector connector, String what, Exception cause) {
    if (connector.isBusy(cause)) {
      return new LedgerException(
          what
              + ": another process has been writing for "
              + Connector.PATIENCE_MS / 1000
              + " s; try again when it is done",
          cause);
    }
    return new LedgerException(what + ": " + connector.where() + ": " + cause.getMessage(), cause);
  }

  private Connection acquire() throws SQLException {
    synchronized (idle) {
      if (closed) {
        throw new IllegalStateException("the ledger is closed");
      }
    }
    for (Connection connection = poll(); connection != null; connection = poll()) {
      if (connector.usable(connection)) {
        return connection;
      }
      close(connection);
    }
    return connector.reader();
  }

  private @Nullable Connection poll() {
    synchronized (idle) {
      return idle.poll();
    }
  }

  private void release(Connection connection, boolean reusable) {
    synchronized (idle) {
      if (reusable && !closed && idle.size() < IDLE_READERS) {
        idle.push(connection);
        return;
      }
    }
    close(connection);
  }

  /** Closes a connection that is of no more use, whatever state it is in. */
  static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      org.slf4j.LoggerFactory.getLogger(Database.class)
          .warn("a database connection did not close: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    synchronized (idle) {
      closed = true;
      idle.forEach(Database::close);
      idle.clear();
    }
  }
}
