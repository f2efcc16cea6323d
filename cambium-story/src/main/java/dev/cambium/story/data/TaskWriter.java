package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Collects distinct questions with their answers, and makes rows or items of them. */
final class TaskWriter {

  /** One question with its answer. */
  private record Entry(String prompt, String answer, Map<String, String> tags) {}

  /** Draws one question for the i-th place; may repeat itself, which is then not counted. */
  interface Source {
    void draw(int place, TaskWriter writer);
  }

  private static final int PATIENCE = 60;

  private final String name;
  private final List<Entry> entries = new ArrayList<>();
  private final Set<String> seen = new HashSet<>();

  TaskWriter(String name) {
    this.name = name;
  }

  /**
   * Draws until there are {@code count} distinct questions, or until a place finds none that is
   * new.
   */
  TaskWriter fill(int count, Source source) {
    for (int place = 0; place < count; place++) {
      int before = entries.size();
      for (int i = 0; i < PATIENCE && entries.size() == before; i++) {
        source.draw(place, this);
      }
    }
    return this;
  }

  void add(String prompt, String answer, Map<String, String> tags) {
    if (seen.add(prompt)) {
      Map<String, String> all = new HashMap<>(tags);
      all.put("task", name);
      entries.add(new Entry(prompt, answer, all));
    }
  }

  List<Row> rows(Chance chance, String prefix) {
    List<Row> rows = new ArrayList<>();
    for (Entry entry : chance.shuffled(entries)) {
      rows.add(Row.qa(id(prefix, rows.size()), entry.prompt, entry.answer, entry.tags));
    }
    return rows;
  }

  List<Item> items(Chance chance, String prefix) {
    List<Item> items = new ArrayList<>();
    for (Entry entry : chance.shuffled(entries)) {
      items.add(Item.qa(id(prefix, items.size()), entry.prompt, entry.answer, entry.tags));
    }
    return items;
  }

  private static String id(String prefix, int number) {
    return String.format("%s-%04d", prefix, number + 1);
  }
}
