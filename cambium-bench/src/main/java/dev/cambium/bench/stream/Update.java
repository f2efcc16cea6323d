package dev.cambium.bench.stream;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One update of a stream: what is to be learnt, and what is asked from then on.
 *
 * @param name of what is learnt, fit for the name of a capability
 * @param rows what is learnt
 * @param ended facts (values of the rows' tag {@value #FACT}) of which no earlier row holds any
 *     longer: they changed, or there is no such thing any more
 * @param suites what a contract promises from now on, by capability: items that a gate may decide
 *     by
 * @param tests what the benchmark scores from now on; no gate and no training sees these items
 */
record Update(
    String name,
    List<Row> rows,
    Set<String> ended,
    SortedMap<String, List<Item>> suites,
    SortedMap<String, List<Item>> tests) {

  /** Tag that names the fact which a row states. */
  static final String FACT = "fact";

  Update {
    rows = List.copyOf(rows);
    ended = Set.copyOf(ended);
    suites = new TreeMap<>(suites);
    tests = new TreeMap<>(tests);
    if (rows.isEmpty() || !tests.containsKey(name)) {
      throw new IllegalArgumentException("update " + name + " has no rows, or nothing to test");
    }
    for (Map.Entry<String, List<Item>> asked : tests.entrySet()) {
      if (asked.getValue().isEmpty()) {
        throw new IllegalArgumentException(
            "update " + name + ": nothing is tested by " + asked.getKey());
      }
    }
  }
}
