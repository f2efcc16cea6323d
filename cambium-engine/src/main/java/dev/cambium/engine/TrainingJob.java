package dev.cambium.engine;

import dev.cambium.engine.training.UpdateSubspace;
import dev.cambium.model.Recipe;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A training to carry out.
 *
 * @param model Hugging Face directory to start from
 * @param adapter PEFT directory to continue; for recipes of method {@code lora} only
 * @param sources at least one
 * @param seed of the order of rows and of fresh adapter weights
 * @param out where the result goes: a model directory or an adapter directory
 * @param snapshots folder for the state of the run; a run that finds its own state there goes on
 *     from it
 * @param snapshotEvery steps between snapshots
 * @param earlier files of rows that elastic weight consolidation protects; empty without it
 * @param foundation Hugging Face directory of the model whose spectrum spectral regularization
 *     keeps; none for that of {@code model}
 * @param subspace file that the {@link UpdateSubspace} of the training goes to; none for nowhere
 */
public record TrainingJob(
    Path model,
    @Nullable Path adapter,
    Recipe recipe,
    List<RowSource> sources,
    long seed,
    Path out,
    Path snapshots,
    int snapshotEvery,
    List<Path> earlier,
    @Nullable Path foundation,
    @Nullable Path subspace) {

  /** Without anything that protection needs, and without the update's subspace. */
  public TrainingJob(
      Path model,
      @Nullable Path adapter,
      Recipe recipe,
      List<RowSource> sources,
      long seed,
      Path out,
      Path snapshots,
      int snapshotEvery) {
    this(
        model,
        adapter,
        recipe,
        sources,
        seed,
        out,
        snapshots,
        snapshotEvery,
        List.of(),
        null,
        null);
  }

  /** The same by another recipe. */
  TrainingJob with(Recipe other) {
    return new TrainingJob(
        model,
        adapter,
        other,
        sources,
        seed,
        out,
        snapshots,
        snapshotEvery,
        earlier,
        foundation,
        subspace);
  }

  /**
   * Rows with a weight.
   *
   * @param rows a file that {@link RowFile} reads
   * @param weight relative to the other sources; batches hold rows in proportion
   */
  public record RowSource(Path rows, double weight) {}

  public TrainingJob {
    sources = List.copyOf(sources);
    earlier = List.copyOf(earlier);
    if (sources.isEmpty()) {
      throw new IllegalArgumentException("training without data");
    }
    if (adapter != null && recipe.method() != Recipe.Method.LORA) {
      throw new IllegalArgumentException("a recipe of method full cannot continue an adapter");
    }
  }
}
