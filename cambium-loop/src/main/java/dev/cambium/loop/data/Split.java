package dev.cambium.loop.data;

import dev.cambium.model.Digest;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Data split into what is learnt and what is set aside for searches.
 *
 * <p>Which side a row falls on depends only on the words it asks, not on its file, its id or its
 * neighbours: about one row in ten is set aside, the same one in every delivery, and rows that ask
 * the same never fall on both sides. Only where that would set aside nothing, everything or more
 * than 500 rows does the rest of the file matter.
 *
 * @param train rows to learn, in the file's order; never empty
 * @param heldOut rows set aside, in the file's order; never empty
 */
public record Split(List<Row> train, List<Row> heldOut) {

  /** The share set aside. */
  public static final double SHARE = 0.1;

  /** The most rows set aside, unless a single group of equal rows is larger. */
  public static final int MOST = 500;

  public Split {
    train = List.copyOf(train);
    heldOut = List.copyOf(heldOut);
  }

  /**
   * Splits rows.
   *
   * @throws DataException if all rows ask the same, so that nothing can be set aside
   */
  public static Split of(List<Row> rows) {
    Map<String, List<Row>> groups = new LinkedHashMap<>();
    for (Row row : rows) {
      groups.computeIfAbsent(place(row), key -> new ArrayList<>()).add(row);
    }
    if (groups.size() < 2) {
      throw new DataException(
          "the data hold "
              + groups.size()
              + " different row(s); at least two are needed, one to learn and one to set aside");
    }
    TreeMap<String, List<Row>> ranked = new TreeMap<>(groups);
    String limit = String.format("%08x", (long) (SHARE * 0x1_0000_0000L));
    java.util.Set<String> aside = new java.util.HashSet<>();
    int count = 0;
    for (Map.Entry<String, List<Row>> group : ranked.entrySet()) {
      boolean below = group.getKey().compareTo(limit) < 0;
      int size = group.getValue().size();
      if (!aside.isEmpty()
          && (!below || count + size > MOST || aside.size() == ranked.size() - 1)) {
        break;
      }
      aside.add(group.getKey());
      count += size;
    }
    List<Row> train = new ArrayList<>();
    List<Row> heldOut = new ArrayList<>();
    for (Row row : rows) {
      (aside.contains(place(row)) ? heldOut : train).add(row);
    }
    return new Split(train, heldOut);
  }

  private static String place(Row row) {
    return Digest.ofText("held-out\n" + String.join(" ", Wording.asked(row))).hex();
  }
}
