package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * Opens connections to one database. Public so that tests and simulations can put one that fails,
 * dies or lies in front of the real one; see {@link Ledger#open(java.nio.file.Path,
 * java.time.InstantSource, java.util.function.UnaryOperator)}.
 */
public interface Connector {

  /** A connection that may write. At most one of a process is open at a time. */
  Connection writer() throws SQLException;

  /** A connection that can only read. */
  Connection reader() throws SQLException;

  /**
   * Makes sure that what a connection writes to is still where it will be looked for. Asked before
   * each commit.
   *
   * @throws SQLException if it was removed or replaced
   */
  default void requireInPlace() throws SQLException {}
}
