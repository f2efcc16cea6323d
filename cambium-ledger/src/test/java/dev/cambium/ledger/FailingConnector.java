package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.SQLException;

/** A database that fails at the moment of committing, once it is told to. */
class FailingConnector extends ForwardingConnector {

  enum Failure {
    NONE,
    BEFORE_COMMIT,
    AFTER_COMMIT
  }

  volatile Failure failure = Failure.NONE;

  /** Whether it cannot be reached any more once a commit has failed. */
  volatile boolean vanishes;

  volatile boolean unreachable;

  FailingConnector(Connector real) {
    super(real);
  }

  @Override
  public Connection writer() throws SQLException {
    requireReachable();
    return super.writer();
  }

  @Override
  public Connection reader() throws SQLException {
    requireReachable();
    return super.reader();
  }

  private void requireReachable() throws SQLException {
    if (unreachable) {
      throw new SQLException("the database went away");
    }
  }

  @Override
  public void commit(Connection writer) throws SQLException {
    if (failure == Failure.BEFORE_COMMIT) {
      throw new SQLException("disk I/O error");
    }
    commitWell(writer);
    if (failure == Failure.AFTER_COMMIT) {
      unreachable = vanishes;
      throw new SQLException("connection reset");
    }
  }

  final void commitWell(Connection writer) throws SQLException {
    super.commit(writer);
  }
}
