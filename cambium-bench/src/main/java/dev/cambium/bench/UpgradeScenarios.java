package dev.cambium.bench;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Pretraining;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.explain.Wave;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Rung;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import dev.cambium.story.data.Edition;
import dev.cambium.story.data.Generator;
import dev.cambium.story.data.Scale;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What upgrades do to a small fleet (an industrial model, an adapter and an application on a
 * foundation of some ten thousand weights) with the real engine, by kind of new foundation:
 *
 * <ul>
 *   <li>{@code trained-on}: the old one, trained on further text;
 *   <li>{@code permuted}: the old one with channels, units and heads in other places;
 *   <li>{@code worse}: the old one with noise in its weights, which must not be released.
 * </ul>
 *
 * <p>Told for every line: the rung that carried it, the share of its score before that was kept,
 * negative flips, what candidates took and what retraining takes on this machine, and what became
 * of the naive way, the old adapter as it is on the new base.
 *
 * <p>Main: {@code UpgradeScenarios [DIR]}; prints a table and leaves {@code upgrades.json} in the
 * folder. A scenario whose result lies there is not run again.
 */
public final class UpgradeScenarios {

  /** A kind of new foundation. */
  enum Scenario {
    TRAINED_ON,
    PERMUTED,
    WORSE
  }

  /**
   * What became of one line.
   *
   * @param kept score by the score before; none where nothing was released
   * @param naive the same of the old adapter as it is; none where that cannot be tried
   * @param share of the time that retraining the line takes
   */
  record Result(
      Scenario scenario,
      String line,
      String outcome,
      @Nullable Rung rung,
      @Nullable Double kept,
      int negativeFlips,
      double seconds,
      @Nullable Double retraining,
      @Nullable Double share,
      @Nullable Double naive) {}

  private final Path directory;

  UpgradeScenarios(Path directory) {
    this.directory = directory;
  }

  public static void main(String[] arguments) throws IOException {
    Path directory = new Arguments(arguments).directory(0, "upgrades");
    List<Result> all = new ArrayList<>();
    System.out.println(
        "scenario    line    outcome   rung        kept  flips  took  retraining  share  naive");
    for (Scenario scenario : Scenario.values()) {
      for (Result result : new UpgradeScenarios(directory).run(scenario, Progress.NONE)) {
        all.add(result);
        System.out.println(line(result));
      }
    }
    Files.write(directory.resolve("upgrades.json"), Json.canonical(all));
  }

  private static String line(Result r) {
    return String.format(
        Locale.ROOT,
        "%-11s %-7s %-9s %-10s %5s  %5d  %4.1f  %10s  %5s  %5s",
        r.scenario().name().toLowerCase(Locale.ROOT).replace('_', '-'),
        r.line(),
        r.outcome(),
        r.rung() == null ? "-" : r.rung().label(),
        number(r.kept()),
        r.negativeFlips(),
        r.seconds(),
        number(r.retraining()),
        number(r.share()),
        number(r.naive()));
  }

  private static String number(@Nullable Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, "%.2f", value);
  }

  List<Result> run(Scenario scenario, Progress progress) throws IOException {
    Path founded = directory.resolve("founded");
    if (!Files.exists(founded)) {
      Path building = directory.resolve("founding");
      DirectoryTree.delete(building);
      new SmallFleet(building).prepare(progress);
      try (Cambium cambium = Cambium.open(building, "bench", InstantSource.system())) {
        cambium.run(Approver.ALWAYS, progress);
      }
      Files.move(building, founded);
    }
    Path own = directory.resolve(scenario.name().toLowerCase(Locale.ROOT));
    DirectoryTree.delete(own);
    copy(founded, own);
    Path newer = own.resolve("newer");
    Path foundation = own.resolve("foundation");
    switch (scenario) {
      case TRAINED_ON -> trainedOn(foundation, newer, own, progress);
      case PERMUTED -> PermutedModel.write(foundation, newer, 7);
      case WORSE -> noisy(foundation, newer);
    }
    try (Cambium cambium = Cambium.open(own, "bench", InstantSource.system())) {
      VersionRef version =
          cambium.importVersion(newer, "base", Tier.FOUNDATION, null, scenario.name());
      cambium.signalUpstream(version, scenario.name());
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, progress);
      return results(scenario, cambium.wave(Objects.requireNonNull(report.campaign())));
    }
  }

  private static List<Result> results(Scenario scenario, Wave wave) {
    List<Result> results = new ArrayList<>();
    for (Wave.OfLine line : wave.lines()) {
      Wave.Attempt released = line.released();
      double seconds = line.attempts().stream().mapToDouble(Wave.Attempt::seconds).sum();
      Double naive = null;
      for (Wave.Attempt attempt : line.attempts()) {
        naive = attempt.rung() == Rung.REUSE ? attempt.kept() : naive;
      }
      Double retraining = line.retraining();
      results.add(
          new Result(
              scenario,
              line.line(),
              line.settlement().name().toLowerCase(Locale.ROOT),
              line.rung(),
              released == null ? null : released.kept(),
              released == null ? 0 : released.negativeFlips(),
              seconds,
              retraining,
              retraining == null ? null : Double.valueOf(seconds / retraining),
              naive));
    }
    return results;
  }

  private static void trainedOn(Path foundation, Path newer, Path own, Progress progress)
      throws IOException {
    Path text = own.resolve("data").resolve("newer.jsonl");
    Files.write(
        text,
        RowFile.encode(
            Generator.of(5, Scale.QUICK).foundation(Edition.V2).train().subList(0, 600)));
    Recipe recipe =
        new Recipe(
            Recipe.Method.FULL, null, 15, 16, 1, 64, 1e-3, 0.1, Recipe.Schedule.COSINE, 0, 1, 0);
    Pretraining.run(text, foundation, null, recipe, 6, newer, progress);
  }

  private static void noisy(Path foundation, Path newer) throws IOException {
    copy(foundation, newer);
    Random random = new Random(3);
    try (Decoder decoder = Decoder.load(foundation)) {
      for (String name : decoder.shapes().keySet()) {
        float[] values = decoder.read(name);
        for (int i = 0; i < values.length; i++) {
          values[i] += (float) (0.3 * random.nextGaussian());
        }
        decoder.write(name, values);
      }
      decoder.save(newer, Precision.F32);
    }
  }

  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else {
          Files.copy(path, target, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }
}
