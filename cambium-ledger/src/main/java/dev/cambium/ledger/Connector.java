package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jooq.SQLDialect;

/**
 * Opens connections to one database, and knows what is particular to its kind. Public so that tests
 * and simulations can put one that fails, dies or lies in front of the real one; see {@link
 * Ledger#open(java.nio.file.Path, StoreAddress, java.time.InstantSource,
 * java.util.function.UnaryOperator)}.
 */
public interface Connector {

  /** How long a writer waits for another's transaction, which takes milliseconds. */
  int PATIENCE_MS = 30_000;

  /** The database in messages; no secret. */
  String where();

  SQLDialect dialect();

  /** A connection that may write; a commit on it waits for the disk. */
  Connection writer() throws SQLException;

  /** A connection that can only read; its transactions see one snapshot each. */
  Connection reader() throws SQLException;

  /**
   * Makes sure that what a connection writes to is still where it will be looked for. Asked before
   * each commit.
   *
   * @throws SQLException if it was removed or replaced
   */
  void requireInPlace() throws SQLException;

  /**
   * A commit is done: the moment for work that is due now and then. It must not fail.
   *
   * @param writer the connection that it was made on, between two transactions
   */
  void committed(Connection writer, int records);

  /** Ends such work. Connections are closed by whoever opened them. */
  void close();

  /**
   * Begins a transaction on a connection for writing. Until it ends, nobody else begins one; what
   * others committed before is seen.
   */
  void begin(Connection writer) throws SQLException;

  /** Commits the transaction that {@link #begin} began, and leaves the connection in none. */
  void commit(Connection writer) throws SQLException;

  /** Whether a connection that was left idle is still good. */
  boolean usable(Connection idle);

  /** Whether a ledger was ever set up there. */
  boolean exists() throws SQLException;

  /** For the tool that brings the schema up to date. */
  DataSource migrations();

  /** Whether a failure is that of another writer that does not end. */
  boolean isBusy(Throwable failure);

  /**
   * Takes the lock that machines share, if the database is shared by machines.
   *
   * @param holder who asks, for whoever finds it taken
   * @return ends the lock; the end of the process ends it, too
   * @throws LockedException if another has it
   */
  Held lock(String holder) throws SQLException;

  /** A lock that is held. */
  interface Held extends AutoCloseable {
    @Override
    void close();
  }
}
