package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;

import java.util.Optional;
import org.jooq.DSLContext;

/**
 * What a database is to its ecosystem. Normally nothing is said and it holds the ledger. A move of
 * the ledger leaves at every instant at most one database that takes records: the target is {@code
 * INCOMING} until the source is {@code MOVED}.
 *
 * @param phase where in a move it is
 * @param peer the written address of the move's other store
 */
record StoreState(Phase phase, String peer) {

  enum Phase {
    /** A move into it has begun and is not done. */
    INCOMING,
    /** The ledger was moved from it. */
    MOVED
  }

  private static final int ID = 1;

  static Optional<StoreState> of(DSLContext dsl) {
    return dsl.select(STATE, PEER)
        .from(STORE_STATE)
        .fetchOptional(row -> new StoreState(Phase.valueOf(row.value1()), row.value2()));
  }

  void set(DSLContext dsl) {
    clear(dsl);
    dsl.insertInto(STORE_STATE, STATE_ID, STATE, PEER).values(ID, phase.name(), peer).execute();
  }

  static void clear(DSLContext dsl) {
    dsl.deleteFrom(STORE_STATE).execute();
  }

  /**
   * Requires that a database holds the ledger itself.
   *
   * @throws LedgerException if a move has begun or is done; says what to do
   */
  static void requireLive(DSLContext dsl, String where) {
    of(dsl)
        .ifPresent(
            state -> {
              throw new LedgerException(
                  switch (state.phase()) {
                    case MOVED ->
                        where
                            + ": the ledger was moved from here to "
                            + state.peer()
                            + "; if ecosystem.yaml or "
                            + StoreAddress.URL_VARIABLE
                            + " does not say so yet, finish the move with: cambium migrate-store"
                            + " --to "
                            + state.peer();
                    case INCOMING ->
                        where
                            + ": a move of the ledger from "
                            + state.peer()
                            + " into it is not done; go on with cambium migrate-store --to "
                            + where
                            + ", with the ecosystem's store still set to "
                            + state.peer();
                  });
            });
  }
}
