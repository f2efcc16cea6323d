package dev.cambium.bench.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.List;

/**
 * One task that a model can learn.
 *
 * @param name of the task, fit for the name of a capability
 * @param rows what is learnt
 * @param gate items that a gate may decide by
 * @param test items that the benchmark scores by; no gate and no training sees them
 */
public record Lesson(String name, List<Row> rows, List<Item> gate, List<Item> test) {
  public Lesson {
    rows = List.copyOf(rows);
    gate = List.copyOf(gate);
    test = List.copyOf(test);
    if (rows.isEmpty() || test.isEmpty()) {
      throw new IllegalArgumentException("lesson " + name + " has no rows, or nothing to test");
    }
  }
}
