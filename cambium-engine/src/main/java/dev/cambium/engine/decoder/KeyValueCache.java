package dev.cambium.engine.decoder;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.backend.Natives;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of the tokens that a decoder has seen, for several rows of unequal length. Filled
 * by {@link Decoder#prefill} and {@link Decoder#append}; not thread-safe.
 */
public final class KeyValueCache implements AutoCloseable {

  private final int layers;
  private final int width;
  private int capacity;
  private int[] lengths;
  private final Tensor[] keys;
  private final Tensor[] values;
  private @Nullable Tensor lastHidden;
  private int @Nullable [] choice;

  /** rows × capacity × width for each layer, with width = key-value heads × head width. */
  KeyValueCache(DecoderConfig config, int rows, int capacity) {
    this.layers = config.layers();
    this.width = config.keyValueHeads() * config.headDim();
    this.capacity = capacity;
    this.lengths = new int[rows];
    this.keys = new Tensor[layers];
    this.values = new Tensor[layers];
    for (int l = 0; l < layers; l++) {
      keys[l] = zeros(rows, capacity);
      values[l] = zeros(rows, capacity);
    }
  }

  private KeyValueCache(int layers, int width) {
    this.layers = layers;
    this.width = width;
    this.lengths = new int[0];
    this.keys = new Tensor[layers];
    this.values = new Tensor[layers];
  }

  /** Zeros, not whatever memory holds: masked places still meet arithmetic, and NaN would stay. */
  private Tensor zeros(int rows, int places) {
    Tensor tensor =
        torch.zeros(new long[] {rows, places, width}, Backend.instance().options(ScalarType.Float));
    tensor.retainReference();
    return tensor;
  }

  /** Rows held. */
  public int rows() {
    return lengths.length;
  }

  /** Tokens held of a row. */
  public int length(int row) {
    return lengths[row];
  }

  /** Bytes of keys and values. */
  public long bytes() {
    return 2L * layers * rows() * capacity * width * Float.BYTES;
  }

  int[] lengths() {
    return lengths;
  }

  /** Which adapter acts on each row; null where there is one for all, or none. */
  int @Nullable [] choice() {
    return choice;
  }

  void choose(int @Nullable [] adapters) {
    choice = adapters == null ? null : adapters.clone();
  }

  int capacity() {
    return capacity;
  }

  Tensor keys(int layer) {
    return keys[layer];
  }

  Tensor values(int layer) {
    return values[layer];
  }

  /** The final hidden state of every row's last token: rows × hidden size. */
  Tensor lastHidden() {
    if (lastHidden == null) {
      throw new IllegalStateException("the cache is empty: prefill it first");
    }
    return lastHidden;
  }

  void grown(int[] added, Tensor hidden) {
    int[] next = lengths.clone();
    for (int b = 0; b < next.length; b++) {
      next[b] += added[b];
    }
    lengths = next;
    replaceHidden(hidden);
  }

  private void replaceHidden(Tensor hidden) {
    hidden.retainReference();
    if (lastHidden != null) {
      lastHidden.close();
    }
    lastHidden = hidden;
  }

  /** Makes room for rows of that length. */
  void reserve(int places) {
    if (places <= capacity) {
      return;
    }
    int larger = Math.max(places, capacity + capacity / 2);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int l = 0; l < layers; l++) {
        for (Tensor[] side : new Tensor[][] {keys, values}) {
          Tensor wide = zeros(rows(), larger);
          wide.narrow(1, 0, capacity).copy_(side[l]);
          side[l].close();
          side[l] = wide;
        }
      }
    }
    capacity = larger;
  }

  /**
   * Keeps these rows only, in this order: drops finished ones, or reorders.
   *
   * @param rows indices of rows held now, each at most once or repeated to copy a row
   */
  public void keep(int... rows) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor index = index(rows);
      for (int l = 0; l < layers; l++) {
        for (Tensor[] side : new Tensor[][] {keys, values}) {
          Tensor kept = side[l].index_select(0, index);
          kept.retainReference();
          side[l].close();
          side[l] = kept;
        }
      }
      if (lastHidden != null) {
        replaceHidden(lastHidden.index_select(0, index));
      }
    }
    lengths = Arrays.stream(rows).map(r -> lengths[r]).toArray();
    int[] before = choice;
    if (before != null) {
      choice = Arrays.stream(rows).map(r -> before[r]).toArray();
    }
  }

  /**
   * A new cache that holds one row of this one many times: a shared prefix, read once, that several
   * continuations go on from. This cache stays as it is.
   *
   * @param reserve places for further tokens in each row
   */
  public KeyValueCache expand(int row, int copies, int reserve) {
    KeyValueCache copy = new KeyValueCache(layers, width);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      int length = lengths[row];
      copy.capacity = length + reserve;
      copy.lengths = new int[copies];
      Arrays.fill(copy.lengths, length);
      if (choice != null) {
        copy.choice = new int[copies];
        Arrays.fill(copy.choice, choice[row]);
      }
      for (int l = 0; l < layers; l++) {
        copy.keys[l] = repeated(keys[l], row, length, copies, copy.capacity);
        copy.values[l] = repeated(values[l], row, length, copies, copy.capacity);
      }
      copy.replaceHidden(lastHidden().narrow(0, row, 1).repeat(copies, 1));
    }
    return copy;
  }

  private Tensor repeated(Tensor from, int row, int length, int copies, int places) {
    Tensor to = zeros(copies, places);
    to.narrow(1, 0, length).copy_(from.narrow(0, row, 1).narrow(1, 0, length));
    return to;
  }

  private Tensor index(int[] rows) {
    long[] index = new long[rows.length];
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] < 0 || rows[i] >= rows()) {
        throw new IndexOutOfBoundsException("row " + rows[i] + " of " + rows());
      }
      index[i] = rows[i];
    }
    return Natives.longs(index);
  }

  @Override
  public void close() {
    for (int l = 0; l < layers; l++) {
      keys[l].close();
      values[l].close();
    }
    if (lastHidden != null) {
      lastHidden.close();
      lastHidden = null;
    }
  }
}
