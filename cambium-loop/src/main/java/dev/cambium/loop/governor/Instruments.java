package dev.cambium.loop.governor;

import dev.cambium.model.Fact;
import dev.cambium.model.Recipe;

/** Where readings come from. */
@FunctionalInterface
public interface Instruments {

  /** Nothing is measured. */
  Instruments NONE = (recipe, stable) -> Readings.NONE;

  /**
   * What is known of a line.
   *
   * @param recipe by which it is trained
   * @param stable its stable version
   */
  Readings read(Recipe recipe, Fact.VersionRegistered stable);
}
