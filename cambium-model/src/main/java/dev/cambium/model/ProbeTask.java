package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;

/**
 * Something small and new that a headroom probe lets a model learn, as one seed draws it.
 *
 * @param task its name; the same task with another seed has the same name
 * @param kind such as {@code associations}
 * @param seed what drew words and answers; also of what the training draws
 * @param train rows to learn, a question and an answer each
 * @param heldOut rows by which learning is measured; empty where there is nothing to generalise to,
 *     and the rows learnt are the measure
 */
public record ProbeTask(
    String task,
    String kind,
    long seed,
    List<Row> train,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Row> heldOut) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public ProbeTask {
    train = List.copyOf(train);
    heldOut = heldOut == null ? List.of() : List.copyOf(heldOut);
    if (train.isEmpty()) {
      throw new IllegalArgumentException("probe task " + task + " has nothing to learn");
    }
    for (List<Row> rows : List.of(train, heldOut)) {
      for (Row row : rows) {
        if (row.messages().size() != 2) {
          throw new IllegalArgumentException(
              "probe task " + task + ", row " + row.id() + ": a question and an answer, no more");
        }
      }
    }
  }

  /** The rows by which learning is measured. */
  public List<Row> measured() {
    return heldOut.isEmpty() ? train : heldOut;
  }
}
