package dev.cambium.bench.stream;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.engine.Engine;
import dev.cambium.engine.TrainingJob;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The methods that are one training for each lesson, with nothing around it. */
final class PlainLearner implements Learner {

  private static final int SNAPSHOT_STEPS = 100;

  /** Share of each batch that is replayed. */
  private static final double REPLAY = 0.05;

  /**
   * Strengths of the methods that have one.
   *
   * @param elastic of elastic weight consolidation
   * @param orthogonal of the penalty on adapters' overlap
   */
  record Strengths(double elastic, double orthogonal) {}

  private final Method method;
  private final Engine engine;
  private final Path foundation;
  private final Stream stream;
  private final Pace pace;
  private final Strengths strengths;
  private final long seed;
  private final Path work;
  private final Progress progress;
  private final List<Path> data = new ArrayList<>();
  private @Nullable Pupil last;
  private long rows;

  PlainLearner(
      Method method,
      Engine engine,
      Path foundation,
      Stream stream,
      Pace pace,
      Strengths strengths,
      long seed,
      Path work,
      Progress progress)
      throws IOException {
    if (pace.adaptersOnly() && method.needsAllWeights()) {
      throw new IllegalArgumentException(
          method.id() + " trains all weights, for which this foundation is too large");
    }
    this.method = method;
    this.engine = engine;
    this.foundation = foundation;
    this.stream = stream;
    this.pace = pace;
    this.strengths = strengths;
    this.seed = seed;
    this.work = work;
    this.progress = progress;
    for (Update update : stream.updates()) {
      data.add(written(update.name(), update.rows()));
    }
  }

  @Override
  public Pupil learn(int index) throws IOException {
    boolean adapters = pace.adaptersOnly();
    Protection none = Protection.NONE;
    Pupil learnt =
        switch (method) {
          case NAIVE_FULL -> trained(index, last, pace.recipe(false, 1, none), own(index));
          case NAIVE_LORA -> trained(index, last, pace.recipe(true, 1, none), own(index));
          case REPLAY -> trained(index, last, pace.recipe(adapters, 1, none), replayed(index));
          case EWC ->
              trained(
                  index,
                  last,
                  // At the beginning there is nothing yet to hold on to.
                  pace.recipe(false, 1, index == 0 ? none : none.withEwc(strengths.elastic())),
                  own(index));
          case ORTHOGONAL ->
              trained(
                  index,
                  last,
                  pace.recipe(
                      true, 1, index == 0 ? none : none.withOrthogonal(strengths.orthogonal())),
                  own(index));
          case FRESH -> trained(index, null, pace.recipe(adapters, 1, none), own(index));
          case JOINT ->
              trained(
                  index, null, pace.recipe(adapters, stream.effort(index), none), holding(index));
          case CAMBIUM -> throw new IllegalStateException("has a learner of its own");
        };
    last = learnt;
    return learnt;
  }

  @Override
  public long rowsRead() {
    return rows;
  }

  /** Trains on from a pupil, or from the foundation. */
  private Pupil trained(
      int index, @Nullable Pupil from, Recipe recipe, List<TrainingJob.RowSource> sources)
      throws IOException {
    rows += (long) recipe.steps() * recipe.batchRows();
    Path done = work.resolve(Integer.toString(index));
    Path start = from == null ? foundation : from.model();
    Pupil pupil =
        recipe.method() == Recipe.Method.LORA
            ? new Pupil(start, done, null)
            : new Pupil(done, null, null);
    if (Files.exists(done)) {
      return pupil;
    }
    Path making = work.resolve(index + ".making");
    DirectoryTree.delete(making);
    Path snapshots = work.resolve(index + ".snapshots");
    engine.train(
        new TrainingJob(
            start,
            from == null ? null : from.adapter(),
            recipe,
            sources,
            seed * 1_000 + index,
            making,
            snapshots,
            SNAPSHOT_STEPS,
            method == Method.EWC ? data.subList(0, index) : List.of(),
            null,
            null),
        progress);
    Files.move(making, done, StandardCopyOption.ATOMIC_MOVE);
    DirectoryTree.delete(snapshots);
    return pupil;
  }

  private List<TrainingJob.RowSource> own(int index) {
    return List.of(new TrainingJob.RowSource(data.get(index), 1));
  }

  /** All that still holds, each row as likely as any other. */
  private List<TrainingJob.RowSource> holding(int index) throws IOException {
    List<TrainingJob.RowSource> sources = new ArrayList<>();
    List<List<Row>> holding = stream.holding(index);
    for (int i = 0; i <= index; i++) {
      List<Row> held = holding.get(i);
      if (!held.isEmpty()) {
        Path file =
            held.size() == stream.get(i).rows().size()
                ? data.get(i)
                : written(stream.get(i).name() + ".after-" + index, held);
        sources.add(new TrainingJob.RowSource(file, held.size()));
      }
    }
    return sources;
  }

  /** The lesson with a share of all earlier rows, each as likely as any other. */
  private List<TrainingJob.RowSource> replayed(int index) {
    if (index == 0) {
      return own(0);
    }
    double total = stream.updates().subList(0, index).stream().mapToInt(u -> u.rows().size()).sum();
    List<TrainingJob.RowSource> sources = new ArrayList<>();
    sources.add(new TrainingJob.RowSource(data.get(index), 1 - REPLAY));
    for (int i = 0; i < index; i++) {
      sources.add(
          new TrainingJob.RowSource(data.get(i), REPLAY * stream.get(i).rows().size() / total));
    }
    return sources;
  }

  private Path written(String name, List<Row> rows) throws IOException {
    Path file = Files.createDirectories(work.resolve("rows")).resolve(name + ".jsonl");
    Files.write(file, RowFile.encode(rows));
    return file;
  }
}
