package dev.cambium.engine.generation;

import dev.cambium.artifact.huggingface.DecoderConfig;

/** How many rows may be read at once, so that their keys and values stay within a gibibyte. */
public final class CacheBudget {

  private static final long MOST_BYTES = 1L << 30;

  private CacheBudget() {}

  /**
   * Rows of a width, at least one.
   *
   * @param width tokens of the longest row, with what is generated
   * @param most rows wanted
   */
  public static int rows(DecoderConfig config, long width, int most) {
    long tokenBytes =
        2L * config.layers() * config.keyValueHeads() * config.headDim() * Float.BYTES;
    long rows = MOST_BYTES / Math.max(1, Math.multiplyExact(tokenBytes, Math.max(1, width)));
    return (int) Math.max(1, Math.min(most, rows));
  }
}
