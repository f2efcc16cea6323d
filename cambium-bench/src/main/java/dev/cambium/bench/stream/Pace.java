package dev.cambium.bench.stream;

import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import org.jspecify.annotations.Nullable;

/**
 * How much training a lesson gets; the same for every method but Cambium, whose recipe is its own.
 *
 * @param steps of the optimizer for one lesson
 * @param batchRows rows of a step
 * @param maxTokens of a row
 * @param fullRate peak learning rate with all weights
 * @param adapterRate peak learning rate of adapters
 * @param rank of adapters
 */
record Pace(
    int steps, int batchRows, int maxTokens, double fullRate, double adapterRate, int rank) {

  /** For models of about a million weights. */
  static final Pace SMALL = new Pace(200, 32, 64, 0.002, 0.003, 16);

  Recipe full(int lessons, @Nullable Protection protect) {
    return recipe(Recipe.Method.FULL, null, lessons * steps, fullRate, protect);
  }

  Recipe adapter(@Nullable Protection protect) {
    return recipe(
        Recipe.Method.LORA,
        new Recipe.Lora(rank, 2.0 * rank, java.util.List.of()),
        steps,
        adapterRate,
        protect);
  }

  private Recipe recipe(
      Recipe.Method method,
      Recipe.@Nullable Lora lora,
      int count,
      double rate,
      @Nullable Protection protect) {
    Recipe recipe =
        new Recipe(
            method,
            lora,
            count,
            batchRows,
            1,
            maxTokens,
            rate,
            0.05,
            Recipe.Schedule.COSINE,
            0.01,
            1.0,
            0);
    return protect == null ? recipe : recipe.withProtection(protect);
  }
}
