package dev.cambium.bench.upgrade;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.engine.Engine;
import dev.cambium.engine.TrainingJob;
import dev.cambium.engine.TrainingResult;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The yardstick: lines trained from the new base by their own recipes on their own data, as a team
 * would that has no upgrades. Each is trained once and kept; what was killed goes on.
 */
final class Retraining {

  private static final int SNAPSHOT_STEPS = 50;

  private final Engine engine;
  private final Path folder;
  private final long seed;

  Retraining(Engine engine, Path folder, long seed) throws IOException {
    this.engine = engine;
    this.folder = Files.createDirectories(folder);
    this.seed = seed;
  }

  /**
   * A line that was retrained.
   *
   * @param seconds wall time; none where it was interrupted
   */
  record Retrained(Cambium.Runnable model, @Nullable Double seconds) {}

  /**
   * Trains a line.
   *
   * @param parent whole model that it is built on
   */
  Retrained line(String line, Path parent, Recipe recipe, List<Row> rows) throws IOException {
    Path done = folder.resolve(line);
    Path told = folder.resolve(line + ".json");
    if (!Files.exists(done)) {
      Path data = folder.resolve(line + ".jsonl");
      Files.write(data, RowFile.encode(rows));
      Path making = folder.resolve(line + ".making");
      DirectoryTree.delete(making);
      Path snapshots = folder.resolve(line + ".snapshots");
      TrainingResult result =
          engine.train(
              new TrainingJob(
                  parent,
                  null,
                  recipe,
                  List.of(new TrainingJob.RowSource(data, 1)),
                  seed,
                  making,
                  snapshots,
                  SNAPSHOT_STEPS),
              Progress.NONE);
      Files.write(told, Json.canonical(result));
      Files.move(making, done, StandardCopyOption.ATOMIC_MOVE);
      DirectoryTree.delete(snapshots);
      Files.delete(data);
    }
    TrainingResult result = Json.read(Files.readAllBytes(told), TrainingResult.class);
    Double seconds = result.resumedFrom() > 0 ? null : Double.valueOf(result.seconds());
    boolean adapter = recipe.method() == Recipe.Method.LORA;
    return new Retrained(
        new Cambium.Runnable(adapter ? parent : done, adapter ? done : null, null), seconds);
  }
}
