package dev.cambium.artifact;

import dev.cambium.model.Digest;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Bytes under their SHA-256 digest. Objects never change; equal bytes are one object.
 *
 * <p>What every backend promises (its contract test runs over each of them):
 *
 * <ul>
 *   <li>When {@code put} returns, the object survives a crash, and is there whole or not at all.
 *   <li>Every read verifies the digest, and throws {@link IntegrityException} where it does not
 *       fit, or {@link MissingArtifactException} where there is no such object.
 *   <li>{@code put} of an object that is there changes nothing, but makes it young again for {@link
 *       #collect}; if what is there is corrupt, it is replaced by the good bytes, and logged.
 * </ul>
 *
 * <p><b>Writing beside {@code collect}.</b> A writer puts objects first and only then records what
 * makes them reachable. In between, its objects are unreachable and protected by their age alone:
 * {@code put} and {@code renew} make an object young, {@code collect} takes only what is older than
 * the grace period, and the two exclude each other on one object, also across processes. So nothing
 * is lost if (1) the grace period is longer than any writer takes from {@code put} to its record,
 * and (2) a writer that needs an object puts it; {@code has} claims nothing. A writer of whom
 * nobody knows how long it takes (its machine may sleep) renews its objects in the transaction that
 * records them, and gives up if one is gone; a collector that asks what is reachable when all
 * transactions have ended that began before then takes none that such a writer records.
 *
 * <p>Failures of the medium are {@link java.io.UncheckedIOException}. Safe for use by many threads.
 */
public interface ArtifactStore {

  /** Stores bytes and returns their digest. */
  Digest put(byte[] bytes);

  /** Stores a file's content and returns its digest. The file itself is left alone. */
  Digest put(Path file);

  /**
   * Makes an object young, as {@code put} does; false if it is not there. Says nothing about its
   * bytes.
   */
  boolean renew(Digest digest);

  /** Whether there is such an object; says nothing about its bytes. */
  boolean has(Digest digest);

  /**
   * An object's bytes.
   *
   * @throws IntegrityException if it is corrupt or missing, or too large for an array
   */
  byte[] bytes(Digest digest);

  /**
   * A stream over an object's bytes. The digest is known only when all is read: the read that would
   * return the end throws {@link IntegrityException} if it does not fit, so do not act on the bytes
   * before.
   */
  InputStream open(Digest digest);

  /** An object's size in bytes. */
  long size(Digest digest);

  /**
   * Reads an object through and checks its digest.
   *
   * @throws IntegrityException if it is corrupt or missing
   */
  void verify(Digest digest);

  /**
   * Copies an object to a file, replacing it. Always a copy with a life of its own, never a link:
   * whoever writes to the file cannot reach the store.
   */
  void materialize(Digest digest, Path target);

  /** Every object, in the order of the digests. Close the stream. */
  Stream<Digest> list();

  /** Removes an object; false if it was not there. For a caller that knows that nobody needs it. */
  boolean delete(Digest digest);

  /**
   * Removes every object that is neither reachable nor younger than {@code grace}.
   *
   * @param reachable asked once, after the time has been taken that ages are measured from: what
   *     was recorded before that is in it, and what is recorded later is young, however long asking
   *     or removing takes
   * @param grace longer than any writer takes from its first {@code put} to its record
   */
  Collected collect(Supplier<Set<Digest>> reachable, Duration grace);

  /**
   * What {@link #collect} did.
   *
   * @param deleted objects removed, in the order of their digests
   * @param bytes freed
   * @param reachable objects kept because they were reachable
   * @param young objects kept only because of their age
   */
  record Collected(List<Digest> deleted, long bytes, long reachable, long young) {
    public Collected {
      deleted = List.copyOf(deleted);
    }
  }
}
