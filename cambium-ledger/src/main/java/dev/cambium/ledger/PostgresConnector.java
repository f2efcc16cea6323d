package dev.cambium.ledger;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections to a PostgreSQL database; the ledger is what lies in the first schema of the search
 * path. There is one writer at a time because each transaction that writes begins with an advisory
 * lock. The server gives it back only when the transaction's outcome is settled and visible, which
 * is also what {@link Ledger} needs to find out about a commit whose answer got lost.
 *
 * <p>A commit waits for the disk: {@code synchronous_commit} is raised to {@code on} if it is
 * lower, and a server that does not wait for its disk is refused. Readers see one snapshot in each
 * transaction ({@code repeatable read}).
 */
final class PostgresConnector implements Connector {

  private static final Logger LOG = LoggerFactory.getLogger(PostgresConnector.class);

  /** The first keys of our advisory locks; the second is made from the schema's name. */
  private static final int WRITER_LOCK = 0x43424d57;

  private static final int ECOSYSTEM_LOCK = 0x43424d45;
  private static final String LOCK_TIMEOUT = "55P03";
  private static final int VALIDITY_SECONDS = 5;

  /** What PostgreSQL keeps of an application's name. */
  private static final int NAME_LENGTH = 63;

  private final String url;
  private final @Nullable String user;
  private final @Nullable String password;

  PostgresConnector(String url, @Nullable String user, @Nullable String password) {
    this.url = url;
    this.user = user;
    this.password = password;
  }

  private PGSimpleDataSource source(String application) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(url);
    if (user != null) {
      source.setUser(user);
    }
    if (password != null) {
      source.setPassword(password);
    }
    source.setApplicationName(application);
    source.setTcpKeepAlive(true);
    if (source.getSocketTimeout() == 0) {
      source.setSocketTimeout(300); // s; so that a machine that vanished is noticed
    }
    return source;
  }

  @Override
  public String where() {
    return url;
  }

  @Override
  public SQLDialect dialect() {
    return SQLDialect.POSTGRES;
  }

  @Override
  public Connection writer() throws SQLException {
    return opened(
        "cambium",
        connection -> {
          try (Statement statement = connection.createStatement()) {
            requireDurable(statement);
            statement.execute("set lock_timeout = " + PATIENCE_MS);
          }
        });
  }

  private void requireDurable(Statement statement) throws SQLException {
    try (ResultSet found =
        statement.executeQuery(
            "select current_setting('fsync'), current_setting('full_page_writes'),"
                + " current_setting('server_encoding'), current_setting('synchronous_commit')")) {
      found.next();
      require("fsync", found.getString(1), "on");
      require("full_page_writes", found.getString(2), "on");
      require("server_encoding", found.getString(3), "UTF8");
      String waits = found.getString(4);
      if (waits.equals("off") || waits.equals("local")) {
        statement.execute("set synchronous_commit = on");
      }
    }
  }

  private void require(String setting, String found, String needed) {
    if (!found.equals(needed)) {
      throw new LedgerException(
          url
              + ": the server has "
              + setting
              + " = "
              + found
              + ", and a ledger needs "
              + needed
              + ": what it acknowledges must outlive a crash and come back as it was written");
    }
  }

  @Override
  public Connection reader() throws SQLException {
    return opened(
        "cambium",
        connection -> {
          connection.setReadOnly(true);
          connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        });
  }

  private interface Preparation {
    void prepare(Connection connection) throws SQLException;
  }

  private Connection opened(String application, Preparation preparation) throws SQLException {
    Connection connection = source(application).getConnection();
    try {
      preparation.prepare(connection);
      return connection;
    } catch (SQLException | RuntimeException e) {
      Database.close(connection);
      throw e;
    }
  }

  /** A connection to a server ends with what it writes to. */
  @Override
  public void requireInPlace() {}

  /** The server does what is due. */
  @Override
  public void committed(Connection writer, int records) {}

  @Override
  public void close() {}

  @Override
  public void begin(Connection writer) throws SQLException {
    writer.setAutoCommit(false);
    try (PreparedStatement lock =
        writer.prepareStatement("select pg_advisory_xact_lock(?, hashtext(current_schema()))")) {
      lock.setInt(1, WRITER_LOCK);
      lock.execute();
    }
  }

  @Override
  public void commit(Connection writer) throws SQLException {
    writer.commit();
    writer.setAutoCommit(true);
  }

  @Override
  public boolean usable(Connection idle) {
    try {
      return idle.isValid(VALIDITY_SECONDS);
    } catch (SQLException e) {
      return false;
    }
  }

  @Override
  public boolean exists() throws SQLException {
    try (Connection connection = source("cambium").getConnection();
        Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery("select to_regclass('log_record') is not null")) {
      return found.next() && found.getBoolean(1);
    }
  }

  @Override
  public DataSource migrations() {
    return source("cambium");
  }

  @Override
  public boolean isBusy(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql && LOCK_TIMEOUT.equals(sql.getSQLState())) {
        return true;
      }
    }
    return false;
  }

  /**
   * A lock of a session of its own. The server ends it with the session: at once when the process
   * ends, within a minute when its machine or the network does.
   */
  @Override
  public Held lock(String holder) throws SQLException {
    Connection session =
        opened(
            applicationName(holder),
            connection -> {
              try (Statement statement = connection.createStatement()) {
                statement.execute("set idle_session_timeout = 0");
                statement.execute("set tcp_keepalives_idle = 30");
                statement.execute("set tcp_keepalives_interval = 10");
                statement.execute("set tcp_keepalives_count = 3");
              }
            });
    boolean taken = false;
    try (PreparedStatement statement =
        session.prepareStatement("select pg_try_advisory_lock(?, hashtext(current_schema()))")) {
      statement.setInt(1, ECOSYSTEM_LOCK);
      try (ResultSet result = statement.executeQuery()) {
        result.next();
        taken = result.getBoolean(1);
      }
      if (!taken) {
        throw new LockedException(
            "the ecosystem in "
                + url
                + " is in use by "
                + holder(session).orElse("another machine or user")
                + ". Wait until it is done, or stop it; what it did so far is kept.");
      }
      return () -> release(session);
    } finally {
      if (!taken) {
        Database.close(session);
      }
    }
  }

  /** The server notices a session's end in its own time; until then, others would be refused. */
  private static void release(Connection session) {
    try (Statement statement = session.createStatement()) {
      statement.execute("select pg_advisory_unlock_all()");
    } catch (SQLException e) {
      LOG.debug("left to the end of the session: {}", e.getMessage());
    } finally {
      Database.close(session);
    }
  }

  /** Who has the lock, as far as the server lets us know. */
  private static Optional<String> holder(Connection session) throws SQLException {
    try (PreparedStatement statement =
        session.prepareStatement(
            "select a.application_name, a.client_addr, a.backend_start"
                + " from pg_locks l join pg_stat_activity a on a.pid = l.pid"
                + " where l.locktype = 'advisory' and l.granted and l.classid = ?::bigint::oid"
                + " and l.objid = (hashtext(current_schema())::bigint & 4294967295)::oid"
                + " and l.database = (select oid from pg_database where datname ="
                + " current_database())")) {
      statement.setInt(1, ECOSYSTEM_LOCK);
      try (ResultSet result = statement.executeQuery()) {
        if (!result.next() || result.getString(1) == null) {
          return Optional.empty();
        }
        return Optional.of(
            result.getString(1)
                + (result.getString(2) == null ? "" : " from " + result.getString(2))
                + ", since "
                + result.getTimestamp(3).toInstant());
      }
    }
  }

  private static String applicationName(String holder) {
    byte[] ascii = holder.replaceAll("[^\\x20-\\x7e]", "?").getBytes(StandardCharsets.US_ASCII);
    return new String(ascii, 0, Math.min(ascii.length, NAME_LENGTH), StandardCharsets.US_ASCII);
  }
}
