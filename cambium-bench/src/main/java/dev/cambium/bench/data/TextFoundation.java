package dev.cambium.bench.data;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.loop.Pretraining;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Foundations of about a million weights, pre-trained on text; each is made once in its folder. */
public final class TextFoundation {

  /** 600 steps of 32 rows: enough for a model that learns an intent from a hundred rows. */
  public static final Recipe PRETRAINING =
      new Recipe(
          Recipe.Method.FULL,
          null,
          600,
          32,
          1,
          64,
          0.003,
          0.05,
          Recipe.Schedule.COSINE,
          0.01,
          1,
          0);

  private TextFoundation() {}

  /**
   * A foundation, pre-trained unless it is there already; what was killed goes on.
   *
   * @param folder of foundations
   * @param name of this one in it
   * @param from a model directory to go on from; none starts from random weights of {@code shape}
   * @param shape of a model that starts from nothing
   * @param seed of weights and order
   * @return its model directory
   */
  public static Path make(
      Path folder,
      String name,
      List<Row> text,
      @Nullable Path from,
      ModelInitializer.@Nullable Shape shape,
      Recipe recipe,
      long seed)
      throws IOException {
    Path model = Files.createDirectories(folder.toAbsolutePath()).resolve(name);
    if (!Files.exists(model)) {
      Path rows = folder.resolve(name + ".jsonl");
      Files.write(rows, RowFile.encode(text));
      System.out.println("pre-training " + model);
      Pretraining.run(rows, from, shape, recipe, seed, model, Progress.NONE);
      Files.delete(rows);
    }
    return model;
  }
}
