package dev.cambium.ledger;

import dev.cambium.model.Fact;
import dev.cambium.model.Record;
import java.time.Instant;

/**
 * A fact of one kind, with where and when it was recorded.
 *
 * @param index position in the log
 * @param time when it was appended
 * @param actor who did it
 * @param fact what happened
 */
public record Recorded<F extends Fact>(long index, Instant time, String actor, F fact) {

  static <F extends Fact> Recorded<F> of(Record record, Class<F> type) {
    if (!type.isInstance(record.fact())) {
      throw new LedgerException(
          "record "
              + record.index()
              + " holds "
              + record.fact().getClass().getSimpleName()
              + " where the ledger's index says "
              + type.getSimpleName()
              + ": the database was changed from outside; run verify");
    }
    return new Recorded<>(record.index(), record.time(), record.actor(), type.cast(record.fact()));
  }
}
