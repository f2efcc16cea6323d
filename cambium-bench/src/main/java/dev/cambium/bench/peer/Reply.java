package dev.cambium.bench.peer;

import java.util.List;

/**
 * What one run of a piece of work took, on either side.
 *
 * @param seconds the work alone
 * @param processorSeconds of all threads in the same time
 * @param units done: tokens, items or loads
 * @param answer what came of it, to be compared with the other side's
 * @param peakBytes most memory of the process so far
 */
record Reply(
    double seconds, double processorSeconds, double units, List<String> answer, long peakBytes) {

  /** Units a second. */
  double speed() {
    return units / seconds;
  }
}
