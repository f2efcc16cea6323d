package dev.cambium.bench.stream;

import dev.cambium.model.Item;
import dev.cambium.story.data.RuleStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The generated stream, in which rules are added, changed and retired. One capability, whose suite
 * changes with every update; half of each rule's items are for gates and half for the benchmark.
 */
final class Rules {

  private static final String CAPABILITY = "rules";

  private Rules() {}

  /** A founding and some updates. */
  static Stream of(long seed, int count) {
    List<Update> updates = new ArrayList<>();
    for (RuleStream.Update update : RuleStream.of(seed, count)) {
      String name = "update-" + update.number();
      List<String> learnt = new ArrayList<>(update.added());
      learnt.addAll(update.changed());
      SortedMap<String, List<Item>> tests = new TreeMap<>();
      tests.put(name, every(update.items(learnt), 1));
      tests.put(Stream.EVERYTHING, every(update.suite(), 1));
      Set<String> ended = new HashSet<>(update.retired());
      ended.addAll(update.changed());
      SortedMap<String, List<Item>> suites = new TreeMap<>();
      suites.put(CAPABILITY, every(update.suite(), 0));
      updates.add(new Update(name, update.rows(), ended, suites, tests));
    }
    return new Stream(updates);
  }

  private static List<Item> every(List<Item> items, int from) {
    List<Item> half = new ArrayList<>();
    for (int i = from; i < items.size(); i += 2) {
      half.add(items.get(i));
    }
    return half;
  }
}
