package dev.cambium.ledger;

import dev.cambium.model.Fact;
import dev.cambium.model.Record;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a thread wants appended, and what became of it. Only the thread that writes answers, and the
 * first answer counts.
 */
final class Append {

  private final String actor;
  private final List<? extends Fact> facts;
  private final List<? extends Precondition> preconditions;
  private volatile @Nullable List<Record> records;
  private volatile @Nullable Throwable failure;

  Append(String actor, List<? extends Fact> facts, List<? extends Precondition> preconditions) {
    this.actor = actor;
    this.facts = facts;
    this.preconditions = preconditions;
  }

  String actor() {
    return actor;
  }

  List<? extends Fact> facts() {
    return facts;
  }

  List<? extends Precondition> preconditions() {
    return preconditions;
  }

  boolean isAnswered() {
    return records != null || failure != null;
  }

  /**
   * It is in.
   *
   * @param written records as they are in the log; as many are taken as there are facts
   */
  void succeed(Iterator<Record> written) {
    List<Record> own = new ArrayList<>(facts.size());
    while (own.size() < facts.size()) {
      own.add(written.next());
    }
    records = List.copyOf(own);
  }

  /** It is not in, or nobody can tell. */
  void fail(Throwable why) {
    if (!isAnswered()) {
      failure = why;
    }
  }

  /** The records as written; throws why there are none. */
  List<Record> answer() {
    Throwable why = failure;
    if (why instanceof RuntimeException exception) {
      throw exception;
    }
    if (why instanceof Error error) {
      throw error;
    }
    List<Record> written = records;
    if (written == null) {
      throw new IllegalStateException("an append without an answer", why);
    }
    return written;
  }
}
