package dev.cambium.engine.training;

import java.util.List;

/** Training stopped because the loss or the gradient is not a number, or infinite. */
public final class DivergenceException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final long step;
  private final transient List<String> rows;

  DivergenceException(String what, double value, long step, double rate, List<String> rows) {
    super(
        what
            + " is "
            + value
            + " at step "
            + step
            + " (learning rate "
            + rate
            + "); rows: "
            + String.join(", ", rows)
            + ". Lower the learning rate, or look at these rows.");
    this.step = step;
    this.rows = List.copyOf(rows);
  }

  /** The step, from 0. */
  public long step() {
    return step;
  }

  /** The rows of that step, as source#index. */
  public List<String> rows() {
    return rows;
  }
}
