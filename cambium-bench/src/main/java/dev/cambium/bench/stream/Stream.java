package dev.cambium.bench.stream;

import dev.cambium.bench.data.Lesson;
import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Updates of a line in the order in which they come.
 *
 * @param updates at least one
 */
record Stream(List<Update> updates) {

  /** Name of the test of everything that holds, where a stream has one. */
  static final String EVERYTHING = "everything";

  Stream {
    updates = List.copyOf(updates);
    if (updates.isEmpty()) {
      throw new IllegalArgumentException("a stream needs an update");
    }
  }

  /**
   * Lessons one after the other that stay as they are, since nothing that later ones teach
   * contradicts them; all that have come are promised and tested.
   */
  static Stream of(List<Lesson> lessons) {
    List<Update> updates = new ArrayList<>();
    SortedMap<String, List<Item>> suites = new TreeMap<>();
    SortedMap<String, List<Item>> tests = new TreeMap<>();
    for (Lesson lesson : lessons) {
      suites.put(lesson.name(), lesson.gate());
      tests.put(lesson.name(), lesson.test());
      updates.add(new Update(lesson.name(), lesson.rows(), Set.of(), suites, tests));
    }
    return new Stream(updates);
  }

  int size() {
    return updates.size();
  }

  Update get(int index) {
    return updates.get(index);
  }

  List<String> names() {
    return updates.stream().map(Update::name).toList();
  }

  /** What still holds after an update: the rows of each one up to it that none has ended since. */
  List<List<Row>> holding(int index) {
    List<List<Row>> holding = new ArrayList<>();
    Set<String> ended = new HashSet<>();
    for (int i = index; i >= 0; i--) {
      holding.add(
          0,
          get(i).rows().stream()
              .filter(row -> !ended.contains(row.tags().getOrDefault(Update.FACT, "")))
              .toList());
      ended.addAll(get(i).ended());
    }
    return holding;
  }

  /**
   * How many updates' training it takes to learn everything that holds after an update: one for
   * each up to it, less by the share of its rows that hold no more.
   */
  double effort(int index) {
    List<List<Row>> holding = holding(index);
    double effort = 0;
    for (int i = 0; i <= index; i++) {
      effort += holding.get(i).size() / (double) get(i).rows().size();
    }
    return effort;
  }

  /** Of learning everything that holds, from the beginning, after every update. */
  double totalEffort() {
    double total = 0;
    for (int i = 0; i < size(); i++) {
      total += effort(i);
    }
    return total;
  }
}
