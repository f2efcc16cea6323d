package dev.cambium.ledger.merkle;

import dev.cambium.model.Digest;
import java.security.MessageDigest;

/**
 * The hashes of a Merkle tree (RFC 9162, section 2.1.1). Leaves and nodes are prefixed differently,
 * so that no node can be passed off as a leaf.
 */
public final class MerkleHash {

  /** The root of the empty tree: the digest of no bytes. */
  public static final Digest EMPTY = Digest.of(new byte[0]);

  private static final byte LEAF_PREFIX = 0;
  private static final byte NODE_PREFIX = 1;

  private MerkleHash() {}

  /** The hash of a leaf: SHA-256 of a zero byte and the leaf's bytes. */
  public static Digest leaf(byte[] bytes) {
    MessageDigest sha = Digest.sha256();
    sha.update(LEAF_PREFIX);
    return Digest.ofRaw(sha.digest(bytes));
  }

  /** The hash of a node: SHA-256 of a one byte and the hashes of its two children. */
  public static Digest node(Digest left, Digest right) {
    MessageDigest sha = Digest.sha256();
    sha.update(NODE_PREFIX);
    sha.update(left.raw());
    return Digest.ofRaw(sha.digest(right.raw()));
  }
}
