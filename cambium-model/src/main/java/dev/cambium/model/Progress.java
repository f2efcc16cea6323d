package dev.cambium.model;

/** Hears how far a long work has come. Called often; must be cheap and must not throw. */
@FunctionalInterface
public interface Progress {

  /** Hears nothing. */
  Progress NONE = (task, done, total, note) -> {};

  /**
   * @param task what is being done, for people; the same text for the same bar
   * @param done units done so far
   * @param total units in all; 0 where unknown
   * @param note something short that changes, such as the loss; may be empty
   */
  void at(String task, long done, long total, String note);
}
