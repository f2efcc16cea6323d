package dev.cambium.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.model.ProbeTask;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProberTest {

  private static final List<String> NAMES = List.of("mip", "tor");
  private static final int STEPS = 16;

  @TempDir static Path dir;
  private static Engine engine;
  private static Path model;
  private static int folders;

  private static List<Row> rows(String... words) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < words.length; i++) {
      rows.add(Row.qa("r" + i, "what is " + words[i], NAMES.get(i % 2), Map.of()));
    }
    return rows;
  }

  private static final List<ProbeTask> TASKS =
      List.of(
          new ProbeTask("a-1", "a", 3, rows("dalo", "bime", "kuti", "rase"), List.of()),
          new ProbeTask("a-1", "a", 4, rows("fune", "gadi", "lobe", "pisa"), List.of()),
          new ProbeTask("b-1", "b", 5, rows("dalo", "bime"), rows("dalo", "bime", "zuva")));

  private static Recipe recipe(double rate) {
    return new Recipe(
        Recipe.Method.LORA,
        new Recipe.Lora(4, 8, List.of()),
        STEPS,
        1,
        1,
        64,
        rate,
        0.1,
        Recipe.Schedule.CONSTANT,
        0,
        1,
        0);
  }

  private static ProbeJob job(Path model, Recipe recipe, Path finished) {
    return new ProbeJob(model, null, recipe, 4, TASKS, finished);
  }

  private static Path folder() {
    return dir.resolve("finished-" + folders++);
  }

  private static List<List<Double>> losses(ProbeResult result) {
    return result.runs().stream().map(ProbeResult.Run::losses).toList();
  }

  @BeforeAll
  static void initialize() {
    engine = Engine.open();
    model = dir.resolve("model");
    ModelInitializer.initialize(
        rows("dalo", "bime", "kuti"),
        new ModelInitializer.Shape(2, 32, 2, 1, 64, 300, 64),
        1,
        model);
  }

  @Test
  void aModelLearnsEachTaskOnItsOwnAndIsLeftAsItWas() throws IOException {
    byte[] before = Files.readAllBytes(model.resolve("model.safetensors"));
    ProbeResult result = engine.probe(job(model, recipe(0.02), folder()), Progress.NONE);
    assertThat(result.runs())
        .extracting(ProbeResult.Run::task)
        .containsExactly("a-1", "a-1", "b-1");
    for (ProbeResult.Run run : result.runs()) {
      assertThat(run.losses()).hasSize(STEPS / 4 + 1);
      assertThat(run.divergedAt()).isNull();
      assertThat(run.losses().get(STEPS / 4)).isLessThan(0.7 * run.losses().get(0));
    }
    assertThat(Files.readAllBytes(model.resolve("model.safetensors"))).isEqualTo(before);
    // Each task starts from the model, whatever was learnt before it.
    ProbeResult last =
        engine.probe(
            new ProbeJob(model, null, recipe(0.02), 4, TASKS.subList(2, 3), folder()),
            Progress.NONE);
    assertThat(last.runs().get(0).losses()).isEqualTo(result.runs().get(2).losses());
    assertThat(losses(engine.probe(job(model, recipe(0.02), folder()), Progress.NONE)))
        .isEqualTo(losses(result));
  }

  @Test
  void allWeightsCanBeTheOnesThatLearn() {
    Recipe full =
        new Recipe(
            Recipe.Method.FULL,
            null,
            STEPS,
            1,
            1,
            64,
            5e-3,
            0.1,
            Recipe.Schedule.CONSTANT,
            0,
            1,
            0);
    ProbeResult result = engine.probe(job(model, full, folder()), Progress.NONE);
    for (ProbeResult.Run run : result.runs()) {
      assertThat(run.losses().get(STEPS / 4)).isLessThan(0.7 * run.losses().get(0));
    }
    // The first look of each is at the model itself.
    ProbeResult other = engine.probe(job(model, recipe(0.02), folder()), Progress.NONE);
    for (int i = 0; i < TASKS.size(); i++) {
      assertThat(result.runs().get(i).losses().get(0))
          .isEqualTo(other.runs().get(i).losses().get(0));
    }
  }

  @Test
  void anAdapterCountsAsWhatItMakesOfItsBase() throws IOException {
    Path adapter = dir.resolve("adapter");
    Path data = dir.resolve("rows.jsonl");
    StringBuilder text = new StringBuilder();
    for (Row row : TASKS.get(0).train()) {
      text.append(
              new String(
                  dev.cambium.model.Json.canonical(row), java.nio.charset.StandardCharsets.UTF_8))
          .append('\n');
    }
    Files.writeString(data, text);
    engine.train(
        new TrainingJob(
            model,
            null,
            recipe(0.02).withSteps(30).withBatchRows(4),
            List.of(new TrainingJob.RowSource(data, 1)),
            7,
            adapter,
            dir.resolve("adapter-snapshots"),
            50),
        Progress.NONE);
    ProbeResult plain = engine.probe(job(model, recipe(0.02), folder()), Progress.NONE);
    ProbeResult adapted =
        engine.probe(new ProbeJob(model, adapter, recipe(0.02), 4, TASKS, folder()), Progress.NONE);
    // It knows the first task already, and can go on learning.
    assertThat(adapted.runs().get(0).losses().get(0))
        .isLessThan(0.5 * plain.runs().get(0).losses().get(0));
    assertThat(adapted.runs().get(1).losses().get(STEPS / 4))
        .isLessThan(0.7 * plain.runs().get(1).losses().get(0));
  }

  @Test
  void whatWasFinishedBeforeAnInterruptionIsNotDoneAgain() throws IOException {
    ProbeResult whole = engine.probe(job(model, recipe(0.02), folder()), Progress.NONE);
    Path finished = folder();
    Progress crash =
        (task, done, total, note) -> {
          if (done == STEPS + 7) {
            throw new IllegalStateException("power cut");
          }
        };
    assertThatThrownBy(() -> engine.probe(job(model, recipe(0.02), finished), crash))
        .hasMessage("power cut");
    try (Stream<Path> files = Files.list(finished)) {
      assertThat(files).hasSize(1);
    }
    List<Long> heard = new ArrayList<>();
    ProbeResult resumed =
        engine.probe(
            job(model, recipe(0.02), finished), (task, done, total, note) -> heard.add(done));
    assertThat(losses(resumed)).isEqualTo(losses(whole));
    assertThat(heard.get(0)).as("the first task is not done again").isEqualTo(STEPS + 1L);
    // A damaged or a foreign file is none.
    Files.writeString(finished.resolve("task-0001.json"), "{");
    Files.copy(
        finished.resolve("task-0002.json"),
        finished.resolve("task-0000.json"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertThat(losses(engine.probe(job(model, recipe(0.02), finished), Progress.NONE)))
        .isEqualTo(losses(whole));
  }

  /** The model with a last norm of that size. */
  private static Path swollen(float size) {
    Path swollen = dir.resolve("swollen-" + size);
    try (Decoder decoder = Decoder.load(model)) {
      float[] norm = decoder.read("model.norm.weight");
      Arrays.fill(norm, size);
      decoder.write("model.norm.weight", norm);
      decoder.save(swollen, Precision.F32);
      Engine.copyText(model, swollen);
    }
    return swollen;
  }

  @Test
  void aLossThatIsNoNumberIsAFindingAndTheOtherTasksGoOn() {
    ProbeResult result = engine.probe(job(swollen(3e38f), recipe(0.02), folder()), Progress.NONE);
    assertThat(result.runs()).hasSize(TASKS.size());
    for (ProbeResult.Run run : result.runs()) {
      assertThat(run.divergedAt()).isZero();
      assertThat(run.losses()).isEmpty();
    }
  }

  @Test
  void aGradientThatOverflowsEndsItsRunAfterWhatWasSeen() {
    ProbeResult result = engine.probe(job(swollen(1e25f), recipe(0.02), folder()), Progress.NONE);
    assertThat(result.runs()).hasSize(TASKS.size());
    for (ProbeResult.Run run : result.runs()) {
      assertThat(run.divergedAt()).isZero();
      assertThat(run.losses()).hasSize(1).allMatch(Double::isFinite);
    }
  }

  @Test
  void rowsThatDoNotFitTheContextAreRefused() {
    ProbeTask wide = new ProbeTask("w", "w", 1, rows("0123456789 ".repeat(20)), List.of());
    assertThatThrownBy(
            () ->
                engine.probe(
                    new ProbeJob(model, null, recipe(0.02), 4, List.of(wide), folder()),
                    Progress.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("probe task w, row r0 has")
        .hasMessageContaining("longest context 64");
  }

  @Test
  void threeProbesHoldNoMoreThanOne() {
    engine.probe(job(model, recipe(0.02), folder()), Progress.NONE);
    long pointers = Pointer.totalCount();
    for (int i = 0; i < 3; i++) {
      engine.probe(job(model, recipe(0.02), folder()), Progress.NONE);
    }
    System.gc();
    assertThat(Pointer.totalCount()).isLessThan(pointers + 100);
  }
}
