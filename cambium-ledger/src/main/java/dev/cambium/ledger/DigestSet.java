package dev.cambium.ledger;

import dev.cambium.model.Digest;
import java.nio.ByteBuffer;

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
    ByteBuffer raw = ByteBuffer.wrap(digest.raw());
    long a = raw.getLong();
    long b = raw.getLong();
    long c = raw.getLong();
    long d = raw.getLong();
    if ((a | b | c | d) == 0) {
      boolean added = !zero;
      zero = true;
      return added;
    }
    int at = place(table, a, b, c, d);
    if (table[at] == a && table[at + 1] == b && table[at + 2] == c && table[at + 3] == d) {
      return false;
    }
    put(table, at, a, b, c, d);
    size++;
    if (size * 3L > 2L * (table.length / LONGS)) {
      grow();
    }
    return true;
  }

  boolean contains(Digest digest) {
    ByteBuffer raw = ByteBuffer.wrap(digest.raw());
    long a = raw.getLong();
    long b = raw.getLong();
    long c = raw.getLong();
    long d = raw.getLong();
    if ((a | b | c | d) == 0) {
      return zero;
    }
    int at = place(table, a, b, c, d);
    return (table[at] | table[at + 1] | table[at + 2] | table[at + 3]) != 0;
  }

  /** Where a value is, or where it belongs. */
  private static int place(long[] table, long a, long b, long c, long d) {
    int entries = table.length / LONGS;
    for (int entry = (int) (a & entries - 1); ; entry = entry + 1 & entries - 1) {
      int at = entry * LONGS;
      long e = table[at];
      long f = table[at + 1];
      long g = table[at + 2];
      long h = table[at + 3];
      if ((e | f | g | h) == 0 || (e == a && f == b && g == c && h == d)) {
        return at;
      }
    }
  }

  private static void put(long[] table, int at, long a, long b, long c, long d) {
    table[at] = a;
    table[at + 1] = b;
    table[at + 2] = c;
    table[at + 3] = d;
  }

  private void grow() {
    long[] larger = new long[Math.multiplyExact(table.length, 2)];
    for (int at = 0; at < table.length; at += LONGS) {
      long a = table[at];
      long b = table[at + 1];
      long c = table[at + 2];
      long d = table[at + 3];
      if ((a | b | c | d) != 0) {
        put(larger, place(larger, a, b, c, d), a, b, c, d);
      }
    }
    table = larger;
  }
}
