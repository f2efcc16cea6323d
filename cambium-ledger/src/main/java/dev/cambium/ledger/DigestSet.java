package dev.cambium.ledger;

import dev.cambium.model.Digest;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A set of digests in some 50 to 100 bytes each: a table of four longs an entry with open
 * addressing. Digests are spread evenly by nature, so that their first bits do as a hash.
 */
final class DigestSet {

  private static final int LONGS = 4;

  /** Null entries are all zero; the digest of that value is kept apart. */
  private long[] table = new long[16 * LONGS];

  private boolean zero;
  private int size;

  /** Adds a digest; says whether it was new. */
  boolean add(Digest digest) {
    long[] entry = entry(digest);
    if (isEmpty(entry, 0)) {
      boolean added = !zero;
      zero = true;
      return added;
    }
    int at = place(table, entry, 0);
    if (!isEmpty(table, at)) {
      return false;
    }
    System.arraycopy(entry, 0, table, at, LONGS);
    size++;
    if (size * 3L > 2L * (table.length / LONGS)) {
      grow();
    }
    return true;
  }

  boolean contains(Digest digest) {
    long[] entry = entry(digest);
    return isEmpty(entry, 0) ? zero : !isEmpty(table, place(table, entry, 0));
  }

  private static long[] entry(Digest digest) {
    long[] entry = new long[LONGS];
    ByteBuffer.wrap(digest.raw()).asLongBuffer().get(entry);
    return entry;
  }

  private static boolean isEmpty(long[] entries, int at) {
    return (entries[at] | entries[at + 1] | entries[at + 2] | entries[at + 3]) == 0;
  }

  /** Where an entry of others is in a table, or where it belongs. */
  private static int place(long[] table, long[] others, int from) {
    int entries = table.length / LONGS;
    for (int entry = (int) (others[from] & entries - 1); ; entry = entry + 1 & entries - 1) {
      int at = entry * LONGS;
      if (isEmpty(table, at) || Arrays.equals(table, at, at + LONGS, others, from, from + LONGS)) {
        return at;
      }
    }
  }

  private void grow() {
    long[] larger = new long[Math.multiplyExact(table.length, 2)];
    for (int at = 0; at < table.length; at += LONGS) {
      if (!isEmpty(table, at)) {
        System.arraycopy(table, at, larger, place(larger, table, at), LONGS);
      }
    }
    table = larger;
  }
}
