package dev.cambium.loop.campaign;

import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.governor.Choice;
import dev.cambium.model.Digest;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The recipe of a line, and what is changed of it for one way of training or another. */
final class Recipes {

  private final Declaration declaration;

  Recipes(Declaration declaration) {
    this.declaration = declaration;
  }

  /** A line's recipe for training on data. */
  Recipe of(Line line) {
    return declaration
        .recipe(line.name())
        .map(recipe -> recipe.withDistillation(null)) // says nothing about training on data
        .orElseThrow(() -> new IllegalStateException(line.name() + " has no recipe to train with"));
  }

  /** The recipe with what the governor wants protected where the recipe itself is silent. */
  static Recipe governed(Recipe recipe, @Nullable Choice update) {
    Protection added = update == null ? null : update.protect();
    if (added == null) {
      return recipe;
    }
    Protection own = recipe.protect() == null ? Protection.NONE : recipe.protect();
    // A recipe with a replay share is not silent on how much is replayed.
    Protection fitting = recipe.replayShare() > 0 ? added.withRehearse(null) : added;
    return recipe.withProtection(own.or(fitting));
  }

  /** The recipe with the steps that an update on new data takes. */
  static Recipe updating(
      Recipe recipe, TrainingMix mixes, List<Digest> history, List<Digest> fresh) {
    return recipe.counts()
        ? recipe.updating(mixes.held(fresh, List.of()), mixes.held(history, fresh))
        : recipe;
  }

  /** The recipe with the steps that learning all data from the beginning takes. */
  static Recipe anew(Recipe recipe, TrainingMix mixes, List<Digest> data) {
    return recipe.counts() ? recipe.anew(mixes.held(data, List.of())) : recipe;
  }

  /** The recipe where there is no earlier data to measure on what must stay. */
  static Recipe inelastic(Recipe recipe) {
    Protection p = recipe.protect();
    return p == null || p.ewc() == null ? recipe : recipe.withProtection(p.withEwc(null));
  }

  /**
   * The recipe for learning everything again: what only changes how it learns stays, and adapters
   * that are laid on one another stay so, because their ranks are not the recipe's.
   */
  static Recipe unprotected(Recipe recipe) {
    Protection p = recipe.protect();
    return p == null
        ? recipe
        : recipe.withProtection(
            p.withKl(null)
                .withL2Init(null)
                .withEwc(null)
                .withInterpolate(null)
                .withShrinkPerturb(null)
                .withinTraining());
  }
}
