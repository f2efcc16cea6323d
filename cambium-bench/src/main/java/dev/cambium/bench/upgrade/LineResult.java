package dev.cambium.bench.upgrade;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What an upgrade did to one line. Scores are shares of the benchmark's own items that are answered
 * right, by generation.
 *
 * @param scenario its id
 * @param method of the line's recipe; {@code application} for those
 * @param settlement how the campaign left the line
 * @param rung that carried it; none where nothing did
 * @param attempts every candidate that was judged, with its verdict and note
 * @param items that the scores rest on
 * @param before score of the version before
 * @param kept score of the stable version afterwards
 * @param retrained score of a retraining on the new base
 * @param naive score of the old adapter as it is on the new base; none where it cannot act there
 * @param both items right after the upgrade and after retraining
 * @param onlyKept items right after the upgrade only
 * @param onlyRetrained items right after retraining only
 * @param flips items right before and wrong after the upgrade
 * @param retrainedFlips items right before and wrong after retraining
 * @param operations what making its candidates computed, failed ones and searches included; see
 *     {@link Effort}
 * @param retraining the same of retraining; 0 for an application
 * @param seconds wall time of the same actions
 * @param retrainingSeconds wall time of retraining; none if it was interrupted
 */
record LineResult(
    String scenario,
    long seed,
    String line,
    String method,
    String settlement,
    @Nullable String rung,
    List<String> attempts,
    int items,
    double before,
    double kept,
    double retrained,
    @Nullable Double naive,
    int both,
    int onlyKept,
    int onlyRetrained,
    int flips,
    int retrainedFlips,
    double operations,
    double retraining,
    double seconds,
    @Nullable Double retrainingSeconds) {

  LineResult {
    attempts = List.copyOf(attempts);
  }

  /** Whether the line stands on the new base. */
  boolean isCarried() {
    return rung != null;
  }

  String text() {
    return String.format(
        Locale.ROOT,
        "%s seed %d %s: %s%s, before %.3f, kept %.3f, retrained %.3f, naive %s, flips %d of %d,"
            + " compute %.3f of retraining",
        scenario,
        seed,
        line,
        settlement,
        rung == null ? "" : " by " + rung,
        before,
        kept,
        retrained,
        naive == null ? "-" : String.format(Locale.ROOT, "%.3f", naive),
        flips,
        items,
        retraining > 0 ? operations / retraining : Double.NaN);
  }
}
