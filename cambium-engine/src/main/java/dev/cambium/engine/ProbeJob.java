package dev.cambium.engine;

import dev.cambium.model.ProbeTask;
import dev.cambium.model.Recipe;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A headroom probe to carry out.
 *
 * @param model Hugging Face directory of the version, or of what its adapter lies on
 * @param adapter PEFT directory of the version's adapter
 * @param recipe how each task is learnt; its batch rows are each task's rows
 * @param every steps between two looks, a divisor of the recipe's steps
 * @param tasks in the order of the result
 * @param finished folder for the results of single tasks, of this probe only; a task that is found
 *     there is not done again
 */
public record ProbeJob(
    Path model,
    @Nullable Path adapter,
    Recipe recipe,
    int every,
    List<ProbeTask> tasks,
    Path finished) {

  public ProbeJob {
    tasks = List.copyOf(tasks);
    if (tasks.isEmpty()) {
      throw new IllegalArgumentException("a probe without tasks");
    }
    if (every < 1 || recipe.steps() % every != 0) {
      throw new IllegalArgumentException(
          "looks every " + every + " steps do not come out even with " + recipe.steps());
    }
  }
}
