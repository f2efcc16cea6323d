package dev.cambium.loop.gate;

import dev.cambium.model.Digest;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import java.util.List;

/** Where a gate's outcomes come from. */
@FunctionalInterface
public interface OutcomeSource {

  /**
   * The outcomes of one range of items.
   *
   * @param outcomes in the order of the items
   * @param seconds wall time when they were made
   */
  record Piece(List<Outcome> outcomes, double seconds) {
    public Piece {
      outcomes = List.copyOf(outcomes);
    }
  }

  /**
   * Scores a version on a range of a suite's items.
   *
   * @param version manifest of the version
   * @param from first item, from 0
   * @param to one past the last
   * @throws IllegalStateException if the outcomes that come back are not those of these items
   */
  Piece run(Digest version, Suite suite, Scorer scorer, int from, int to, Progress progress);
}
