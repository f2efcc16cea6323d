package dev.cambium.bench.stream;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.List;

/**
 * One task of a stream.
 *
 * @param name of the task, fit for the name of a capability
 * @param rows what is learnt
 * @param gate items that a gate may decide by
 * @param test items that the benchmark scores by; no gate and no training sees them
 */
record Lesson(String name, List<Row> rows, List<Item> gate, List<Item> test) {
  Lesson {
    rows = List.copyOf(rows);
    gate = List.copyOf(gate);
    test = List.copyOf(test);
    if (rows.isEmpty() || test.isEmpty()) {
      throw new IllegalArgumentException("lesson " + name + " has no rows, or nothing to test");
    }
  }
}
