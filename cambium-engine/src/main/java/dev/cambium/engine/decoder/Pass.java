package dev.cambium.engine.decoder;

import dev.cambium.engine.backend.Natives;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * How the tokens of several rows are laid out in one pass.
 *
 * <p>Everything but attention runs on a list of tokens, row after row, and does not care whose they
 * are. Attention needs a rectangle, rows × longest row. Where rows differ much in length, the list
 * holds real tokens only and is spread out for attention and gathered again; where they hardly
 * differ, the list is the rectangle, padding included, and nothing is moved. Rows are padded at the
 * end: under a causal mask no real token sees padding, so no mask is needed for it.
 */
final class Pass {

  /** Above this share of padding, moving tokens around attention is cheaper than computing it. */
  private static final double TOLERATED_PADDING = 0.1;

  /** Rows. */
  final int rows;

  /** Longest row: width of attention's rectangle. */
  final int width;

  /** Tokens in the list. */
  final int tokens;

  /** Tokens already in the cache, by row; null if there are none in any row. */
  final int @Nullable [] past;

  /** Tokens of each row in this pass. */
  final int[] lengths;

  /** Whether the list is the rectangle. */
  final boolean rectangular;

  private final int[] starts;

  /** Where branches begin within a row's tokens, by row; null if rows do not branch. */
  private final int @Nullable [][] branches;

  private Pass(int[] lengths, int @Nullable [] past, int @Nullable [][] branches, boolean mayPad) {
    this.branches = branches;
    this.rows = lengths.length;
    this.lengths = lengths;
    int longest = 0;
    int sum = 0;
    for (int length : lengths) {
      if (length < 1) {
        throw new IllegalArgumentException("a row without tokens");
      }
      longest = Math.max(longest, length);
      sum += length;
    }
    this.width = longest;
    long rectangle = (long) rows * longest;
    this.rectangular =
        sum == rectangle || (mayPad && rectangle - sum <= TOLERATED_PADDING * rectangle);
    this.tokens = rectangular ? Math.toIntExact(rectangle) : sum;
    this.starts = new int[rows];
    int start = 0;
    for (int b = 0; b < rows; b++) {
      starts[b] = start;
      start += rectangular ? width : lengths[b];
    }
    this.past = past;
  }

  /** Rows from their beginning. */
  static Pass fresh(int[][] rows) {
    return new Pass(lengths(rows), null, null, true);
  }

  /** Rows that go on from what a cache holds; padding would be written to the cache, so none. */
  static Pass cached(int[][] rows, int[] past) {
    boolean any = false;
    for (int p : past) {
      any |= p > 0;
    }
    return new Pass(lengths(rows), any ? past.clone() : null, null, false);
  }

  /**
   * Rows that go on from what a cache holds in several ways at once: every branch sees the cached
   * tokens of its row and itself, and none of the others (tree attention; Miao et al., 2024). So
   * what the branches share is neither read twice nor copied.
   *
   * @param rows the tokens of all branches of a row, one branch after the other
   * @param branches where each branch begins in them, ascending from 0
   */
  static Pass branching(int[][] rows, int[] past, int[][] branches) {
    return new Pass(lengths(rows), past.clone(), branches, false);
  }

  private static int[] lengths(int[][] rows) {
    int[] lengths = new int[rows.length];
    for (int b = 0; b < rows.length; b++) {
      lengths[b] = rows[b].length;
    }
    return lengths;
  }

  /** Index in the list of a row's token. */
  int index(int row, int position) {
    return starts[row] + position;
  }

  /** Tokens of each row before this pass. */
  int past(int row) {
    return past == null ? 0 : past[row];
  }

  /** One past the last position of any row. */
  int positions() {
    if (branches == null) {
      return keys();
    }
    int most = 0;
    for (int b = 0; b < rows; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        most = Math.max(most, past(b) + withinBranch(b, t) + 1);
      }
    }
    return most;
  }

  /** Keys that attention spans: one past the last place of any row, cache included. */
  int keys() {
    int most = 0;
    for (int b = 0; b < rows; b++) {
      most = Math.max(most, past(b) + (rectangular ? width : lengths[b]));
    }
    return most;
  }

  /** The distance of a row's token from where its branch begins, or its row in this pass. */
  private int withinBranch(int row, int token) {
    return branches == null ? token : token - branchStart(row, token);
  }

  private int branchStart(int row, int token) {
    int start = 0;
    for (int begin : java.util.Objects.requireNonNull(branches)[row]) {
      if (begin > token) {
        break;
      }
      start = begin;
    }
    return start;
  }

  /** Whether every token sees all keys: one token a row, and as many cached ones in each. */
  boolean seesAll() {
    if (width > 1) {
      return false;
    }
    for (int b = 1; b < rows; b++) {
      if (past(b) != past(0)) {
        return false;
      }
    }
    return true;
  }

  /** Whether the list holds padding. */
  boolean padded() {
    return tokens > java.util.Arrays.stream(lengths).sum();
  }

  /** Places of the list that hold real tokens. */
  Tensor realTokens() {
    long[] index = new long[java.util.Arrays.stream(lengths).sum()];
    int i = 0;
    for (int b = 0; b < rows; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        index[i++] = starts[b] + t;
      }
    }
    return Natives.longs(index);
  }

  /** Token ids as a list; padding is token 0. */
  Tensor ids(int[][] rowTokens) {
    long[] ids = new long[tokens];
    for (int b = 0; b < rows; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        ids[starts[b] + t] = rowTokens[b][t];
      }
    }
    return Natives.longs(ids);
  }

  /** The position of every token of the list in its row, cache included. */
  Tensor positionIds() {
    long[] positions = new long[tokens];
    for (int b = 0; b < rows; b++) {
      int count = rectangular ? width : lengths[b];
      for (int t = 0; t < count; t++) {
        positions[starts[b] + t] = past(b) + withinBranch(b, t);
      }
    }
    return Natives.longs(positions);
  }

  /** The positions of a row's places in the list, padding included. */
  int[] rowPositions(int row) {
    int[] positions = new int[rectangular ? width : lengths[row]];
    for (int t = 0; t < positions.length; t++) {
      positions[t] = past(row) + t;
    }
    return positions;
  }

  /** For every place of the rectangle the list's token; padding takes the first token's. */
  Tensor spread() {
    long[] index = new long[rows * width];
    for (int b = 0; b < rows; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        index[b * width + t] = starts[b] + t;
      }
    }
    return Natives.longs(index);
  }

  /** For every token of the list its place in the rectangle. */
  Tensor gather() {
    long[] index = new long[tokens];
    for (int b = 0; b < rows; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        index[starts[b] + t] = (long) b * width + t;
      }
    }
    return Natives.longs(index);
  }

  /** For every token of the list its place in a cache of that many places a row. */
  Tensor cachePlaces(int capacity) {
    long[] index = new long[tokens];
    for (int b = 0; b < rows; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        index[starts[b] + t] = (long) b * capacity + past(b) + t;
      }
    }
    return Natives.longs(index);
  }

  /**
   * What attention adds to its scores, 0 where a token sees another and −∞ elsewhere: rows, or 1 if
   * alike, × 1 × (copies · width) × keys, the same for every copy. Places without a token see what
   * the last token does or the first key, so that they stay finite.
   *
   * @param window how many positions back a token sees, itself included; 0 for all
   */
  Tensor mask(int window, int copies) {
    int keys = past == null ? width : keys();
    int distinct = past == null ? 1 : rows;
    float[] mask = new float[Math.multiplyExact(distinct * width, keys)];
    Arrays.fill(mask, Float.NEGATIVE_INFINITY);
    for (int b = 0; b < distinct; b++) {
      for (int t = 0; t < width; t++) {
        int line = (b * width + t) * keys;
        if (past != null && t >= lengths[b]) {
          mask[line] = 0;
          continue;
        }
        int within = withinBranch(b, t);
        int before = past(b);
        int reach = window == 0 ? Integer.MAX_VALUE : window - 1;
        int first =
            Math.min(before, Math.max(0, before + within - Math.min(reach, before + within)));
        Arrays.fill(mask, line + first, line + before, 0f);
        Arrays.fill(mask, line + before + t - Math.min(reach, within), line + before + t + 1, 0f);
      }
    }
    Tensor one = Natives.floats(mask, distinct, 1, width, keys);
    return copies == 1 ? one : one.repeat(1, 1, copies, 1);
  }
}
