package dev.cambium.bench.upgrade;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.bench.ResultFile;
import dev.cambium.bench.data.TextFoundation;
import dev.cambium.engine.Engine;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.ModelInitializer.Shape;
import dev.cambium.engine.text.BpeTrainer;
import dev.cambium.engine.transfer.Permutation;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Upgrades fleets to new foundations of several kinds, and compares every line with what it was,
 * with its retraining, and with its old adapter as it is. What is done is not done again: killed at
 * any time, the same command goes on. Raw results and a table lie in the folder.
 */
@Command(
    name = "upgrade",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Upgrade fleets to new foundations, beside retraining.")
public final class UpgradeBenchmark implements Callable<Integer> {

  /** Times the usual pre-training: what reads bytes takes longer to learn what words mean. */
  private static final int LONG = 3;

  /** What comes after a foundation and is made from scratch has read more than it. */
  private static final int LONGER = 2;

  private static final Shape BYTES = new Shape(4, 128, 4, 2, 352, BpeTrainer.SMALLEST, 512);
  private static final Shape WIDER = new Shape(6, 192, 6, 3, 512, 1_024, 256);
  private static final Shape OTHER = new Shape(5, 160, 4, 4, 448, 1_024, 256);
  private static final Shape NARROW = new Shape(3, 96, 4, 2, 256, 1_024, 256);

  @Option(
      names = "--scenario",
      split = ",",
      required = true,
      description = "Of a, b, c, d, e, f, g-gentle, g-harsh.")
  private List<String> scenarios = List.of();

  @Option(names = "--seeds", split = ",", description = "Default: 1,2,3.")
  private List<Long> seeds = List.of(1L, 2L, 3L);

  @Option(names = "--data", required = true, description = "Folder with the data sets.")
  private Path data = Path.of("");

  @Option(names = "--out", description = "Where everything goes (default: ${DEFAULT-VALUE}).")
  private Path out = Path.of("upgrades");

  @Option(names = "--foundation", description = "Model directory of SmolLM2-135M, for g.")
  private @Nullable Path foundation;

  @Option(
      names = "--ablate",
      split = ",",
      description = "Lines on which ways to distill are compared, after the scenario was run.")
  private List<String> ablated = List.of();

  @Option(
      names = "--ways",
      description = "A regular expression: of the ways to distill only those whose names match.")
  private String ways = ".*";

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new UpgradeBenchmark()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    out = Files.createDirectories(out).toAbsolutePath();
    List<Scenario> wanted = scenarios.stream().map(Scenario::of).toList();
    ResultFile<LineResult> results =
        ResultFile.open(out.resolve("results.jsonl"), LineResult.class);
    Engine engine = Engine.open();
    try {
      for (long seed : seeds) {
        for (Scenario scenario : wanted) {
          run(engine, scenario, seed, results);
          Files.writeString(out.resolve("table.md"), UpgradeTable.of(results.all()));
        }
      }
    } finally {
      System.out.println(UpgradeTable.of(results.all()));
    }
    return 0;
  }

  private void run(Engine engine, Scenario scenario, long seed, ResultFile<LineResult> results)
      throws IOException {
    Fleets fleets = new Fleets(data, seed);
    Path home = Files.createDirectories(out.resolve("seed-" + seed));
    Ecosystem ecosystem =
        switch (scenario) {
          case A, B, D, E -> fleets.small();
          case C -> fleets.bytes();
          case F -> fleets.wide();
          case G_GENTLE, G_HARSH -> fleets.large();
        };
    Path old = foundation(ecosystem, fleets, home, seed);
    log("founding " + ecosystem.name() + ", seed " + seed);
    Path founded = ecosystem.founded(home, old, seed);
    Path folder = Files.createDirectories(home.resolve(scenario.id()));
    log("making the new foundation of " + scenario.id());
    Path newer = newer(scenario, old, fleets, folder, seed);
    new Trial(engine, ecosystem, founded, folder, scenario.id(), seed, newer)
        .run(results, UpgradeBenchmark::log);
    if (!ablated.isEmpty()) {
      new Ablation(engine, ecosystem, folder, scenario.id(), seed, newer)
          .run(
              ablated,
              ways,
              results,
              ResultFile.open(out.resolve("ablation.jsonl"), Ablation.Result.class),
              UpgradeBenchmark::log);
    }
  }

  private static void log(String line) {
    System.out.println(LocalTime.now().truncatedTo(ChronoUnit.SECONDS) + " " + line);
  }

  /** What a fleet is founded on. */
  private Path foundation(Ecosystem ecosystem, Fleets fleets, Path home, long seed)
      throws IOException {
    String name = ecosystem.name() + "-foundation";
    return switch (ecosystem.name()) {
      case "large" -> {
        if (foundation == null) {
          throw new IllegalArgumentException("scenario g needs --foundation, a model directory");
        }
        yield foundation;
      }
      case "bytes" ->
          TextFoundation.make(home, name, fleets.text(), null, BYTES, pretraining(192, LONG), seed);
      case "wide" ->
          TextFoundation.make(home, name, fleets.text(), null, NARROW, pretraining(64, 1), seed);
      default ->
          TextFoundation.make(
              home, name, fleets.text(), null, Shape.SMALL, pretraining(64, 1), seed);
    };
  }

  private static Path newer(Scenario scenario, Path old, Fleets fleets, Path folder, long seed)
      throws IOException {
    String name = "foundation";
    return switch (scenario) {
      case A, F -> trainedOn(old, fleets.furtherText(), further(100, 5e-4), folder, seed);
      case B -> {
        Path start = folder.resolve("start");
        if (!Files.exists(start)) {
          Path making = folder.resolve("start.making");
          DirectoryTree.delete(making);
          ModelInitializer.initialize(old, WIDER, seed + 100, making);
          Files.move(making, start, StandardCopyOption.ATOMIC_MOVE);
        }
        yield TextFoundation.make(
            folder, name, fleets.text(), start, null, pretraining(64, LONGER), seed + 100);
      }
      case C ->
          TextFoundation.make(
              folder, name, fleets.text(), null, OTHER, pretraining(64, LONGER), seed + 100);
      case D -> {
        Path permuted = folder.resolve(name);
        if (!Files.exists(permuted)) {
          Path making = folder.resolve("permuted.making");
          DirectoryTree.delete(making);
          Permutation.write(old, making, seed);
          Files.move(making, permuted, StandardCopyOption.ATOMIC_MOVE);
        }
        yield permuted;
      }
      case E -> trainedOn(old, fleets.refusingText(), further(100, 1e-3), folder, seed);
      case G_GENTLE -> trainedOn(old, fleets.otherText(), further(40, 3e-5), folder, seed);
      case G_HARSH -> trainedOn(old, fleets.otherText(), further(80, 1e-3), folder, seed);
    };
  }

  private static Path trainedOn(Path old, List<Row> text, Recipe recipe, Path folder, long seed)
      throws IOException {
    return TextFoundation.make(folder, "foundation", text, old, null, recipe, seed + 100);
  }

  private static Recipe pretraining(int maxTokens, int times) {
    Recipe usual = TextFoundation.PRETRAINING;
    return recipe(times * usual.steps(), usual.batchRows(), maxTokens, usual.learningRate());
  }

  private static Recipe further(int steps, double rate) {
    return recipe(steps, 16, 64, rate);
  }

  private static Recipe recipe(int steps, int batchRows, int maxTokens, double rate) {
    return new Recipe(
        Recipe.Method.FULL,
        null,
        steps,
        batchRows,
        1,
        maxTokens,
        rate,
        0.05,
        Recipe.Schedule.COSINE,
        0.01,
        1,
        0);
  }
}
