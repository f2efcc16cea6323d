package dev.cambium.loop.declaration;

import java.util.List;

/**
 * Guards on the parts of a suite, so that none collapses while the whole holds.
 *
 * @param by the tags whose values make slices, each by itself
 * @param margin the largest tolerated drop of a slice's mean score, in (0, 1)
 * @param minItems smaller slices are reported and not guarded
 */
public record SlicePolicy(List<String> by, double margin, int minItems) {

  /** The margin where none is declared. */
  public static final double DEFAULT_MARGIN = 0.3;

  /** The smallest guarded slice where none is declared. */
  public static final int DEFAULT_MIN_ITEMS = 5;

  public SlicePolicy {
    by = List.copyOf(by);
  }
}
