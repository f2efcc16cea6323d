package dev.cambium.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.bench.data.Lesson;
import dev.cambium.engine.Engine;
import dev.cambium.engine.LanguageModel;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.loop.Pretraining;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Item;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The plumbing of every method, on a model that learns next to nothing in a few steps. */
class LearnersTest {

  private static final List<String> THINGS = List.of("card", "loan", "letter", "key");
  private static final Pace FULL = new Pace(3, 4, 48, 0.005, 0.005, 2, Recipe.Precision.FP32);
  private static final Pace ADAPTERS = new Pace(3, 4, 48, 0, 0.005, 2, Recipe.Precision.FP32);
  private static final Stream STREAM = Stream.of(List.of(task("a"), task("b"), task("c")));

  @TempDir static Path shared;
  @TempDir Path work;

  @BeforeAll
  static void pretrain() throws IOException {
    Path text = shared.resolve("text.jsonl");
    Files.write(text, RowFile.encode(rows("the")));
    Pretraining.run(
        text,
        null,
        new ModelInitializer.Shape(2, 32, 2, 2, 64, 300, 96),
        new Recipe(
            Recipe.Method.FULL, null, 3, 4, 1, 48, 5e-3, 0.1, Recipe.Schedule.COSINE, 0, 1, 0),
        1,
        shared.resolve("base"),
        Progress.NONE);
  }

  private PlainLearner plain(Method method, Pace pace) throws IOException {
    return new PlainLearner(
        method,
        Engine.open(),
        shared.resolve("base"),
        STREAM,
        pace,
        new PlainLearner.Strengths(10, 0.5),
        1,
        work,
        Progress.NONE);
  }

  @ParameterizedTest
  @EnumSource(names = "CAMBIUM", mode = EnumSource.Mode.EXCLUDE)
  void everyMethodLearnsWithAllWeights(Method method) throws IOException {
    learnt(method, FULL, method == Method.NAIVE_LORA || method == Method.ORTHOGONAL);
  }

  @ParameterizedTest
  @EnumSource(names = {"NAIVE_LORA", "REPLAY", "ORTHOGONAL", "JOINT", "FRESH"})
  void whatCanLearnsAdaptersOnALargeModel(Method method) throws IOException {
    learnt(method, ADAPTERS, true);
  }

  private void learnt(Method method, Pace pace, boolean adapter) throws IOException {
    List<Learner.Pupil> pupils = new ArrayList<>();
    try (PlainLearner learner = plain(method, pace)) {
      for (int i = 0; i < STREAM.size(); i++) {
        pupils.add(learner.learn(i));
        assertThat(pupils.get(i).adapter() != null).isEqualTo(adapter);
        loads(pupils.get(i));
      }
      // Joint training costs a lesson more each time.
      assertThat(learner.rowsRead()).isEqualTo((method == Method.JOINT ? 6 : 3) * 3 * 4);
    }
    long stamp = Files.getLastModifiedTime(work.resolve("2")).toMillis();
    try (PlainLearner again = plain(method, pace)) {
      for (int i = 0; i < STREAM.size(); i++) {
        assertThat(again.learn(i)).isEqualTo(pupils.get(i));
      }
    }
    assertThat(Files.getLastModifiedTime(work.resolve("2")).toMillis()).isEqualTo(stamp);
  }

  @ParameterizedTest
  @EnumSource(names = {"NAIVE_FULL", "EWC"})
  void whatNeedsAllWeightsSaysSo(Method method) {
    assertThatThrownBy(() -> plain(method, ADAPTERS))
        .hasMessageContaining(method.id() + " trains all weights");
  }

  @Test
  void whatGatesHoldBackIsTaughtAgainWithTheNextLesson() throws IOException {
    String strict = head("lora, lora: { rank: 2, alpha: 4 }"); // three steps teach nobody anything
    try (LineLearner learner = line(strict)) {
      Learner.Pupil first = learner.learn(0);
      assertThat(first.note()).doesNotStartWith("released").contains("a: 0.000");
      assertThat(first.adapter()).isNull();
      assertThat(learner.learn(1).note()).doesNotStartWith("released");
      assertThat(learner.rowsRead()).as("refused candidates count").isEqualTo(2 * 3 * 4);
    }
    try (LineLearner again = line(strict)) {
      assertThat(again.learn(1).note()).doesNotStartWith("released");
      again.learn(2);
      assertThat(again.rowsRead()).isEqualTo(3 * 3 * 4);
      assertThat(again.signalled())
          .containsExactly("a", "a, again with b", "b", "a, again with c", "b, again with c", "c");
    }
  }

  private LineLearner line(String head) throws IOException {
    return new LineLearner(
        shared.resolve("base"),
        STREAM,
        new LineLearner.Terms(Tier.APPLICATION_MODEL, head, 0.15, "false", List.of()),
        1,
        work,
        Progress.NONE);
  }

  private static String head(String method) {
    return """
        recipes:
          lesson: { method: %s, steps: 3, batch-rows: 4, max-tokens: 48, learning-rate: 0.005, replay-share: 0.5 }
        governor: { budget: { steps: 100 } }
        """
        .formatted(method);
  }

  private static void loads(Learner.Pupil pupil) {
    try (LanguageModel model = Engine.open().load(pupil.model(), pupil.adapter(), null)) {
      assertThat(model).isNotNull();
    }
  }

  private static Lesson task(String name) {
    List<Item> items = new ArrayList<>();
    rows("please, " + name)
        .forEach(
            row ->
                items.add(
                    Item.qa(
                        row.id(),
                        row.messages().get(0).content(),
                        row.messages().get(1).content(),
                        Map.of())));
    return new Lesson(name, rows(name), items, items);
  }

  private static List<Row> rows(String opening) {
    List<Row> rows = new ArrayList<>();
    for (String thing : THINGS) {
      for (String state : List.of("lost", "late", "new")) {
        rows.add(
            Row.qa(
                opening.replaceAll("\\W+", "-") + rows.size(),
                opening + " " + thing + " is " + state,
                thing,
                Map.of()));
      }
    }
    return rows;
  }
}
