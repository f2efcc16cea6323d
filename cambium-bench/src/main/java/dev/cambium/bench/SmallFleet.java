package dev.cambium.bench;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Pretraining;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import dev.cambium.story.data.DataSet;
import dev.cambium.story.data.Edition;
import dev.cambium.story.data.Generator;
import dev.cambium.story.data.Scale;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;

/**
 * The smallest fleet that is worth disturbing: a foundation of some ten thousand weights, and
 * signals for an industrial model, an adapter and an application, not yet run. What is learnt is
 * measured by likelihood, since a model of this size answers little.
 */
final class SmallFleet {

  private static final String YAML =
      """
      name: small-fleet
      policy: { chunk: 16, seed: 5 }
      recipes:
        tune: { method: full, steps: 120, batch-rows: 16, max-tokens: 64, learning-rate: 0.003, replay-share: 0.5 }
        adapt: { method: lora, lora: { rank: 4, alpha: 8 }, steps: 120, batch-rows: 16, max-tokens: 64, learning-rate: 0.005, replay-share: 0.5 }
      capabilities:
        basics: { owner: bench, suite: suites/basics.jsonl, scorer: likelihood, margin: 0.05, floor: 0.001 }
        intents: { owner: bench, suite: suites/intents.jsonl, scorer: likelihood, margin: 0.05, floor: 0.001 }
        routes: { owner: bench, suite: suites/routes.jsonl, scorer: likelihood, margin: 0.05, floor: 0.001 }
        desk: { owner: bench, suite: suites/desk.jsonl, scorer: likelihood, margin: 0.05, floor: 0.001 }
      lines:
        base: { tier: foundation, contract: { capabilities: [basics] } }
        cards: { tier: industrial, parent: base, recipe: tune, contract: { inherit: false, capabilities: [intents] } }
        router: { tier: application-model, parent: cards, recipe: adapt, contract: { inherit: false, capabilities: [routes] } }
        desk: { tier: application, parent: router, application: apps/desk.yaml, contract: { inherit: false, capabilities: [desk] } }
      """;

  private final Path directory;

  SmallFleet(Path directory) {
    this.directory = directory;
  }

  Path directory() {
    return directory;
  }

  /** Pre-trains, imports and releases the foundation, and signals the data. */
  void prepare(Progress progress) throws IOException {
    if (Files.exists(directory)) {
      throw new IllegalArgumentException(directory + " exists already; name another folder");
    }
    Generator data = Generator.of(5, Scale.QUICK);
    Files.createDirectories(directory.resolve("suites"));
    Files.createDirectories(directory.resolve("apps"));
    DataSet basics = data.foundation(Edition.V1);
    suite("basics", basics);
    suite("intents", data.cardIntents());
    suite("routes", data.cardRouting());
    Files.write(directory.resolve("suites/desk.jsonl"), SuiteFile.encode(data.cardDesk().test()));
    Files.writeString(directory.resolve("apps/desk.yaml"), "prompt: 'route: {input}'\n");
    Files.writeString(directory.resolve("ecosystem.yaml"), YAML);
    Path foundation = directory.resolve("foundation");
    Recipe recipe =
        new Recipe(
            Recipe.Method.FULL, null, 40, 16, 1, 64, 3e-3, 0.1, Recipe.Schedule.COSINE, 0, 1, 0);
    Pretraining.run(
        rows("text", basics.train().subList(0, 600)),
        null,
        new ModelInitializer.Shape(2, 32, 2, 2, 64, 400, 128),
        recipe,
        5,
        foundation,
        progress);
    try (Cambium cambium = Cambium.create(directory, YAML, "bench", InstantSource.system())) {
      VersionRef base =
          cambium.importVersion(foundation, "base", Tier.FOUNDATION, null, "pre-trained");
      if (cambium.promote(base, Channel.STABLE, null, progress).decision() != Decision.PASS) {
        throw new IllegalStateException("the small foundation did not pass its floor");
      }
      cambium.signalData(
          rows("intents", data.cardIntents().train()), "cards", false, false, "founding");
      cambium.signalData(
          rows("routes", data.cardRouting().train()), "router", false, false, "founding");
    }
  }

  private void suite(String name, DataSet set) throws IOException {
    Files.write(directory.resolve("suites").resolve(name + ".jsonl"), SuiteFile.encode(set.test()));
  }

  private Path rows(String name, List<Row> rows) throws IOException {
    Path file = directory.resolve("data").resolve(name + ".jsonl");
    Files.createDirectories(file.getParent());
    Files.write(file, RowFile.encode(rows));
    return file;
  }
}
