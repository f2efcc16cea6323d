package dev.cambium.ledger.merkle;

import dev.cambium.model.Digest;

/** Where the hashes of complete subtrees come from. */
@FunctionalInterface
public interface NodeSource {

  /**
   * The hash of a complete subtree.
   *
   * @param level its height: it covers 2^level leaves; 0 for a leaf's hash
   * @param position its place among the subtrees of its level, from the left, from 0
   */
  Digest node(int level, long position);
}
