package dev.cambium.engine.generation;

import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.KeyValueCache;
import java.util.Arrays;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Reads prompts into caches, what they begin with alike only once.
 *
 * <p>The beginning that all prompts of a run share, such as an application's instruction, is read
 * when the first batch is; what the prompts of one batch share beyond it, once for the batch. The
 * rest depends on the beginning through its keys and values alone, so the result is that of reading
 * every prompt whole, but for rounding.
 */
public final class PromptReader implements AutoCloseable {

  /** A shorter common beginning is not worth a pass of its own. */
  private static final int MIN_SHARED = 8;

  private final Decoder decoder;
  private final int[] beginning;
  private @Nullable KeyValueCache read;

  /**
   * A reader for one run.
   *
   * @param prompts all that will be read, in any batches
   */
  public PromptReader(Decoder decoder, Collection<int[]> prompts) {
    this.decoder = decoder;
    int[][] all = prompts.toArray(new int[0][]);
    int shared = all.length < 2 ? 0 : commonPrefix(all);
    this.beginning = shared < MIN_SHARED ? new int[0] : Arrays.copyOf(all[0], shared);
  }

  /** How many tokens all prompts begin with alike, if that is worth a pass; otherwise 0. */
  public int shared() {
    return beginning.length;
  }

  /**
   * Reads some of the prompts into a new cache.
   *
   * @param reserve places for further tokens in each row
   */
  public KeyValueCache read(int[][] prompts, int reserve) {
    int longest = Arrays.stream(prompts).mapToInt(p -> p.length).max().orElse(0);
    int shared = prompts.length < 2 ? beginning.length : commonPrefix(prompts);
    if (shared < beginning.length + MIN_SHARED) {
      shared = beginning.length;
    }
    if (shared == 0) {
      return decoder.prefill(prompts, reserve);
    }
    KeyValueCache cache;
    if (shared == beginning.length) {
      cache = all().expand(0, prompts.length, longest - shared + reserve);
    } else {
      try (KeyValueCache longer = longer(prompts[0], shared)) {
        cache = longer.expand(0, prompts.length, longest - shared + reserve);
      }
    }
    int from = shared;
    return appended(
        cache,
        Arrays.stream(prompts)
            .map(p -> Arrays.copyOfRange(p, from, p.length))
            .toArray(int[][]::new));
  }

  private KeyValueCache all() {
    KeyValueCache cache = read;
    if (cache == null) {
      cache = decoder.prefill(new int[][] {beginning}, 0);
      read = cache;
    }
    return cache;
  }

  /** One row that holds more than what all prompts share. */
  private KeyValueCache longer(int[] prompt, int length) {
    int[] whole = Arrays.copyOf(prompt, length);
    if (beginning.length == 0) {
      return decoder.prefill(new int[][] {whole}, 0);
    }
    int[] rest = Arrays.copyOfRange(whole, beginning.length, length);
    return appended(all().expand(0, 1, rest.length), new int[][] {rest});
  }

  private KeyValueCache appended(KeyValueCache cache, int[][] tokens) {
    try {
      decoder.append(cache, tokens);
      return cache;
    } catch (RuntimeException e) {
      cache.close();
      throw e;
    }
  }

  /** Length of the longest beginning that all have, less than the whole of any. */
  static int commonPrefix(int[][] prompts) {
    int length = prompts[0].length;
    for (int[] prompt : prompts) {
      int same = Arrays.mismatch(prompts[0], prompt);
      length = Math.min(length, same < 0 ? prompt.length : same);
      length = Math.min(length, prompt.length - 1);
    }
    return length;
  }

  @Override
  public void close() {
    if (read != null) {
      read.close();
      read = null;
    }
  }
}
