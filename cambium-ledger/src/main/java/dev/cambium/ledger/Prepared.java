package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import org.jooq.DSLContext;

/**
 * A connection with the statements that were prepared on it, which end with it. What an append asks
 * and writes is always the same, and preparing it anew took most of the time.
 */
final class Prepared implements AutoCloseable {

  private final Connection connection;
  private final DSLContext dsl;
  private final Map<String, PreparedStatement> statements = new HashMap<>();

  /**
   * @param dsl of the connection
   */
  Prepared(DSLContext dsl) {
    this.dsl = dsl;
    this.connection = Database.connection(dsl);
  }

  Connection connection() {
    return connection;
  }

  /** For questions that are not always the same. */
  DSLContext dsl() {
    return dsl;
  }

  /** A statement with values bound; not to be closed. */
  PreparedStatement statement(String sql, Object... values) throws SQLException {
    PreparedStatement statement = statements.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      statements.put(sql, statement);
    }
    bind(statement, 1, values);
    return statement;
  }

  /** Ends the statements before the connection does. */
  @Override
  public void close() {
    for (PreparedStatement statement : statements.values()) {
      try {
        statement.close();
      } catch (SQLException e) {
        throw SqlProjections.failed(e);
      }
    }
    statements.clear();
  }

  /** Binds values from a place on; returns the place after the last. */
  static int bind(PreparedStatement statement, int from, Object[] values) throws SQLException {
    int at = from;
    for (Object value : values) {
      if (value instanceof String text) {
        statement.setString(at, text);
      } else if (value instanceof Long number) {
        statement.setLong(at, number);
      } else {
        statement.setObject(at, value);
      }
      at++;
    }
    return at;
  }
}
