package dev.cambium.bench.stream;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.bench.data.Lesson;
import dev.cambium.engine.Engine;
import dev.cambium.engine.TrainingJob;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
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

  /** Strengths of the two protections; chosen beforehand, not searched for. */
  private static final double ELASTIC = 100;

  private static final double ORTHOGONAL = 0.5;

  private final Method method;
  private final Engine engine;
  private final Path foundation;
  private final List<Lesson> lessons;
  private final Pace pace;
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
      List<Lesson> lessons,
      Pace pace,
      long seed,
      Path work,
      Progress progress)
      throws IOException {
    this.method = method;
    this.engine = engine;
    this.foundation = foundation;
    this.lessons = lessons;
    this.pace = pace;
    this.seed = seed;
    this.work = work;
    this.progress = progress;
    Path folder = Files.createDirectories(work.resolve("rows"));
    for (Lesson lesson : lessons) {
      Path file = folder.resolve(lesson.name() + ".jsonl");
      Files.write(file, RowFile.encode(lesson.rows()));
      data.add(file);
    }
  }

  @Override
  public Pupil learn(int index) throws IOException {
    Pupil before = last;
    Pupil learnt =
        switch (method) {
          case NAIVE_FULL -> full(index, model(before), pace.full(1, null), own(index), List.of());
          case REPLAY -> full(index, model(before), pace.full(1, null), replayed(index), List.of());
          case EWC ->
              full(
                  index,
                  model(before),
                  pace.full(1, index == 0 ? null : elastic()),
                  own(index),
                  data.subList(0, index));
          case FRESH -> full(index, foundation, pace.full(1, null), own(index), List.of());
          case JOINT -> full(index, foundation, pace.full(index + 1, null), all(index), List.of());
          case NAIVE_LORA -> adapter(index, before, pace.adapter(null));
          case ORTHOGONAL -> adapter(index, before, pace.adapter(index == 0 ? null : orthogonal()));
          case CAMBIUM -> throw new IllegalStateException("has a learner of its own");
        };
    last = learnt;
    return learnt;
  }

  @Override
  public long rowsRead() {
    return rows;
  }

  private Path model(@Nullable Pupil before) {
    return before == null ? foundation : before.model();
  }

  private Pupil full(
      int index, Path start, Recipe recipe, List<TrainingJob.RowSource> sources, List<Path> earlier)
      throws IOException {
    return new Pupil(trained(index, start, null, recipe, sources, earlier), null);
  }

  private Pupil adapter(int index, @Nullable Pupil before, Recipe recipe) throws IOException {
    Path from = before == null ? null : before.adapter();
    return new Pupil(foundation, trained(index, foundation, from, recipe, own(index), List.of()));
  }

  private Path trained(
      int index,
      Path start,
      @Nullable Path adapter,
      Recipe recipe,
      List<TrainingJob.RowSource> sources,
      List<Path> earlier)
      throws IOException {
    rows += (long) recipe.steps() * recipe.batchRows();
    Path done = work.resolve(Integer.toString(index));
    if (Files.exists(done)) {
      return done;
    }
    Path making = work.resolve(index + ".making");
    DirectoryTree.delete(making);
    Path snapshots = work.resolve(index + ".snapshots");
    engine.train(
        new TrainingJob(
            start,
            adapter,
            recipe,
            sources,
            seed * 1_000 + index,
            making,
            snapshots,
            SNAPSHOT_STEPS,
            earlier,
            null,
            null),
        progress);
    Files.move(making, done, StandardCopyOption.ATOMIC_MOVE);
    DirectoryTree.delete(snapshots);
    return done;
  }

  private List<TrainingJob.RowSource> own(int index) {
    return List.of(new TrainingJob.RowSource(data.get(index), 1));
  }

  /** All lessons so far, each row as likely as any other. */
  private List<TrainingJob.RowSource> all(int index) {
    List<TrainingJob.RowSource> sources = new ArrayList<>();
    for (int i = 0; i <= index; i++) {
      sources.add(new TrainingJob.RowSource(data.get(i), lessons.get(i).rows().size()));
    }
    return sources;
  }

  private List<TrainingJob.RowSource> replayed(int index) {
    if (index == 0) {
      return own(0);
    }
    List<TrainingJob.RowSource> earlier = all(index - 1);
    double total = earlier.stream().mapToDouble(TrainingJob.RowSource::weight).sum();
    List<TrainingJob.RowSource> sources = new ArrayList<>();
    sources.add(new TrainingJob.RowSource(data.get(index), 1 - REPLAY));
    earlier.forEach(
        s -> sources.add(new TrainingJob.RowSource(s.rows(), REPLAY * s.weight() / total)));
    return sources;
  }

  private static Protection elastic() {
    return Protection.NONE.withEwc(ELASTIC);
  }

  private static Protection orthogonal() {
    return Protection.NONE.withOrthogonal(ORTHOGONAL);
  }
}
