package dev.cambium.bench;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.engine.Engine;
import dev.cambium.engine.LanguageModel;
import dev.cambium.engine.TrainingJob;
import dev.cambium.engine.TrainingResult;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.model.Item;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Trains the same adapter in fp32 and in bf16, seed by seed in turn, and says what accuracy each
 * comes to: whether the faster products cost anything. Main: {@code PrecisionSeeds MODEL ROWS SUITE
 * STEPS SEEDS}; LoRA of rank 8 on all projections, 16 rows a step, learning rate 1e-3; exact match.
 */
public final class PrecisionSeeds {

  private PrecisionSeeds() {}

  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 5) {
      System.err.println("usage: PrecisionSeeds MODEL ROWS SUITE STEPS SEEDS");
      System.exit(2);
    }
    Path model = Path.of(arguments[0]);
    Path rows = Files.createTempFile("precision", ".jsonl");
    Files.write(rows, RowFile.encode(RowFile.read(Path.of(arguments[1]), false).rows()));
    List<Item> items = SuiteFile.read(Path.of(arguments[2]));
    int steps = Integer.parseInt(arguments[3]);
    int seeds = Integer.parseInt(arguments[4]);
    Engine engine = Engine.open();
    System.out.println(engine.fingerprint());
    List<boolean[]> right = new ArrayList<>();
    for (int seed = 1; seed <= seeds; seed++) {
      for (Recipe.Precision precision : Recipe.Precision.values()) {
        Path work = Files.createTempDirectory("precision");
        try {
          Path adapter = work.resolve("adapter");
          TrainingResult result =
              engine.train(
                  new TrainingJob(
                      model,
                      null,
                      recipe(steps).withPrecision(precision),
                      List.of(new TrainingJob.RowSource(rows, 1)),
                      seed,
                      adapter,
                      work.resolve("snapshots"),
                      steps),
                  Progress.NONE);
          boolean[] answers = answers(engine, model, adapter, items);
          right.add(answers);
          System.out.printf(
              Locale.ROOT,
              "seed %d, %s: %.4f of %d items, %.0f s%n",
              seed,
              precision,
              share(answers),
              answers.length,
              result.seconds());
        } finally {
          DirectoryTree.delete(work);
        }
      }
    }
    Files.delete(rows);
    summary(right, seeds);
  }

  private static Recipe recipe(int steps) {
    return new Recipe(
        Recipe.Method.LORA,
        new Recipe.Lora(8, 16, List.of()),
        steps,
        16,
        1,
        128,
        1e-3,
        0.05,
        Recipe.Schedule.COSINE,
        0,
        1,
        0);
  }

  private static boolean[] answers(Engine engine, Path model, Path adapter, List<Item> items) {
    try (LanguageModel loaded = engine.load(model, adapter, null)) {
      List<Outcome> outcomes =
          loaded.evaluate(items, new Scorer(ScorerKind.EXACT_MATCH, 16, null), Progress.NONE);
      boolean[] right = new boolean[outcomes.size()];
      for (int i = 0; i < right.length; i++) {
        right[i] = outcomes.get(i).score() == 1;
      }
      return right;
    }
  }

  private static double share(boolean[] right) {
    int count = 0;
    for (boolean one : right) {
      count += one ? 1 : 0;
    }
    return (double) count / right.length;
  }

  /** Means, how far seeds of one precision lie apart, and how often the two disagree. */
  private static void summary(List<boolean[]> right, int seeds) {
    int precisions = Recipe.Precision.values().length;
    double[] means = new double[precisions];
    double[] lowest = new double[precisions];
    double[] highest = new double[precisions];
    Arrays.fill(lowest, 1);
    int lost = 0;
    int won = 0;
    for (int seed = 0; seed < seeds; seed++) {
      for (int p = 0; p < precisions; p++) {
        double share = share(right.get(seed * precisions + p));
        means[p] += share / seeds;
        lowest[p] = Math.min(lowest[p], share);
        highest[p] = Math.max(highest[p], share);
      }
      boolean[] first = right.get(seed * precisions);
      boolean[] second = right.get(seed * precisions + 1);
      for (int i = 0; i < first.length; i++) {
        lost += first[i] && !second[i] ? 1 : 0;
        won += !first[i] && second[i] ? 1 : 0;
      }
    }
    for (int p = 0; p < precisions; p++) {
      System.out.printf(
          Locale.ROOT,
          "%s: mean %.4f, %.4f to %.4f%n",
          Recipe.Precision.values()[p],
          means[p],
          lowest[p],
          highest[p]);
    }
    System.out.printf(
        Locale.ROOT,
        "items right in %s only: %d, in %s only: %d%n",
        Recipe.Precision.values()[0],
        lost,
        Recipe.Precision.values()[1],
        won);
  }
}
