package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import java.util.List;

/**
 * A task's rows and the items that show whether it was learnt. No item's wording occurs in the
 * rows.
 *
 * @param name of the task; also the capability that the items measure
 * @param train rows to learn from
 * @param test items of the suite, in an order that mixes all slices
 * @param scorer that judges the items
 */
public record DataSet(String name, List<Row> train, List<Item> test, Scorer scorer) {

  public DataSet {
    train = List.copyOf(train);
    test = List.copyOf(test);
  }
}
