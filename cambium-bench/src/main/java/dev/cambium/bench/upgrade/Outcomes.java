package dev.cambium.bench.upgrade;

import dev.cambium.engine.Engine;
import dev.cambium.engine.LanguageModel;
import dev.cambium.loop.Cambium;
import dev.cambium.model.Digest;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Judgement;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Which items models answer right, each asked once and kept in a folder. */
final class Outcomes {

  private final Engine engine;
  private final Path folder;
  private final Scorer scorer;

  Outcomes(Engine engine, Path folder, Scorer scorer) throws IOException {
    this.engine = engine;
    this.folder = Files.createDirectories(folder);
    this.scorer = scorer;
  }

  /** Right or not, an entry for each item; what is kept of them. */
  record Right(boolean[] items) {
    double score() {
      int right = 0;
      for (boolean item : items) {
        right += item ? 1 : 0;
      }
      return (double) right / items.length;
    }

    /** Items that are so here and so there. */
    int count(boolean here, Right other, boolean there) {
      int count = 0;
      for (int i = 0; i < items.length; i++) {
        count += items[i] == here && other.items[i] == there ? 1 : 0;
      }
      return count;
    }
  }

  /**
   * Asks a model.
   *
   * @param name of the model, unique in the folder
   * @throws IllegalArgumentException if the parts do not belong together
   */
  Right of(String name, Cambium.Runnable model, List<Item> items) throws IOException {
    Path file = folder.resolve(name + "-" + Json.digest(items).brief() + ".json");
    if (!Files.exists(file)) {
      try (LanguageModel loaded =
          engine.load(model.model(), model.adapter(), model.application())) {
        List<Outcome> outcomes = loaded.evaluate(items, scorer, Progress.NONE);
        boolean[] right = new boolean[items.size()];
        for (int i = 0; i < right.length; i++) {
          right[i] = outcomes.get(i).judgement() == Judgement.RIGHT;
        }
        Path writing = folder.resolve(name + ".new");
        Files.write(writing, Json.canonical(new Right(right)));
        Files.move(writing, file, StandardCopyOption.ATOMIC_MOVE);
      }
    }
    return Json.read(Files.readAllBytes(file), Right.class);
  }

  /** A name for a version. */
  static String name(String line, Digest manifest) {
    return line + "-" + manifest.brief();
  }
}
