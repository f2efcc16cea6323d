package dev.cambium.bench.upgrade;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.bench.ResultFile;
import dev.cambium.engine.Engine;
import dev.cambium.engine.TrainingJob;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Distillation;
import dev.cambium.model.Distillation.Divergence;
import dev.cambium.model.Fact;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What distilling makes of a line on a new foundation when one thing of it is changed, beside
 * training on the recorded answers for as many rows: for where a goal is missed. No gate decides
 * here; each setting is trained once and scored on the benchmark's own items.
 */
final class Ablation {

  /**
   * A way to teach.
   *
   * @param teacher whether there is one; without it the recorded answers are learnt
   * @param start what it starts from
   */
  private record Setting(String name, boolean teacher, Start start, Distillation how) {}

  /** What a student is before it is taught. */
  private enum Start {
    /** The new foundation. */
    BASE,
    /** What the alignment gave. */
    ALIGNED,
    /** The old adapter as it is. */
    OWN,
    /** What another line of the same kind became by retraining on the new foundation. */
    SIBLING
  }

  private static final List<Setting> SETTINGS =
      List.of(
          new Setting(
              "a quarter of the steps, half its own answers",
              true,
              Start.BASE,
              how(0.25, 0.5, Divergence.FORWARD_KL, 1, 1)),
          new Setting(
              "from the alignment",
              true,
              Start.ALIGNED,
              how(0.25, 0.5, Divergence.FORWARD_KL, 1, 1)),
          new Setting(
              "its own adapter, a fortieth of the steps",
              true,
              Start.OWN,
              how(0.025, 0, Divergence.FORWARD_KL, 1, 0.1)),
          new Setting(
              "its own adapter, a fortieth of the steps, rate × 3",
              true,
              Start.OWN,
              how(0.025, 0, Divergence.FORWARD_KL, 1, 0.3)),
          new Setting(
              "its own adapter, a fortieth of the steps, recorded answers",
              false,
              Start.OWN,
              how(0.025, 0, Divergence.FORWARD_KL, 1, 0.1)),
          new Setting(
              "recorded answers only", true, Start.BASE, how(0.25, 0, Divergence.FORWARD_KL, 1, 1)),
          new Setting("no teacher", false, Start.BASE, how(0.25, 0, Divergence.FORWARD_KL, 1, 1)),
          new Setting(
              "half the rows", true, Start.BASE, how(0.5, 0, Divergence.FORWARD_KL, 0.5, 1)),
          new Setting(
              "a quarter of the rows", true, Start.BASE, how(1, 0, Divergence.FORWARD_KL, 0.25, 1)),
          new Setting(
              "a quarter of the rows, no teacher",
              false,
              Start.BASE,
              how(1, 0, Divergence.FORWARD_KL, 0.25, 1)),
          new Setting("an eighth of the rows, no teacher", false, Start.BASE, plain(1, 0.125, 1)),
          new Setting(
              "an eighth of the rows, twice the steps, no teacher",
              false,
              Start.BASE,
              plain(2, 0.125, 1)),
          new Setting(
              "an eighth of the rows, twice the steps, no teacher, rate × 0.5",
              false,
              Start.BASE,
              plain(2, 0.125, 0.5)),
          new Setting(
              "an eighth of the rows, twice the steps, no teacher, rate × 0.3",
              false,
              Start.BASE,
              plain(2, 0.125, 0.3)),
          new Setting(
              "a sixteenth of the rows, four times the steps, no teacher, rate × 0.5",
              false,
              Start.BASE,
              plain(4, 0.0625, 0.5)),
          new Setting(
              "a sixteenth of the rows, four times the steps, no teacher, rate × 0.3",
              false,
              Start.BASE,
              plain(4, 0.0625, 0.3)),
          new Setting(
              "a quarter of the rows, no teacher, rate × 2", false, Start.BASE, plain(1, 0.25, 2)),
          new Setting(
              "a quarter of the rows, no teacher, from the alignment",
              false,
              Start.ALIGNED,
              plain(1, 0.25, 1)),
          new Setting(
              "a quarter of the rows, no teacher, from a sibling",
              false,
              Start.SIBLING,
              plain(1, 0.25, 1)),
          new Setting(
              "an eighth of the rows, no teacher, from a sibling",
              false,
              Start.SIBLING,
              plain(1, 0.125, 1)),
          new Setting(
              "a fifth of the rows, labels, from a sibling", true, Start.SIBLING, labels(1, 0.2)),
          new Setting(
              "a quarter of the rows, rate × 0.5",
              true,
              Start.BASE,
              how(1, 0, Divergence.FORWARD_KL, 0.25, 0.5)),
          new Setting(
              "a quarter of the rows, labels, rate × 0.5",
              true,
              Start.BASE,
              new Distillation(1, 0, Divergence.FORWARD_KL, 0.5, 1, 0.25, 0.5, 0.5)),
          new Setting(
              "an eighth of the rows, twice the steps, labels, rate × 0.5",
              true,
              Start.BASE,
              new Distillation(2, 0, Divergence.FORWARD_KL, 0.5, 1, 0.125, 0.5, 0.5)),
          new Setting(
              "a quarter of the rows, labels, rate × 0.7, from the alignment",
              true,
              Start.ALIGNED,
              new Distillation(1, 0, Divergence.FORWARD_KL, 0.5, 1, 0.25, 0.7, 0.5)),
          new Setting("a quarter of the rows, labels", true, Start.BASE, labels(1, 0.25)),
          new Setting("a fifth of the rows, labels", true, Start.BASE, labels(1, 0.2)),
          new Setting(
              "an eighth of the rows, twice the steps, labels", true, Start.BASE, labels(2, 0.125)),
          new Setting(
              "reverse divergence", true, Start.BASE, how(0.25, 0.5, Divergence.REVERSE_KL, 1, 1)));

  private static Distillation plain(double steps, double rows, double rate) {
    return how(steps, 0, Divergence.FORWARD_KL, rows, rate);
  }

  /** Half the recorded answers, half the teacher's distribution over them. */
  private static Distillation labels(double steps, double rows) {
    return new Distillation(steps, 0, Divergence.FORWARD_KL, 0.5, 1, rows, 1, 0.5);
  }

  private static Distillation how(
      double steps, double onPolicy, Divergence divergence, double rows, double rate) {
    return new Distillation(steps, onPolicy, divergence, 0.5, 1, rows, rate, 0);
  }

  /**
   * One setting on one line.
   *
   * @param compute of retraining's, see {@link Effort}
   * @param flips share of items that were right before and are wrong now
   */
  record Result(
      String scenario,
      long seed,
      String line,
      String setting,
      double score,
      double retrained,
      double compute,
      double flips) {

    String text() {
      return String.format(
          Locale.ROOT,
          "%s seed %d %s, %s: %.3f of retraining's %.3f with %.3f of its compute, flips %.3f",
          scenario,
          seed,
          line,
          setting,
          score,
          retrained,
          compute,
          flips);
    }
  }

  private final Engine engine;
  private final Ecosystem ecosystem;
  private final Path folder;
  private final String scenario;
  private final long seed;
  private final Path newer;

  /**
   * Over the folder of a trial that was run.
   *
   * @param newer model directory of the new foundation
   */
  Ablation(
      Engine engine, Ecosystem ecosystem, Path folder, String scenario, long seed, Path newer) {
    this.engine = engine;
    this.ecosystem = ecosystem;
    this.folder = folder;
    this.scenario = scenario;
    this.seed = seed;
    this.newer = newer;
  }

  /**
   * Tries settings on some lines that are built on the foundation.
   *
   * @param ways a regular expression that their names match
   */
  void run(
      List<String> lines,
      String ways,
      ResultFile<LineResult> trial,
      ResultFile<Result> results,
      Consumer<String> log)
      throws IOException {
    Path work = Files.createDirectories(folder.resolve("ablation"));
    Outcomes outcomes = new Outcomes(engine, work.resolve("outcomes"), ecosystem.scorer());
    try (Cambium cambium = Ecosystem.open(folder.resolve("fleet"))) {
      for (String line : lines) {
        Subject subject =
            ecosystem.subjects().stream()
                .filter(s -> s.line().equals(line))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no line " + line));
        LineResult measured =
            trial.all().stream()
                .filter(
                    r -> r.scenario().equals(scenario) && r.seed() == seed && r.line().equals(line))
                .findFirst()
                .orElseThrow(
                    () -> new IllegalArgumentException(scenario + " was not run for " + line));
        for (Setting setting : SETTINGS) {
          if (!setting.name().matches(ways)) {
            continue;
          }
          if (results.has(
              r ->
                  r.scenario().equals(scenario)
                      && r.seed() == seed
                      && r.line().equals(line)
                      && r.setting().equals(setting.name()))) {
            continue;
          }
          Optional<Result> result =
              tried(cambium, subject, setting, measured.retrained(), work, outcomes);
          if (result.isPresent()) {
            results.add(result.get());
            log.accept(result.get().text());
          }
        }
      }
    }
  }

  private Optional<Result> tried(
      Cambium cambium,
      Subject subject,
      Setting setting,
      double retrained,
      Path work,
      Outcomes outcomes)
      throws IOException {
    Recipe declared = cambium.declare().recipe(subject.line()).orElseThrow();
    VersionRef before = new VersionRef(subject.line(), 1);
    List<Row> rows = new ArrayList<>();
    cambium.version(before).data().forEach(digest -> rows.addAll(cambium.rows(digest)));
    Cambium.Runnable teacher = cambium.runnable(before);
    boolean adapter = declared.method() == Recipe.Method.LORA;
    Path model = newer;
    @Nullable Path from = null;
    if (setting.start() != Start.BASE) {
      Optional<Cambium.Runnable> start =
          switch (setting.start()) {
            case ALIGNED -> aligned(cambium, subject.line());
            case OWN -> own(teacher);
            default -> sibling(subject, adapter);
          };
      if (start.isEmpty()) {
        return Optional.empty();
      }
      from = start.get().adapter();
      model = start.get().model();
    }
    Recipe recipe = declared.withDistillation(setting.how()).distilling();
    String name = subject.line() + "-" + setting.name().replaceAll("[^a-z0-9]+", "-");
    Path done = work.resolve(name);
    if (!Files.exists(done)) {
      Path making = work.resolve(name + ".making");
      DirectoryTree.delete(making);
      Path data = work.resolve(name + ".jsonl");
      Files.write(data, RowFile.encode(rows));
      Path snapshots = work.resolve(name + ".snapshots");
      TrainingJob job =
          new TrainingJob(
              model,
              from,
              setting.teacher() ? recipe : recipe.withDistillation(null),
              List.of(new TrainingJob.RowSource(data, 1)),
              seed,
              making,
              snapshots,
              100);
      if (setting.teacher()) {
        engine.distill(job, teacher.model(), teacher.adapter(), Progress.NONE);
      } else {
        engine.train(job, Progress.NONE);
      }
      Files.move(making, done, StandardCopyOption.ATOMIC_MOVE);
      DirectoryTree.delete(snapshots);
      Files.delete(data);
    }
    Effort.Reading student = Effort.Reading.of(newer, rows);
    double operations =
        setting.teacher()
            ? Effort.distilling(
                recipe, setting.how(), student, Effort.Reading.of(teacher.model(), rows))
            : Effort.training(recipe, student);
    Cambium.Runnable pupil =
        new Cambium.Runnable(adapter ? newer : done, adapter ? done : null, null);
    Outcomes.Right now = outcomes.of(name, pupil, subject.test());
    Outcomes.Right then = outcomes.of(subject.line() + "-before", teacher, subject.test());
    return Optional.of(
        new Result(
            scenario,
            seed,
            subject.line(),
            setting.name(),
            now.score(),
            retrained,
            operations / Effort.training(declared, student),
            (double) then.count(true, now, false) / subject.test().size()));
  }

  /** The old adapter on the new foundation, if it has the shapes for it. */
  private Optional<Cambium.Runnable> own(Cambium.Runnable before) throws IOException {
    return before.adapter() != null
            && DecoderConfig.read(before.model()).equals(DecoderConfig.read(newer))
        ? Optional.of(new Cambium.Runnable(newer, before.adapter(), null))
        : Optional.empty();
  }

  /** Another line with the same recipe, as it was retrained for the trial. */
  private Optional<Cambium.Runnable> sibling(Subject subject, boolean adapter) {
    return ecosystem.subjects().stream()
        .filter(
            s -> !s.line().equals(subject.line()) && Objects.equals(subject.recipe(), s.recipe()))
        .map(s -> folder.resolve("retrained").resolve(s.line()))
        .filter(Files::exists)
        .findFirst()
        .map(made -> new Cambium.Runnable(adapter ? newer : made, adapter ? made : null, null));
  }

  /** What the campaign's alignment gave; none where it did not apply. */
  private static Optional<Cambium.Runnable> aligned(Cambium cambium, String line) {
    return cambium.state().versions(line).stream()
        .map(v -> v.fact())
        .filter(v -> v.rung() == Rung.ALIGN)
        .map(Fact.VersionRegistered::version)
        .findFirst()
        .map(cambium::runnable);
  }
}
