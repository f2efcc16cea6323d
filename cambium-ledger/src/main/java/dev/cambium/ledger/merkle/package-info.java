/**
 * The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, proofs.
 *
 * <p>Pure functions over SHA-256 digests. No database, no file and no signature belongs here.
 */
@NullMarked
package dev.cambium.ledger.merkle;

import org.jspecify.annotations.NullMarked;
