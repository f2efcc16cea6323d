package dev.cambium.loop.data;

import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The items of a suite that a search for a wording looks at, and the others, which judge what it
 * found.
 *
 * <p>On which side an item falls depends on the words it asks and the policy's seed, so items that
 * ask the same are never on both sides, and a suite that grows keeps most of its sides. Items that
 * are only alike may be: a search chooses one of a few wordings, which is too little to know an
 * item by.
 */
public final class SearchItems {

  private SearchItems() {}

  /**
   * The items to search on, in the suite's order.
   *
   * @param count how many at most; fewer where items that ask the same do not fit in
   * @param seed of the order in which they are taken
   */
  public static List<Item> of(List<Item> suite, int count, long seed) {
    TreeMap<String, List<Item>> groups = new TreeMap<>();
    for (Item item : suite) {
      String place = Digest.ofText("prompt-search\n" + seed + "\n" + words(item)).hex();
      groups.computeIfAbsent(place, key -> new ArrayList<>()).add(item);
    }
    Set<Item> taken = new HashSet<>();
    for (List<Item> group : groups.values()) {
      if (taken.size() + group.size() <= count) {
        taken.addAll(group);
      }
    }
    return suite.stream().filter(taken::contains).toList();
  }

  /** The ids of those items of a suite that ask what some others ask. */
  public static Set<String> asking(List<Item> others, List<Item> suite) {
    Set<String> asked = others.stream().map(SearchItems::words).collect(Collectors.toSet());
    return suite.stream()
        .filter(item -> asked.contains(words(item)))
        .map(Item::id)
        .collect(Collectors.toSet());
  }

  /** The ids of those items of a suite that an application's examples give away. */
  public static Set<String> shown(Application application, List<Item> suite) {
    List<Application.Example> examples = application.examples();
    List<Row> rows =
        IntStream.range(0, examples.size())
            .mapToObj(
                i ->
                    Row.qa(
                        "example " + (i + 1),
                        examples.get(i).input(),
                        examples.get(i).answer(),
                        Map.of()))
            .toList();
    return OverlapCheck.find(rows, suite).stream().map(Overlap::item).collect(Collectors.toSet());
  }

  private static String words(Item item) {
    return String.join(" ", Wording.asked(item));
  }
}
