package dev.cambium.loop.data;

import java.util.Locale;

/**
 * An item of a suite that training data would give away.
 *
 * @param item the item's id
 * @param row the id of the row that is nearest to it
 * @param rows how many rows overlap with it
 * @param kind how near
 * @param similarity 1 for equal words; else the share that {@code kind} names, in (0, 1]
 */
public record Overlap(String item, String row, int rows, Kind kind, double similarity) {

  /** How a row gives an item away, nearest first. */
  public enum Kind {
    /** The same words in the same order; case, white space and punctuation aside. */
    EXACT,
    /** Nearly the same words: the Jaccard index of the word n-grams. */
    NEAR,
    /** The item stands inside a longer row: the share of its word n-grams found there. */
    CONTAINED
  }

  /** The written form, such as {@code item i7 is row r3 (and 2 more rows)}. */
  @Override
  public String toString() {
    String what =
        switch (kind) {
          case EXACT -> "is in";
          case NEAR -> String.format(Locale.ROOT, "is nearly (%.2f)", similarity);
          case CONTAINED -> String.format(Locale.ROOT, "is contained (%.2f) in", similarity);
        };
    String more = rows == 1 ? "" : " (and " + (rows - 1) + " more)";
    return "item " + item + " " + what + " row " + row + more;
  }
}
