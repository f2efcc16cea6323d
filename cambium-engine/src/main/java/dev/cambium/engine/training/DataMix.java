package dev.cambium.engine.training;

import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.model.Digest;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Weighted sources of rows.
 *
 * <p>Proportions are exact: after any number of batches each source has given its share of all rows
 * drawn, to within one row. Within a source every row is drawn once before any is drawn again, in
 * an order that depends on the seed, the source's name and the epoch only; so what a step draws is
 * a function of its number, and resuming needs no state.
 *
 * @param sources at least one, with different names
 */
public record DataMix(List<Source> sources) {

  /**
   * A source of rows.
   *
   * @param name for messages, and for its order of rows
   * @param weight relative to the other sources
   * @param rows at least one
   */
  public record Source(String name, double weight, List<TokenRow> rows) {
    public Source {
      rows = List.copyOf(rows);
      if (rows.isEmpty()) {
        throw new IllegalArgumentException("source '" + name + "' has no rows");
      }
      if (!(weight > 0) || Double.isInfinite(weight)) {
        throw new IllegalArgumentException(
            "source '" + name + "': weight must be positive: " + weight);
      }
    }
  }

  /** A row drawn, and where it came from. */
  record Drawn(Source source, int index) {
    TokenRow row() {
      return source.rows().get(index);
    }

    @Override
    public String toString() {
      return source.name() + "#" + index;
    }
  }

  public DataMix {
    sources = List.copyOf(sources);
    if (sources.isEmpty()) {
      throw new IllegalArgumentException("a data mix needs a source");
    }
    Set<String> names = new HashSet<>();
    for (Source source : sources) {
      if (!names.add(source.name())) {
        throw new IllegalArgumentException("two sources are named '" + source.name() + "'");
      }
    }
  }

  /** One source only. */
  public static DataMix of(List<TokenRow> rows) {
    return new DataMix(List.of(new Source("rows", 1, rows)));
  }

  /**
   * New rows with a share of earlier ones.
   *
   * @param share of the earlier ones, in [0, 1); with 0 or no earlier rows there are only new ones
   */
  public static DataMix withReplay(List<TokenRow> fresh, List<TokenRow> earlier, double share) {
    if (!(share >= 0 && share < 1)) {
      throw new IllegalArgumentException("replay share must be in [0, 1): " + share);
    }
    List<Source> sources = new ArrayList<>();
    boolean replay = share > 0 && !earlier.isEmpty();
    sources.add(new Source("fresh", replay ? 1 - share : 1, fresh));
    if (replay) {
      sources.add(new Source("replay", share, earlier));
    }
    return new DataMix(sources);
  }

  /** Number of rows in all sources. */
  public int size() {
    return sources.stream().mapToInt(s -> s.rows().size()).sum();
  }

  /** Identity of names, weights and rows. */
  Digest digest() {
    MessageDigest digest = Digest.sha256();
    for (Source source : sources) {
      digest.update(Digest.ofText(source.name()).raw());
      digest.update(
          ByteBuffer.allocate(16).putDouble(source.weight()).putLong(source.rows().size()).flip());
      for (TokenRow row : source.rows()) {
        byte[] mask = row.supervised().toByteArray();
        ByteBuffer bytes = ByteBuffer.allocate(8 + 4 * row.length() + mask.length);
        bytes.putInt(row.length()).putInt(mask.length);
        for (int token : row.tokens()) {
          bytes.putInt(token);
        }
        digest.update(bytes.put(mask).flip());
      }
    }
    return Digest.ofRaw(digest.digest());
  }

  /** Draws batches one after the other. */
  final class Cursor {
    private final long seed;
    private final int batchRows;
    private final double[] shares;
    private final long[] drawn;
    private final long[] epochs;
    private final int[][] orders;
    private long batches;

    /** Stands before the batch of that number. */
    Cursor(long seed, int batchRows, long batch) {
      this.seed = seed;
      this.batchRows = batchRows;
      double total = sources.stream().mapToDouble(Source::weight).sum();
      this.shares = sources.stream().mapToDouble(s -> s.weight() / total).toArray();
      this.drawn = new long[shares.length];
      this.epochs = new long[shares.length];
      this.orders = new int[shares.length][];
      java.util.Arrays.fill(epochs, -1);
      while (batches < batch) {
        int[] counts = counts();
        for (int s = 0; s < counts.length; s++) {
          drawn[s] += counts[s];
        }
        batches++;
      }
    }

    List<Drawn> next() {
      int[] counts = counts();
      List<Drawn> batch = new ArrayList<>(batchRows);
      for (int s = 0; s < counts.length; s++) {
        for (int i = 0; i < counts[s]; i++) {
          batch.add(new Drawn(sources.get(s), index(s, drawn[s]++)));
        }
      }
      batches++;
      return batch;
    }

    /** Rows of each source in the next batch: what brings every source nearest to its share. */
    private int[] counts() {
      int[] counts = new int[shares.length];
      double rows = (double) (batches + 1) * batchRows;
      int left = batchRows;
      for (int s = 0; s < shares.length; s++) {
        long due = (long) Math.floor(shares[s] * rows + 1e-9) - drawn[s];
        counts[s] = (int) Math.max(0, Math.min(left, due));
        left -= counts[s];
      }
      for (; left > 0; left--) {
        int most = 0;
        for (int s = 1; s < shares.length; s++) {
          if (deficit(s, counts, rows) > deficit(most, counts, rows) + 1e-9) {
            most = s;
          }
        }
        counts[most]++;
      }
      return counts;
    }

    private double deficit(int s, int[] counts, double rows) {
      return shares[s] * rows - drawn[s] - counts[s];
    }

    private int index(int s, long number) {
      Source source = sources.get(s);
      int size = source.rows().size();
      long epoch = number / size;
      if (epochs[s] != epoch) {
        orders[s] = order(source.name(), size, epoch);
        epochs[s] = epoch;
      }
      return orders[s][(int) (number % size)];
    }

    /** A random order (Fisher and Yates, 1938; Durstenfeld, 1964). */
    private int[] order(String name, int size, long epoch) {
      SplitMix64 random = SplitMix64.named(seed, name + "/" + epoch);
      int[] order = new int[size];
      for (int i = 0; i < size; i++) {
        int j = random.nextInt(i + 1);
        order[i] = order[j];
        order[j] = i;
      }
      return order;
    }
  }
}
