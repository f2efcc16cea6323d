package dev.cambium.ledger;

import static dev.cambium.ledger.Schema.*;

import java.util.Arrays;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record3;
import org.jooq.Result;

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

  /**
   * What is said.
   *
   * @throws LedgerException if it is nothing that a move writes
   */
  static Optional<StoreState> of(DSLContext dsl) {
    Result<Record3<Integer, String, String>> rows =
        dsl.select(STATE_ID, STATE, PEER).from(STORE_STATE).fetch();
    if (rows.isEmpty()) {
      return Optional.empty();
    }
    Record3<Integer, String, String> row = rows.get(0);
    Optional<Phase> phase =
        Arrays.stream(Phase.values()).filter(p -> p.name().equals(row.value2())).findFirst();
    if (rows.size() != 1 || row.value1() != ID || phase.isEmpty()) {
      throw new LedgerException(
          "table store_state holds "
              + rows.stream().map(found -> found.intoList().toString()).toList()
              + ", which no move of the ledger writes, so that no record can be appended; once"
              + " verify finds nothing else, clear it with: cambium migrate-store --stay");
    }
    return Optional.of(new StoreState(phase.get(), row.value3()));
  }

  /** What the table holds that it does not normally, and how to mend that; for people. */
  static Optional<String> finding(DSLContext dsl) {
    try {
      return of(dsl)
          .map(
              state ->
                  state.phase()
                      + (state.phase() == Phase.MOVED ? " to " : " from ")
                      + state.peer()
                      + ", so that no record can be appended; finish the move with cambium"
                      + " migrate-store --to "
                      + (state.phase() == Phase.MOVED ? state.peer() : "THIS STORE")
                      + " or, if the ledger belongs here, say so with cambium migrate-store"
                      + " --stay");
    } catch (LedgerException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
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
                            + state.peer()
                            + "; if nobody moved it, cambium verify says what to do";
                    case INCOMING ->
                        where
                            + ": a move of the ledger from "
                            + state.peer()
                            + " into it is not done; go on with cambium migrate-store --to "
                            + where
                            + ", with the ecosystem's store still set to "
                            + state.peer()
                            + "; if nobody moves it, cambium verify says what to do";
                  });
            });
  }
}
