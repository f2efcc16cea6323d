package dev.cambium.bench.upgrade;

import dev.cambium.bench.data.Lesson;
import dev.cambium.model.Item;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A line below a foundation, and what measures it.
 *
 * @param line its name, also that of its capability
 * @param parent line that it is built on
 * @param recipe name of the recipe it is trained by; none for an application
 * @param rows what it learns; empty for an application
 * @param gate items of the contract's suite
 * @param test items that the benchmark scores by; no gate and no training sees them
 * @param prompt of an application
 */
record Subject(
    String line,
    String parent,
    Tier tier,
    @Nullable String recipe,
    List<Row> rows,
    List<Item> gate,
    List<Item> test,
    @Nullable String prompt) {

  Subject {
    rows = List.copyOf(rows);
    gate = List.copyOf(gate);
    test = List.copyOf(test);
    if (gate.isEmpty() || test.isEmpty() || rows.isEmpty() != (recipe == null)) {
      throw new IllegalArgumentException(
          line + ": a line has items, and rows if it has a recipe, and only then");
    }
  }

  /** A line that is trained. */
  static Subject trained(String parent, Tier tier, String recipe, Lesson lesson) {
    return new Subject(
        lesson.name(), parent, tier, recipe, lesson.rows(), lesson.gate(), lesson.test(), null);
  }

  /** An application. */
  static Subject application(
      String line, String parent, String prompt, List<Item> gate, List<Item> test) {
    return new Subject(line, parent, Tier.APPLICATION, null, List.of(), gate, test, prompt);
  }

  boolean isApplication() {
    return tier == Tier.APPLICATION;
  }
}
