package dev.cambium.story.data;

import dev.cambium.model.Application;
import dev.cambium.model.Item;
import dev.cambium.model.Scorer;
import java.util.List;

/**
 * An application with the suite that measures it from outside: its items are what a customer
 * writes, and only the application's prompt makes the model's task of it.
 *
 * @param name of the application; also of the capability
 * @param application what the version adds to its model
 * @param test items of the suite
 * @param scorer that judges the items
 */
public record AppSet(String name, Application application, List<Item> test, Scorer scorer) {

  public AppSet {
    test = List.copyOf(test);
  }
}
