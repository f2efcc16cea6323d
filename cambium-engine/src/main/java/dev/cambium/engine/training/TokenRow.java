package dev.cambium.engine.training;

import java.util.Arrays;
import java.util.BitSet;

/**
 * A row to learn from.
 *
 * @param tokens token ids
 * @param supervised the positions whose token is a target, predicted from those before it; never
 *     position 0
 */
public record TokenRow(int[] tokens, BitSet supervised) {

  public TokenRow {
    tokens = tokens.clone();
    supervised = (BitSet) supervised.clone();
    if (tokens.length < 2) {
      throw new IllegalArgumentException("a row needs two tokens to learn from: " + tokens.length);
    }
    if (supervised.get(0)) {
      throw new IllegalArgumentException("position 0 is supervised, but nothing comes before it");
    }
    if (supervised.length() > tokens.length) {
      throw new IllegalArgumentException(
          "position " + (supervised.length() - 1) + " is supervised in a row of " + tokens.length);
    }
  }

  /** Every token but the first is a target: plain language modelling. */
  public static TokenRow all(int... tokens) {
    return from(tokens, 1);
  }

  /** The tokens from a position on are targets: an answer after its prompt. */
  public static TokenRow from(int[] tokens, int first) {
    BitSet supervised = new BitSet(tokens.length);
    supervised.set(first, tokens.length);
    return new TokenRow(tokens, supervised);
  }

  /** Number of tokens. */
  public int length() {
    return tokens.length;
  }

  /** The same row without what comes after that many tokens. */
  TokenRow cut(int length) {
    return length >= tokens.length
        ? this
        : new TokenRow(Arrays.copyOf(tokens, length), supervised.get(0, length));
  }

  /** Positions that predict: one before each supervised one. */
  int[] predicting() {
    return supervised.stream().map(t -> t - 1).toArray();
  }

  /** The supervised tokens, in order. */
  int[] targets() {
    return supervised.stream().map(t -> tokens[t]).toArray();
  }

  /** The tokens that are read: a final token is a target only. */
  int[] inputs() {
    return Arrays.copyOf(tokens, tokens.length - 1);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenRow row
        && Arrays.equals(tokens, row.tokens)
        && supervised.equals(row.supervised);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(tokens) + supervised.hashCode();
  }
}
