package dev.cambium.engine.generation;

/**
 * What a model answered. The array is the record's own: do not change it.
 *
 * @param ids tokens, without the one that ended them
 * @param end why there are no more
 */
public record Completion(int[] ids, End end) {

  /** Why an answer ended. */
  public enum End {
    /** The model said so. */
    STOPPED,
    /** The longest answer allowed, or the model's longest context. */
    LENGTH,
    /** The prompt alone fills the model's context. */
    NO_ROOM,
    /** The model computed something that is not a number. */
    NOT_FINITE
  }

  /** Whether the ids can be relied on: neither without room nor after a failed computation. */
  public boolean usable() {
    return end == End.STOPPED || end == End.LENGTH;
  }
}
