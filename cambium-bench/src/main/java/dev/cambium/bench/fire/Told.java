package dev.cambium.bench.fire;

import dev.cambium.bench.fire.History.Command;
import dev.cambium.model.Record;
import java.util.List;
import java.util.function.Predicate;

/**
 * What a command was told when it ended.
 *
 * @param actor under whose name its facts are; no two commands share one
 * @param ending how it ended
 * @param claims what must be in the log, each exactly once
 */
record Told(String actor, Command command, Ending ending, List<Claim> claims) {

  /** How a command ended. */
  enum Ending {
    DONE,
    /** It failed, and nothing of its last transaction may be in the log. */
    FAILED,
    /** It was told that nobody knows. */
    UNKNOWN,
    KILLED
  }

  /** A record that a command was told of. */
  record Claim(String what, Predicate<Record> is) {}
}
