package dev.cambium.bench.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.bench.ResultFile;
import dev.cambium.bench.data.TextFoundation;
import dev.cambium.engine.Engine;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.transfer.Permutation;
import dev.cambium.model.Item;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way of a scenario, with a real campaign, on a model of some thousand weights. */
class TrialTest {

  private static final List<String> THINGS =
      List.of("tea", "soup", "ice", "snow", "fire", "frost", "steam", "hail");

  private static final Recipe PRETRAINING =
      new Recipe(
          Recipe.Method.FULL, null, 20, 16, 1, 48, 3e-3, 0.1, Recipe.Schedule.COSINE, 0, 1, 0);

  @TempDir private Path directory;

  @Test
  void everyLineIsMeasuredOnceBesideItsRetraining() throws IOException {
    Path base =
        TextFoundation.make(
            directory,
            "base",
            rows(),
            null,
            new ModelInitializer.Shape(2, 32, 2, 2, 64, 300, 64),
            PRETRAINING,
            3);
    Path newer = directory.resolve("newer");
    Permutation.write(base, newer, 5);
    List<Item> gate = items("gate");
    List<Item> test = items("test");
    Subject adapter =
        new Subject(
            "states", Ecosystem.BASE, Tier.APPLICATION_MODEL, "adapt", rows(), gate, test, null);
    Ecosystem ecosystem =
        new Ecosystem(
            "tiny",
            "  adapt: { method: lora, lora: { rank: 4, alpha: 8 }, steps: 30, batch-rows: 16,"
                + " max-tokens: 48, learning-rate: 0.01 }\n",
            Stream.concat(gate.stream(), test.stream()).map(TrialTest::text).toList(),
            0.05,
            List.of(adapter, Subject.application("states-desk", "states", "{input}", gate, test)),
            6,
            0.2);
    Path founded = ecosystem.founded(directory, base, 3);
    Trial trial =
        new Trial(
            Engine.open(),
            ecosystem,
            founded,
            Files.createDirectories(directory.resolve("trial")),
            "d",
            3,
            newer);
    Path file = directory.resolve("results.jsonl");
    List<String> log = new ArrayList<>();
    trial.run(ResultFile.open(file, LineResult.class), log::add);
    ResultFile<LineResult> results = ResultFile.open(file, LineResult.class);

    assertThat(results.all()).extracting(LineResult::line).containsExactly("states", "states-desk");
    LineResult line = results.all().get(0);
    assertThat(line.items()).isEqualTo(test.size());
    assertThat(line.retraining()).isPositive();
    assertThat(line.attempts()).isNotEmpty();
    assertThat(line.operations() == 0).isEqualTo("reuse".equals(line.rung()));
    assertThat(line.naive()).isNotNull();
    double right = line.both() + line.onlyKept();
    assertThat(line.kept()).isEqualTo(right / test.size());
    assertThat(line.retrained())
        .isEqualTo((line.both() + line.onlyRetrained()) / (double) test.size());
    assertThat(results.all().get(1).retraining()).isZero();

    // Over the same folder there is nothing more to do.
    trial.run(results, log::add);
    assertThat(ResultFile.open(file, LineResult.class).all()).hasSize(2);
  }

  private static String state(int thing) {
    return thing == 0 || thing == 1 || thing == 4 || thing == 6 ? "hot" : "cold";
  }

  private static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      int thing = i % THINGS.size();
      rows.add(Row.qa("r" + i, "how is " + THINGS.get(thing) + " " + i, state(thing), Map.of()));
    }
    return rows;
  }

  private static List<Item> items(String mark) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      int thing = i % THINGS.size();
      items.add(
          Item.qa(
              mark + i,
              mark + " " + i + " says how is " + THINGS.get(thing),
              state(thing),
              Map.of()));
    }
    return items;
  }

  private static Item text(Item item) {
    return new Item(
        item.id(), item.messages().get(0).content(), List.of(), null, List.of(), Map.of());
  }
}
