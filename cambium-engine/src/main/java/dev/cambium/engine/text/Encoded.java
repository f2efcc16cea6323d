package dev.cambium.engine.text;

/**
 * A text as a model sees it. The arrays are the record's own: do not change them.
 *
 * @param ids token ids
 * @param supervised which of them a model learns to predict; never the first, for nothing precedes
 *     it
 * @param truncated whether ids were cut at the end, to fit
 */
public record Encoded(int[] ids, boolean[] supervised, boolean truncated) {

  public Encoded {
    if (ids.length != supervised.length) {
      throw new IllegalArgumentException(ids.length + " ids, but " + supervised.length + " marks");
    }
  }

  /** How many tokens carry loss. */
  public int supervisedTokens() {
    int count = 0;
    for (boolean one : supervised) {
      count += one ? 1 : 0;
    }
    return count;
  }
}
