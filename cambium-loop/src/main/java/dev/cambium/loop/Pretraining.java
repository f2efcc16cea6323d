package dev.cambium.loop;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.engine.Engine;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.TrainingJob;
import dev.cambium.engine.TrainingResult;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a foundation from text, for those who have none: a model directory that can be imported. It
 * appears whole or not at all; what was killed goes on from its snapshots when it is run again.
 */
public final class Pretraining {

  private static final int SNAPSHOT_STEPS = 100;

  private Pretraining() {}

  /**
   * Trains all weights on text.
   *
   * @param text rows, in any form that {@link RowFile} reads
   * @param from a model directory to go on from; none starts from random weights of {@code shape}
   * @param shape of a model that starts from nothing; for those only
   * @param seed of weights and order
   * @param out the new model directory; must not exist
   * @throws IllegalArgumentException if {@code out} exists
   */
  public static TrainingResult run(
      Path text,
      @Nullable Path from,
      ModelInitializer.@Nullable Shape shape,
      Recipe recipe,
      long seed,
      Path out,
      Progress progress)
      throws IOException {
    if (from == null && shape == null) {
      throw new IllegalArgumentException("name a model to go on from, or the shape of a new one");
    }
    if (Files.exists(out)) {
      throw new IllegalArgumentException(out + " exists already; name another folder");
    }
    Path building = out.resolveSibling(out.getFileName() + ".building");
    Path start = building.resolve("start");
    Path done = building.resolve("model");
    Files.createDirectories(building);
    Path rows = building.resolve("rows.jsonl");
    if (!Files.exists(rows)) {
      RowFile read = RowFile.read(text, false);
      Path writing = building.resolve("rows.new");
      Files.write(writing, RowFile.encode(read.rows()));
      Files.move(writing, rows, StandardCopyOption.ATOMIC_MOVE);
    }
    Engine engine = Engine.open();
    Path model = from;
    if (model == null) {
      if (!Files.exists(start)) {
        Path writing = building.resolve("start.new");
        DirectoryTree.delete(writing);
        ModelInitializer.initialize(
            RowFile.decode(Files.readAllBytes(rows)), Objects.requireNonNull(shape), seed, writing);
        Files.move(writing, start, StandardCopyOption.ATOMIC_MOVE);
      }
      model = start;
    }
    DirectoryTree.delete(done);
    TrainingResult summary =
        engine.train(
            new TrainingJob(
                model,
                null,
                recipe,
                List.of(new TrainingJob.RowSource(rows, 1)),
                seed,
                done,
                building.resolve("snapshots"),
                SNAPSHOT_STEPS),
            progress);
    Files.move(done, out, StandardCopyOption.ATOMIC_MOVE);
    Files.write(out.resolveSibling(out.getFileName() + ".training.json"), Json.canonical(summary));
    DirectoryTree.delete(building);
    return summary;
  }
}
