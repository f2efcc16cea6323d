package dev.cambium.ledger;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.Map;

/** A kind of database that the contracts are tested over. */
enum TestStore {
  SQLITE {
    @Override
    StoreAddress address(Path directory) {
      return StoreAddress.local();
    }

    @Override
    boolean hasDanglingReferences(Path directory) throws SQLException {
      try (Connection connection = connector(directory).reader();
          Statement statement = connection.createStatement();
          ResultSet dangling = statement.executeQuery("pragma foreign_key_check")) {
        return dangling.next();
      }
    }
  },
  POSTGRES {
    @Override
    StoreAddress address(Path directory) {
      return StoreAddress.of(PostgresServer.shared().url(directory), Map.of());
    }

    @Override
    boolean hasDanglingReferences(Path directory) {
      return false; // the server would not have taken them
    }
  };

  /** The store of the ecosystem in a directory: always the same one, empty at first. */
  abstract StoreAddress address(Path directory);

  /** Whether a row names one that is not there. */
  abstract boolean hasDanglingReferences(Path directory) throws SQLException;

  Ledger create(Path directory, InstantSource clock) {
    return Ledger.create(directory, address(directory), clock);
  }

  Ledger open(Path directory, InstantSource clock) {
    return Ledger.open(directory, address(directory), clock);
  }

  Connector connector(Path directory) {
    return address(directory).connector(directory);
  }
}
