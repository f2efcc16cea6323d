package dev.cambium.engine.training;

import dev.cambium.model.Recipe;

/** The learning rate of every step: a linear rise, then what the recipe's schedule says. */
final class LearningRate {

  /** Where the cosine ends, relative to the peak. */
  private static final double FLOOR = 0.1;

  private final Recipe recipe;
  private final long warmup;

  LearningRate(Recipe recipe) {
    this.recipe = recipe;
    this.warmup = Math.round(recipe.warmupShare() * recipe.steps());
  }

  /** Of a step, counted from 0. */
  double at(long step) {
    if (step < warmup) {
      return recipe.learningRate() * (step + 1) / (warmup + 1);
    }
    return switch (recipe.schedule()) {
      case CONSTANT -> recipe.learningRate();
      case COSINE -> {
        long span = recipe.steps() - 1 - warmup;
        double done = span <= 0 ? 0 : (double) (step - warmup) / span;
        yield recipe.learningRate()
            * (FLOOR + (1 - FLOOR) * 0.5 * (1 + StrictMath.cos(StrictMath.PI * done)));
      }
    };
  }
}
