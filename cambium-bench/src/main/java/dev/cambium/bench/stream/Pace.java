package dev.cambium.bench.stream;

import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import java.util.List;

/**
 * How much training a lesson gets; the same for every method but Cambium, whose recipe is its own.
 *
 * @param steps of the optimizer for one lesson
 * @param batchRows rows of a step
 * @param maxTokens of a row
 * @param fullRate peak learning rate with all weights; 0 if the model is too large for that, and
 *     every method trains adapters
 * @param adapterRate peak learning rate of adapters
 * @param rank of adapters
 * @param precision of the matrix products
 */
record Pace(
    int steps,
    int batchRows,
    int maxTokens,
    double fullRate,
    double adapterRate,
    int rank,
    Recipe.Precision precision) {

  Pace withSteps(int other) {
    return new Pace(other, batchRows, maxTokens, fullRate, adapterRate, rank, precision);
  }

  boolean adaptersOnly() {
    return fullRate == 0;
  }

  /**
   * A training.
   *
   * @param lora whether of an adapter
   * @param lessons how many lessons' worth of steps
   */
  Recipe recipe(boolean lora, double lessons, Protection protect) {
    return new Recipe(
            lora ? Recipe.Method.LORA : Recipe.Method.FULL,
            lora ? new Recipe.Lora(rank, 2.0 * rank, List.of()) : null,
            (int) Math.round(lessons * steps),
            batchRows,
            1,
            maxTokens,
            lora ? adapterRate : fullRate,
            0.05,
            Recipe.Schedule.COSINE,
            0.01,
            1.0,
            0)
        .withPrecision(precision)
        .withProtection(protect);
  }
}
