package dev.cambium.ledger.merkle;

import dev.cambium.model.Digest;
import java.util.ArrayList;
import java.util.List;

/**
 * Inclusion and consistency proofs (RFC 9162, sections 2.1.3 and 2.1.4). Making one asks for a
 * logarithmic number of subtrees; checking one needs nothing but the proof and the roots.
 */
public final class Proofs {

  private Proofs() {}

  /**
   * Proves that a leaf is in a tree.
   *
   * @param index of the leaf, from 0
   * @param size of the tree
   * @return the hashes to combine with the leaf's, from the leaf upwards
   */
  public static List<Digest> inclusion(long index, long size, NodeSource nodes) {
    if (index < 0 || index >= size) {
      throw new IllegalArgumentException("no leaf " + index + " in a tree of " + size);
    }
    List<Digest> path = new ArrayList<>();
    inclusion(index, 0, size, nodes, path);
    return List.copyOf(path);
  }

  private static void inclusion(
      long index, long from, long to, NodeSource nodes, List<Digest> path) {
    if (to - from == 1) {
      return;
    }
    long middle = from + split(to - from);
    if (index < middle) {
      inclusion(index, from, middle, nodes, path);
      path.add(subtree(middle, to, nodes));
    } else {
      inclusion(index, middle, to, nodes, path);
      path.add(subtree(from, middle, nodes));
    }
  }

  /**
   * Proves that a tree is the beginning of a larger one.
   *
   * @param earlier size of the smaller tree
   * @param later size of the larger tree
   */
  public static List<Digest> consistency(long earlier, long later, NodeSource nodes) {
    if (earlier < 0 || earlier > later) {
      throw new IllegalArgumentException(
          "a tree of " + earlier + " is not the beginning of one of " + later);
    }
    List<Digest> proof = new ArrayList<>();
    if (earlier != 0 && earlier != later) {
      consistency(earlier, 0, later, true, nodes, proof);
    }
    return List.copyOf(proof);
  }

  /**
   * @param whole whether the smaller tree is a complete subtree so far, whose hash its holder knows
   */
  private static void consistency(
      long earlier, long from, long to, boolean whole, NodeSource nodes, List<Digest> proof) {
    if (earlier == to) {
      if (!whole) {
        proof.add(subtree(from, to, nodes));
      }
      return;
    }
    long middle = from + split(to - from);
    if (earlier <= middle) {
      consistency(earlier, from, middle, whole, nodes, proof);
      proof.add(subtree(middle, to, nodes));
    } else {
      consistency(earlier, middle, to, false, nodes, proof);
      proof.add(subtree(from, middle, nodes));
    }
  }

  /** Whether a proof shows that a leaf is in the tree of that size and root. */
  public static boolean includes(
      Digest leafHash, long index, long size, List<Digest> proof, Digest root) {
    if (index < 0 || index >= size) {
      return false;
    }
    long node = index;
    long last = size - 1;
    Digest hash = leafHash;
    for (Digest sibling : proof) {
      if (last == 0) {
        return false;
      }
      if ((node & 1) == 1 || node == last) {
        hash = MerkleHash.node(sibling, hash);
        // A rightmost node without a sibling on its level stands for itself further up.
        while ((node & 1) == 0 && node != 0) {
          node >>>= 1;
          last >>>= 1;
        }
      } else {
        hash = MerkleHash.node(hash, sibling);
      }
      node >>>= 1;
      last >>>= 1;
    }
    return last == 0 && hash.equals(root);
  }

  /** Whether a proof shows that one tree is the beginning of another. */
  public static boolean consistent(
      long earlier, Digest earlierRoot, long later, Digest laterRoot, List<Digest> proof) {
    if (earlier < 0 || earlier > later) {
      return false;
    }
    if (earlier == later) {
      return proof.isEmpty() && earlierRoot.equals(laterRoot);
    }
    if (earlier == 0) {
      return proof.isEmpty() && earlierRoot.equals(MerkleHash.EMPTY);
    }
    List<Digest> steps = new ArrayList<>(proof);
    if (Long.bitCount(earlier) == 1) {
      steps.add(0, earlierRoot);
    }
    if (steps.isEmpty()) {
      return false;
    }
    long node = earlier - 1;
    long last = later - 1;
    while ((node & 1) == 1) {
      node >>>= 1;
      last >>>= 1;
    }
    Digest first = steps.get(0);
    Digest second = first;
    for (Digest step : steps.subList(1, steps.size())) {
      if (last == 0) {
        return false;
      }
      if ((node & 1) == 1 || node == last) {
        first = MerkleHash.node(step, first);
        second = MerkleHash.node(step, second);
        while ((node & 1) == 0 && node != 0) {
          node >>>= 1;
          last >>>= 1;
        }
      } else {
        second = MerkleHash.node(second, step);
      }
      node >>>= 1;
      last >>>= 1;
    }
    return last == 0 && first.equals(earlierRoot) && second.equals(laterRoot);
  }

  /** The hash of the leaves in a range that the tree's shape keeps together. */
  private static Digest subtree(long from, long to, NodeSource nodes) {
    long size = to - from;
    if (Long.bitCount(size) == 1) {
      int level = Long.numberOfTrailingZeros(size);
      return nodes.node(level, from >>> level);
    }
    long middle = from + split(size);
    return MerkleHash.node(subtree(from, middle, nodes), subtree(middle, to, nodes));
  }

  /** The largest power of two below a size of at least two. */
  private static long split(long size) {
    return Long.highestOneBit(size - 1);
  }
}
