package dev.cambium.ledger;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;

/** A kind of database that the contracts are tested over. */
enum TestStore {
  SQLITE {
    @Override
    StoreAddress address(Path directory) {
      return StoreAddress.local();
    }
  },
  POSTGRES {
    @Override
    StoreAddress address(Path directory) {
      return StoreAddress.of(PostgresServer.shared().url(directory), Map.of());
    }
  };

  /** The store of the ecosystem in a directory: always the same one, empty at first. */
  abstract StoreAddress address(Path directory);

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
