package dev.cambium.ledger;

import dev.cambium.model.Record;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * Lets one of the threads that want to append write for all of them: what comes up while a commit
 * waits for the disk is written together by the next one (group commit; DeWitt et al.,
 * "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984). A thread that is
 * alone waits for nobody.
 */
final class GroupCommit {

  /** Records from which on a commit takes no further append along. */
  private static final int FULL = 1_000;

  private final Consumer<List<Append>> commit;
  private final Queue<Append> waiting = new ArrayDeque<>();

  /** Whether a thread is writing. */
  private boolean writing;

  /**
   * @param commit answers all appends that it is given
   */
  GroupCommit(Consumer<List<Append>> commit) {
    this.commit = commit;
  }

  /** Returns what was written, or throws why nothing was, once that is known. */
  List<Record> write(Append mine) {
    synchronized (waiting) {
      waiting.add(mine);
    }
    for (List<Append> group = turn(mine); !group.isEmpty(); group = turn(mine)) {
      try {
        commit.accept(group);
      } catch (Throwable e) {
        group.forEach(append -> append.fail(e)); // those that have no answer
      } finally {
        end();
      }
    }
    return mine.answer();
  }

  /** Waits until an append is answered or nobody writes; then this thread is to write the group. */
  private List<Append> turn(Append mine) {
    boolean interrupted = false;
    synchronized (waiting) {
      while (writing && !mine.isAnswered()) {
        try {
          waiting.wait();
        } catch (InterruptedException e) {
          interrupted = true; // it may be being written, and what becomes of it must be told
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      return mine.isAnswered() ? List.of() : begin();
    }
  }

  private List<Append> begin() {
    writing = true;
    List<Append> group = new ArrayList<>();
    int facts = 0;
    for (Append next = waiting.peek(); next != null && facts < FULL; next = waiting.peek()) {
      waiting.remove();
      group.add(next);
      facts += next.facts().size();
    }
    return group;
  }

  private void end() {
    synchronized (waiting) {
      writing = false;
      waiting.notifyAll();
    }
  }
}
