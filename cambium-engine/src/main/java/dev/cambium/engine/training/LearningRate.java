package dev.cambium.engine.training;

import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import org.jspecify.annotations.Nullable;

/** The learning rate of every step: a linear rise, then what the recipe's schedule says. */
final class LearningRate {

  /** Where the cosine ends, relative to the peak. */
  private static final double FLOOR = 0.1;

  private final Recipe recipe;
  private final long warmup;
  private final Protection.@Nullable Rewarm rewarm;

  LearningRate(Recipe recipe) {
    this.recipe = recipe;
    this.warmup = Math.round(recipe.warmupShare() * recipe.steps());
    this.rewarm = recipe.protect() == null ? null : recipe.protect().rewarm();
  }

  /** Relative to the peak; knows nothing of the number of steps to come. */
  private static double rewarmed(Protection.Rewarm rewarm, long step) {
    if (step < rewarm.warmup()) {
      return (step + 1.0) / (rewarm.warmup() + 1);
    }
    double cooled =
        rewarm.cooldown() == 0
            ? 1
            : Math.min(1, (double) (step - rewarm.warmup()) / rewarm.cooldown());
    return rewarm.floor()
        + (1 - rewarm.floor()) * 0.5 * (1 + StrictMath.cos(StrictMath.PI * cooled));
  }

  /** Of a step, counted from 0. */
  double at(long step) {
    if (rewarm != null) {
      return recipe.learningRate() * rewarmed(rewarm, step);
    }
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
