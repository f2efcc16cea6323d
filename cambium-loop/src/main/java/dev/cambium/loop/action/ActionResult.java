package dev.cambium.loop.action;

import dev.cambium.model.Digest;
import java.util.SortedMap;

/**
 * The result of an action.
 *
 * @param key the action's key
 * @param outputs artifacts by path
 * @param seconds wall time when it was carried out
 * @param memoised whether it had been carried out before
 */
public record ActionResult(
    Digest key, SortedMap<String, Digest> outputs, double seconds, boolean memoised) {

  /** The artifact of one output. */
  public Digest output(String path) {
    Digest digest = outputs.get(path);
    if (digest == null) {
      throw new IllegalStateException(
          "action " + key.brief() + " has no output " + path + ", only " + outputs.keySet());
    }
    return digest;
  }
}
