package dev.cambium.loop.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the items of a suite that training rows would give away.
 *
 * <p>An item overlaps with a row when, over the {@link Wording words} of what each asks,
 *
 * <ul>
 *   <li>the words are the same: {@link Overlap.Kind#EXACT};
 *   <li>or the sets of word 3-grams have a Jaccard index of at least 0.8: {@link
 *       Overlap.Kind#NEAR};
 *   <li>or the item has at least eight words, and 0.9 of its 3-grams are in the row: {@link
 *       Overlap.Kind#CONTAINED};
 * </ul>
 *
 * and, for the latter two, every number of the item is in the row: "pay 20 to Ann" and "pay 30 to
 * Ann" are different questions however alike they look.
 *
 * <p>The search is exact, not sampled. Both measures need at least 0.8 of the item's n-grams in the
 * row, so an overlapping row must share one of the item's {@code n − ⌈0.8 n⌉ + 1} rarest n-grams
 * (prefix filtering; Chaudhuri, Ganti and Kaushik, 2006; Bayardo, Ma and Srikant, 2007). Only those
 * are indexed, rarest by their frequency in the rows, so that what every text has in common costs
 * nothing. N-grams are compared by 64-bit hashes.
 */
public final class OverlapCheck {

  private static final int N = 3;
  private static final double NEAR = 0.8;
  private static final double CONTAINED = 0.9;
  private static final int CONTAINED_WORDS = 8;

  private OverlapCheck() {}

  /** A text, prepared: its words, the hash of all of them, its sorted distinct n-grams. */
  private record Prepared(List<String> words, long whole, long[] grams) {

    static Prepared of(List<String> words) {
      long whole = 0;
      long[] hashes = new long[words.size()];
      for (int i = 0; i < hashes.length; i++) {
        hashes[i] = hash(words.get(i));
        whole = mix(whole * 31 + hashes[i]);
      }
      long[] grams = new long[Math.max(0, hashes.length - N + 1)];
      for (int i = 0; i < grams.length; i++) {
        long gram = 0;
        for (int j = i; j < i + N; j++) {
          gram = mix(gram * 31 + hashes[j]);
        }
        grams[i] = gram;
      }
      return new Prepared(words, whole, Arrays.stream(grams).sorted().distinct().toArray());
    }

    private static long hash(String word) {
      long h = 0xcbf29ce484222325L;
      for (int i = 0; i < word.length(); i++) {
        h = (h ^ word.charAt(i)) * 0x100000001b3L;
      }
      return mix(h);
    }

    /** The finalizer of SplitMix64 (Steele, Lea and Flood, 2014). */
    private static long mix(long x) {
      long z = x + 0x9e3779b97f4a7c15L;
      z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
      z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
      return z ^ (z >>> 31);
    }

    List<String> numbers() {
      return words.stream().filter(w -> w.chars().anyMatch(Character::isDigit)).toList();
    }
  }

  /** The nearest row of an item so far. */
  private static final class Best {
    Overlap.@Nullable Kind kind;
    double similarity;
    String row = "";
    int rows;

    void offer(Overlap.Kind found, double value, String id) {
      rows++;
      if (kind == null || found.compareTo(kind) < 0 || (found == kind && value > similarity)) {
        kind = found;
        similarity = value;
        row = id;
      }
    }
  }

  /**
   * Compares every row with every item.
   *
   * @return one entry for each item that overlaps with a row, in the items' order
   */
  public static List<Overlap> find(List<Row> rows, List<Item> items) {
    List<Prepared> asked = items.stream().map(i -> Prepared.of(Wording.asked(i))).toList();
    List<Prepared> given = rows.stream().map(r -> Prepared.of(Wording.asked(r))).toList();
    Map<Long, int[]> byWhole = new HashMap<>();
    for (int i = 0; i < asked.size(); i++) {
      if (!asked.get(i).words().isEmpty()) {
        byWhole.merge(asked.get(i).whole(), new int[] {i}, OverlapCheck::joined);
      }
    }
    Map<Long, int[]> byGram = index(asked, given);
    Best[] best = new Best[items.size()];
    int[] lastRow = new int[items.size()];
    Arrays.fill(lastRow, -1);
    for (int r = 0; r < given.size(); r++) {
      Prepared row = given.get(r);
      String id = rows.get(r).id();
      for (int i : byWhole.getOrDefault(row.whole(), new int[0])) {
        if (asked.get(i).words().equals(row.words())) {
          lastRow[i] = r;
          best(best, i).offer(Overlap.Kind.EXACT, 1, id);
        }
      }
      for (long gram : row.grams()) {
        int[] candidates = byGram.get(gram);
        if (candidates == null) {
          continue;
        }
        for (int i : candidates) {
          if (lastRow[i] != r) {
            lastRow[i] = r;
            compare(asked.get(i), row, id, best, i);
          }
        }
      }
    }
    List<Overlap> overlaps = new ArrayList<>();
    for (int i = 0; i < best.length; i++) {
      Best found = best[i];
      if (found != null && found.kind != null) {
        overlaps.add(
            new Overlap(items.get(i).id(), found.row, found.rows, found.kind, found.similarity));
      }
    }
    return overlaps;
  }

  private static Best best(Best[] all, int item) {
    if (all[item] == null) {
      all[item] = new Best();
    }
    return all[item];
  }

  /** The rarest n-grams of each item, enough that an overlapping row must have one of them. */
  private static Map<Long, int[]> index(List<Prepared> asked, List<Prepared> given) {
    Map<Long, Integer> frequency = new HashMap<>();
    for (Prepared item : asked) {
      for (long gram : item.grams()) {
        frequency.put(gram, 0);
      }
    }
    for (Prepared row : given) {
      for (long gram : row.grams()) {
        frequency.computeIfPresent(gram, (g, n) -> n + 1);
      }
    }
    Map<Long, int[]> index = new HashMap<>();
    for (int i = 0; i < asked.size(); i++) {
      long[] grams = asked.get(i).grams();
      int prefix = grams.length - (int) Math.ceil(NEAR * grams.length - 1e-9) + 1;
      long[] rarest =
          Arrays.stream(grams)
              .boxed()
              .sorted(
                  java.util.Comparator.<Long>comparingInt(g -> frequency.getOrDefault(g, 0))
                      .thenComparing(java.util.Comparator.naturalOrder()))
              .limit(grams.length == 0 ? 0 : prefix)
              .mapToLong(Long::longValue)
              .toArray();
      for (long gram : rarest) {
        index.merge(gram, new int[] {i}, OverlapCheck::joined);
      }
    }
    return index;
  }

  private static int[] joined(int[] a, int[] b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static void compare(Prepared item, Prepared row, String id, Best[] best, int index) {
    int common = common(item.grams(), row.grams());
    double jaccard = common / (double) (item.grams().length + row.grams().length - common);
    double containment = common / (double) item.grams().length;
    boolean near = jaccard >= NEAR;
    boolean contained = item.words().size() >= CONTAINED_WORDS && containment >= CONTAINED;
    if ((near || contained) && row.words().containsAll(item.numbers())) {
      best(best, index)
          .offer(
              near ? Overlap.Kind.NEAR : Overlap.Kind.CONTAINED, near ? jaccard : containment, id);
    }
  }

  private static int common(long[] a, long[] b) {
    int count = 0;
    for (int i = 0, j = 0; i < a.length && j < b.length; ) {
      if (a[i] == b[j]) {
        count++;
        i++;
        j++;
      } else if (a[i] < b[j]) {
        i++;
      } else {
        j++;
      }
    }
    return count;
  }
}
