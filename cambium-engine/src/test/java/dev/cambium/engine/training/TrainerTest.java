package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {

  @TempDir Path folder;

  private static final DataMix MIX = DataMix.of(Small.rows(60));

  private static TrainingReport train(Decoder decoder, Recipe recipe) {
    return Trainer.builder(recipe).seed(3).build().train(decoder, MIX);
  }

  private static void assertSame(Decoder a, Decoder b) {
    for (String name : a.shapes().keySet()) {
      assertThat(a.read(name)).as(name).isEqualTo(b.read(name));
    }
  }

  @Test
  void learns() {
    try (Decoder decoder = Small.decoder()) {
      TrainingReport report = train(decoder, Small.recipe(150, 16, 1));
      assertThat((double) report.losses()[0]).isGreaterThan(3);
      assertThat(report.finalLoss()).isLessThan(1.5);
      assertThat(report.steps()).isEqualTo(150);
      assertThat(report.supervisedTokens()).isEqualTo(report.tokens() - 2L * 150 * 16);
    }
  }

  @Test
  void twoRunsGiveTheSameBytes() {
    try (Decoder a = Small.decoder();
        Decoder b = Small.decoder()) {
      TrainingReport first = train(a, Small.recipe(20, 8, 2));
      TrainingReport second = train(b, Small.recipe(20, 8, 2));
      assertSame(a, b);
      assertThat(first.losses()).isEqualTo(second.losses());
    }
  }

  @Test
  void productsInBfloat16LearnAlikeAndRepeat() {
    Recipe recipe = Small.recipe(60, 16, 1);
    try (Decoder exact = Small.decoder();
        Decoder mixed = Small.decoder();
        Decoder again = Small.decoder()) {
      TrainingReport expected = train(exact, recipe);
      Trainer trainer =
          Trainer.builder(recipe.withPrecision(Recipe.Precision.BF16)).seed(3).build();
      TrainingReport report = trainer.train(mixed, MIX);
      assertThat(Math.abs(report.losses()[0] - expected.losses()[0])).isBetween(1e-7f, 0.01f);
      assertThat(Math.abs(report.finalLoss() - expected.finalLoss())).isLessThan(0.1);
      trainer.train(again, MIX);
      assertSame(again, mixed);
    }
  }

  @Test
  void accumulationChangesNothingButRounding() {
    try (Decoder whole = Small.decoder();
        Decoder parts = Small.decoder()) {
      float[] once = train(whole, Small.recipe(6, 8, 1)).losses();
      float[] eight = train(parts, Small.recipe(6, 8, 8)).losses();
      for (int i = 0; i < once.length; i++) {
        assertThat(Math.abs(once[i] - eight[i])).isLessThan(2e-5f);
      }
      for (String name : whole.shapes().keySet()) {
        float[] a = whole.read(name);
        float[] b = parts.read(name);
        double distance = 0;
        double size = 0;
        for (int i = 0; i < a.length; i++) {
          distance += (a[i] - b[i]) * (double) (a[i] - b[i]);
          size += a[i] * (double) a[i];
        }
        assertThat(Math.sqrt(distance / size)).as(name).isLessThan(2e-4);
      }
    }
  }

  @Test
  void interruptedAndResumedGivesTheSameBytes() {
    Recipe recipe = Small.recipe(23, 8, 1);
    Progress crash =
        (task, done, total, note) -> {
          if (done == 17) {
            throw new IllegalStateException("power cut");
          }
        };
    try (Decoder whole = Small.decoder();
        Decoder broken = Small.decoder();
        Decoder resumed = Small.decoder()) {
      TrainingReport expected = train(whole, recipe);
      Trainer.Builder builder = Trainer.builder(recipe).seed(3).snapshots(folder, 5);
      assertThatThrownBy(() -> builder.progress("t", crash).build().train(broken, MIX))
          .hasMessage("power cut");
      TrainingReport report = builder.progress("t", Progress.NONE).build().train(resumed, MIX);
      assertThat(report.resumedFrom()).isEqualTo(15);
      assertThat(report.losses()).isEqualTo(expected.losses());
      assertThat(report.tokens()).isEqualTo(expected.tokens());
      assertSame(resumed, whole);
    }
  }

  @Test
  void aDamagedSnapshotIsPassedOver() throws IOException {
    Recipe recipe = Small.recipe(12, 8, 1);
    try (Decoder first = Small.decoder();
        Decoder resumed = Small.decoder()) {
      Trainer trainer = Trainer.builder(recipe).seed(3).snapshots(folder, 3).build();
      trainer.train(first, MIX);
      Path latest = folder.resolve("snapshot-00000009.safetensors");
      byte[] bytes = Files.readAllBytes(latest);
      bytes[bytes.length - 100] ^= 1;
      Files.write(latest, bytes);
      assertThat(trainer.train(resumed, MIX).resumedFrom()).isEqualTo(6);
      assertSame(resumed, first);
    }
  }

  @Test
  void refusesAnotherRunsSnapshot() {
    try (Decoder decoder = Small.decoder();
        Decoder again = Small.decoder()) {
      Recipe recipe = Small.recipe(6, 8, 1);
      Trainer.builder(recipe).seed(3).snapshots(folder, 3).build().train(decoder, MIX);
      Trainer other = Trainer.builder(recipe).seed(4).snapshots(folder, 3).build();
      assertThatThrownBy(() -> other.train(again, MIX))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("snapshot of another run");
    }
  }

  /** A process of its own is killed while it trains; a second one finishes its work. */
  @Test
  void killedProcessResumesToTheSameBytes() throws Exception {
    Path snapshots = folder.resolve("snapshots");
    Path result = folder.resolve("result");
    Process victim = worker(snapshots, result, 3);
    long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (victim.isAlive() && !Files.exists(snapshots.resolve("snapshot-00000010.safetensors"))) {
      assertThat(System.nanoTime()).isLessThan(patience);
      Thread.sleep(5);
    }
    victim.destroyForcibly().waitFor();
    assertThat(result).doesNotExist();
    assertThat(worker(snapshots, result, 0).waitFor()).isZero();
    try (Decoder whole = Small.decoder();
        Decoder resumed = Decoder.load(result)) {
      train(whole, Worker.RECIPE);
      assertSame(resumed, whole);
    }
  }

  private Process worker(Path snapshots, Path result, int sleep) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), "-Xmx256m", Worker.class.getName()));
    command.addAll(List.of(snapshots.toString(), result.toString(), Integer.toString(sleep)));
    File log = folder.resolve("worker.log").toFile();
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
        .start();
  }

  /** Trains in a process of its own: snapshots, result, milliseconds to idle after each step. */
  static final class Worker {
    static final Recipe RECIPE = Small.recipe(400, 8, 1);

    public static void main(String[] args) {
      long sleep = Long.parseLong(args[2]);
      Progress idle =
          (task, done, total, note) -> {
            try {
              Thread.sleep(sleep);
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          };
      try (Decoder decoder = Small.decoder()) {
        Trainer.builder(RECIPE)
            .seed(3)
            .snapshots(Path.of(args[0]), 5)
            .progress("worker", idle)
            .build()
            .train(decoder, MIX);
        decoder.save(Path.of(args[1]), Precision.F32);
      }
    }
  }

  @Test
  void aThousandStepsHoldAsMuchAsAHundred() {
    try (Decoder decoder = Small.decoder()) {
      train(decoder, Small.recipe(100, 4, 1));
      long objects = Pointer.totalCount();
      long bytes = Pointer.physicalBytes();
      train(decoder, Small.recipe(900, 4, 1));
      assertThat(Pointer.totalCount() - objects).isLessThan(100);
      assertThat(Pointer.physicalBytes() - bytes).isLessThan(64L << 20);
    }
  }

  @Test
  void notANumberNamesStepAndRows() {
    try (Decoder decoder = Small.decoder()) {
      float[] norm = decoder.read("model.norm.weight");
      norm[3] = Float.NaN;
      decoder.write("model.norm.weight", norm);
      assertThatThrownBy(() -> train(decoder, Small.recipe(5, 2, 1)))
          .isInstanceOfSatisfying(
              DivergenceException.class,
              e -> {
                assertThat(e.step()).isZero();
                assertThat(e.rows()).hasSize(2).allMatch(r -> r.matches("rows#\\d+"));
              })
          .hasMessageContaining("the loss is NaN at step 0")
          .hasMessageContaining("rows#");
    }
  }

  @Test
  void cutsLongRowsAndLeavesOutWhatHasNothingToLearn() {
    Recipe recipe =
        new Recipe(
            Recipe.Method.FULL, null, 2, 2, 1, 4, 0.01, 0, Recipe.Schedule.CONSTANT, 0, 0, 0);
    List<TokenRow> rows =
        List.of(
            TokenRow.all(1, 2, 3),
            TokenRow.all(1, 2, 3, 4, 5),
            TokenRow.from(new int[] {1, 2, 3, 4, 5, 6}, 4));
    try (Decoder decoder = Small.decoder()) {
      TrainingReport report = Trainer.builder(recipe).build().train(decoder, DataMix.of(rows));
      assertThat(report.cutRows()).isEqualTo(1);
      assertThat(report.droppedRows()).isEqualTo(1);
      assertThat(report.tokens()).isEqualTo(2 * (3 + 4));
      assertThat(report.supervisedTokens()).isEqualTo(2 * (2 + 3));
    }
  }

  @Test
  void adapterLearnsAndTheBaseStays() {
    Recipe.Lora shape = new Recipe.Lora(4, 8, List.of());
    try (Decoder decoder = Small.decoder();
        Decoder before = Small.decoder();
        LoraAdapter a = LoraAdapter.random(decoder.config(), LoraConfig.of(shape), 1);
        LoraAdapter b = LoraAdapter.random(decoder.config(), LoraConfig.of(shape), 1)) {
      Recipe recipe = Small.lora(60, shape);
      TrainingReport report = Trainer.builder(recipe).build().train(decoder, a, MIX);
      assertThat(report.finalLoss()).isLessThan(report.losses()[0] - 0.4);
      assertSame(decoder, before);
      assertThat(decoder.adapters()).isEmpty();
      Trainer.builder(recipe).build().train(decoder, b, MIX);
      for (String name : a.shapes().keySet()) {
        assertThat(a.read(name)).isEqualTo(b.read(name));
      }
    }
  }

  @Test
  void aPullTowardsTheStartKeepsWeightsNearer() {
    try (Decoder start = Small.decoder();
        Decoder free = Small.decoder();
        Decoder held = Small.decoder()) {
      Recipe recipe = Small.recipe(40, 8, 1);
      train(free, recipe);
      Trainer.builder(recipe)
          .seed(3)
          .regularizer(Regularizer.towardsStart(0.1))
          .build()
          .train(held, MIX);
      assertThat(distance(held, start)).isLessThan(0.8 * distance(free, start));
    }
  }

  private static double distance(Decoder a, Decoder b) {
    double sum = 0;
    for (String name : a.shapes().keySet()) {
      float[] x = a.read(name);
      float[] y = b.read(name);
      for (int i = 0; i < x.length; i++) {
        sum += (x[i] - y[i]) * (double) (x[i] - y[i]);
      }
    }
    return Math.sqrt(sum);
  }

  @Test
  void namesARowWithATokenOutsideTheVocabulary() {
    DataMix mix = DataMix.of(List.of(TokenRow.all(1, 2), TokenRow.all(3, Small.VOCABULARY)));
    try (Decoder decoder = Small.decoder()) {
      assertThatThrownBy(() -> Trainer.builder(Small.recipe(1, 1, 1)).build().train(decoder, mix))
          .hasMessage("rows#1: token 31 is outside the vocabulary of 31");
    }
  }

  @Test
  void methodAndCallMustAgree() {
    try (Decoder decoder = Small.decoder()) {
      Recipe lora = Small.lora(2, new Recipe.Lora(2, 4, List.of("q_proj")));
      assertThatThrownBy(() -> train(decoder, lora)).hasMessageContaining("adapter");
    }
  }
}
