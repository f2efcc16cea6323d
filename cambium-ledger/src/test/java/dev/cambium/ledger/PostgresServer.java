package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A real PostgreSQL server, started once for all tests and stopped with the process. */
final class PostgresServer {

  private static @Nullable PostgresServer shared;

  private final EmbeddedPostgres server;
  private final Map<Path, String> schemas = new HashMap<>();

  private PostgresServer(EmbeddedPostgres server) {
    this.server = server;
  }

  static synchronized PostgresServer shared() {
    if (shared == null) {
      try {
        shared =
            new PostgresServer(
                EmbeddedPostgres.builder()
                    .setServerConfig("fsync", "on")
                    .setServerConfig("synchronous_commit", "off") // which the ledger must raise
                    .setLocaleConfig("locale", "C.UTF-8")
                    .setLocaleConfig("encoding", "UTF8")
                    .start());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return shared;
  }

  /** The address of a schema that is the directory's own. */
  synchronized String url(Path directory) {
    String schema =
        schemas.computeIfAbsent(
            directory.toAbsolutePath(),
            fresh -> {
              String name = "t" + (schemas.size() + 1);
              execute("create schema " + name);
              return name;
            });
    return url() + "&currentSchema=" + schema;
  }

  /** The address of the server's database, without a ledger. */
  String url() {
    return "jdbc:postgresql://localhost:" + server.getPort() + "/postgres?user=postgres";
  }

  /** Makes a user with a schema of the same name who is let in by password alone. */
  String demanding(String user, String password)
      throws IOException, InterruptedException, SQLException {
    execute("create role " + user + " login password '" + password + "'");
    execute("create schema " + user + " authorization " + user);
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("show hba_file")) {
      result.next();
      Path rules = Path.of(result.getString(1));
      Files.writeString(
          rules, "host all " + user + " all scram-sha-256\n" + Files.readString(rules));
      statement.execute("select pg_reload_conf()");
    }
    String url = "jdbc:postgresql://localhost:" + server.getPort() + "/postgres?currentSchema=";
    for (int tries = 0; letsIn(url + user, user, "not " + password); tries++) {
      assertThat(tries).as("the server does not ask for a password").isLessThan(1000);
      Thread.sleep(5);
    }
    return url + user;
  }

  private static boolean letsIn(String url, String user, String password) {
    try (Connection connection = DriverManager.getConnection(url, user, password)) {
      return true;
    } catch (SQLException e) {
      return false;
    }
  }

  /** Changes a setting of the running server, and waits until new sessions see it. */
  void configure(String setting, String value) throws InterruptedException, SQLException {
    execute("alter system set " + setting + " = " + value);
    execute("select pg_reload_conf()");
    String found = "";
    for (int tries = 0; !found.equals(value); tries++) {
      assertThat(tries).as("the server does not take %s", setting).isLessThan(1000);
      Thread.sleep(5);
      try (Connection connection = DriverManager.getConnection(url());
          Statement statement = connection.createStatement();
          ResultSet result = statement.executeQuery("show " + setting)) {
        result.next();
        found = result.getString(1);
      }
    }
  }

  void execute(String sql) {
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new AssertionError(sql, e);
    }
  }
}
