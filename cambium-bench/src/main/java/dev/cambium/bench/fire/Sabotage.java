package dev.cambium.bench.fire;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.Connector;
import dev.cambium.ledger.Ledger;

/**
 * Something that is broken on purpose, to see that an invariant notices. Only tests have any: a
 * simulation runs with {@link #NONE}.
 */
interface Sabotage {

  Sabotage NONE = new Sabotage() {};

  /** Puts a liar between the ledger and its database. */
  default Connector ledger(Connector real) {
    return real;
  }

  /** Puts a liar in front of the store. */
  default ArtifactStore store(ArtifactStore real) {
    return real;
  }

  /** Does what no command would, when all commands are done. */
  default void afterwards(Ledger ledger) {}
}
