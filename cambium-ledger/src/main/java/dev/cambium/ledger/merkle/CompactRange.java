package dev.cambium.ledger.merkle;

import dev.cambium.model.Digest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/**
 * A growing tree, held as the roots of its complete subtrees from left to right: one for each bit
 * that is set in the size. Appending is amortised constant time and the state is logarithmic in the
 * number of leaves.
 */
public final class CompactRange {

  /** Is told of every complete subtree of two leaves or more, once, when its last leaf arrives. */
  @FunctionalInterface
  public interface Sink {
    /** Takes the hash of a subtree; see {@link NodeSource#node}. */
    void complete(int level, long position, Digest hash);
  }

  /** The rightmost and smallest subtree first. */
  private final Deque<Digest> peaks = new ArrayDeque<>();

  private long size;

  /** An empty tree. */
  public CompactRange() {}

  /**
   * The tree of the first {@code size} leaves.
   *
   * @param nodes asked for one subtree per bit that is set in {@code size}
   */
  public static CompactRange load(long size, NodeSource nodes) {
    if (size < 0) {
      throw new IllegalArgumentException("a tree of " + size + " leaves");
    }
    CompactRange range = new CompactRange();
    long offset = 0;
    for (int level = Long.SIZE - 2; level >= 0; level--) {
      if ((size >>> level & 1) == 1) {
        range.peaks.push(nodes.node(level, offset >>> level));
        offset += 1L << level;
      }
    }
    range.size = size;
    return range;
  }

  /** The number of leaves. */
  public long size() {
    return size;
  }

  /**
   * Appends a leaf.
   *
   * @param leafHash see {@link MerkleHash#leaf}
   * @param sink receives the subtrees that this leaf completes, the smallest first
   */
  public void append(Digest leafHash, Sink sink) {
    Digest hash = leafHash;
    int level = 0;
    while ((size >>> level & 1) == 1) {
      hash = MerkleHash.node(peaks.pop(), hash);
      level++;
      sink.complete(level, size >>> level, hash);
    }
    peaks.push(hash);
    size++;
  }

  /** The root of the tree of all leaves so far. */
  public Digest root() {
    if (size == 0) {
      return MerkleHash.EMPTY;
    }
    Iterator<Digest> fromRight = peaks.iterator();
    Digest hash = fromRight.next();
    while (fromRight.hasNext()) {
      hash = MerkleHash.node(fromRight.next(), hash);
    }
    return hash;
  }
}
