package dev.cambium.ledger;

import java.sql.Connection;
import java.sql.SQLException;

/** Opens connections to one database. */
interface Connector {

  /** A connection that may write. At most one of a process is open at a time. */
  Connection writer() throws SQLException;

  /** A connection that can only read. */
  Connection reader() throws SQLException;
}
