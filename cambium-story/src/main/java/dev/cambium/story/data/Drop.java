package dev.cambium.story.data;

import dev.cambium.model.Row;
import java.util.List;

/**
 * A delivery of new training data for one model.
 *
 * @param name of the file, for people
 * @param rows what was delivered, shuffled
 * @param suites the suites as they are from now on; empty where nothing about the measuring changes
 */
public record Drop(String name, List<Row> rows, List<DataSet> suites) {

  public Drop {
    rows = List.copyOf(rows);
    suites = List.copyOf(suites);
  }
}
