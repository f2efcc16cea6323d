package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.DataException;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Updates that no line can learn from as they are, with real workers on a small model. */
class OddUpdateTest {

  private static final List<String> THINGS = List.of("card", "loan", "letter", "key");
  private static final List<String> STATES = List.of("lost", "late", "new", "wrong", "blocked");
  private static final String SANE = "learning-rate: 0.005";
  private static final String BROKEN = SANE + ", protect: { l2-init: 3e38 }";

  @TempDir Path directory;

  private Cambium founded() throws IOException {
    Files.createDirectories(directory.resolve("suites"));
    List<Item> items = new ArrayList<>();
    rows("please,", "").forEach(r -> items.add(Item.qa(r.id(), ask(r), answer(r), Map.of())));
    Files.write(directory.resolve("suites/things.jsonl"), SuiteFile.encode(items));
    Path text = directory.resolve("text.jsonl");
    Files.write(text, RowFile.encode(rows("the", "")));
    Path base = directory.resolve("base");
    Pretraining.run(
        text,
        null,
        new ModelInitializer.Shape(2, 32, 2, 2, 64, 300, 96),
        new Recipe(
            Recipe.Method.FULL, null, 60, 16, 1, 48, 5e-3, 0.1, Recipe.Schedule.COSINE, 0, 1, 0),
        1,
        base,
        Progress.NONE);
    String yaml =
        """
        name: small
        recipes:
          tune: { method: full, steps: 30, batch-rows: 16, max-tokens: 48, replay-share: 0.3, %s }
        capabilities:
          things: { owner: t, suite: suites/things.jsonl, scorer: exact-match, max-new-tokens: 6, margin: 0.1, floor: 0.5 }
        lines:
          base: { tier: foundation }
          desk: { tier: industrial, parent: base, recipe: tune, contract: { capabilities: [things] } }
        """
            .formatted(SANE);
    Files.writeString(directory.resolve("ecosystem.yaml"), yaml);
    Cambium cambium = Cambium.create(directory, yaml, "tester", InstantSource.system());
    cambium.importVersion(base, "base", Tier.FOUNDATION, null, "made");
    cambium.promote(VersionRef.parse("base@1"), Channel.STABLE, "the only one", Progress.NONE);
    assertThat(taught(cambium, "my", rows("my", "")).settlement())
        .isEqualTo(Fact.Settlement.RELEASED);
    return cambium;
  }

  @Test
  void eachHasAClearEndAndTheLineStaysWhereItWas() throws IOException {
    try (Cambium cambium = founded()) {
      VersionRef stable = cambium.state().channel("desk", Channel.STABLE).orElseThrow();

      // Labels that the suite does not know: what it asks for is unlearnt, and that is told.
      Fact.LineSettled labels = taught(cambium, "labels", rows("please, say, the", " ltd"));
      assertThat(labels.settlement()).isEqualTo(Fact.Settlement.REJECTED);
      assertThat(labels.reason())
          .contains("things: 0.000, before 1.000", "worse by more than the margin");

      // A loss beyond all numbers, because of a protection that is far too strong.
      Path file = directory.resolve("ecosystem.yaml");
      Files.writeString(file, Files.readString(file).replace(SANE, BROKEN));
      Fact.LineSettled broken = taught(cambium, "broken", rows("our", ""));
      assertThat(broken.settlement()).isEqualTo(Fact.Settlement.HELD);
      assertThat(broken.reason()).containsPattern("the (loss|gradient).* at step");
      Files.writeString(file, Files.readString(file).replace(BROKEN, SANE));

      // Nothing, one example, and the same one again and again.
      Row one = rows("one", "").get(0);
      List<Row> same = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        same.add(Row.qa("same-" + i, ask(one), answer(one), Map.of()));
      }
      assertThatThrownBy(() -> signal(cambium, "none", List.of()))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("holds no rows");
      for (List<Row> few : List.of(List.of(one), same)) {
        assertThatThrownBy(() -> signal(cambium, "few", few))
            .isInstanceOf(DataException.class)
            .hasMessageContaining("the data hold 1 different row(s); at least two are needed");
      }

      assertThat(cambium.state().channel("desk", Channel.STABLE)).contains(stable);
      assertThat(cambium.run(Approver.ALWAYS, Progress.NONE).campaign())
          .as("what was refused is no signal")
          .isNull();
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();

      // The least that can be learnt from: one row, and one set aside.
      Fact.LineSettled least = taught(cambium, "least", rows("our", "").subList(0, 2));
      assertThat(least.settlement())
          .isIn(Fact.Settlement.RELEASED, Fact.Settlement.HELD, Fact.Settlement.REJECTED);
      assertThat(least.reason()).contains("things").doesNotContain("NaN");
    }
  }

  private static List<Row> rows(String opening, String ending) {
    List<Row> rows = new ArrayList<>();
    for (String thing : THINGS) {
      for (String state : STATES) {
        rows.add(
            Row.qa(
                opening.replaceAll("\\W+", "-") + rows.size(),
                opening + " " + thing + " is " + state,
                thing + ending,
                Map.of()));
      }
    }
    return rows;
  }

  private static String ask(Row row) {
    return row.messages().get(0).content();
  }

  private static String answer(Row row) {
    return row.messages().get(1).content();
  }

  private Fact.LineSettled taught(Cambium cambium, String name, List<Row> rows) throws IOException {
    signal(cambium, name, rows);
    return cambium.run(Approver.ALWAYS, Progress.NONE).settlements().get(0);
  }

  private void signal(Cambium cambium, String name, List<Row> rows) throws IOException {
    Path file = directory.resolve("rows-" + name + ".jsonl");
    Files.write(file, RowFile.encode(rows));
    cambium.signalData(file, "desk", false, true, name);
  }
}
