package dev.cambium.bench.stream;

import dev.cambium.bench.ResultFile;
import dev.cambium.bench.data.Lesson;
import dev.cambium.bench.data.PublicData;
import dev.cambium.bench.data.TextFoundation;
import dev.cambium.engine.Engine;
import dev.cambium.engine.LanguageModel;
import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.ProbeJob;
import dev.cambium.engine.ProbeResult;
import dev.cambium.loop.declaration.HeadroomPolicy;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.loop.headroom.HeadroomProbe;
import dev.cambium.loop.headroom.ProbeTasks;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Learns a stream of tasks by several methods, scores every method on every task that it has met
 * after each lesson, and leaves the raw results and a table. What is done is not done again: killed
 * at any time, the same command goes on.
 */
@Command(
    name = "stream",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Learn a stream of tasks by several methods, and compare them.")
public final class StreamBenchmark implements Callable<Integer> {

  /** Items of each intent. */
  private static final PublicData.Items ITEMS = new PublicData.Items(8, 10);

  static final double LEVEL = 0.9;

  /** The streams of real data. */
  enum Source {
    CLINC150,
    BANKING77
  }

  @Option(names = "--stream", required = true, description = "Which: ${COMPLETION-CANDIDATES}.")
  private Source source = Source.CLINC150;

  @Option(names = "--data", required = true, description = "Folder with the data sets.")
  private Path data = Path.of("");

  @Option(names = "--out", description = "Where everything goes (default: ${DEFAULT-VALUE}).")
  private Path out = Path.of("stream");

  @Option(names = "--seeds", split = ",", description = "Default: 1,2,3.")
  private List<Long> seeds = List.of(1L, 2L, 3L);

  @Option(names = "--methods", split = ",", description = "Default: all.")
  private List<String> methods = Method.ids();

  @Option(names = "--steps", description = "Of a lesson (default: ${DEFAULT-VALUE}).")
  private int steps = Pace.SMALL.steps();

  @Option(
      names = "--recipe",
      description =
          "A file with the recipes that Cambium's line is declared with, one of them"
              + " named lesson (default: one made from --steps).")
  private @Nullable Path recipe;

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new StreamBenchmark())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    List<Lesson> lessons =
        source == Source.CLINC150 ? PublicData.clinc(data, ITEMS) : PublicData.banking(data, ITEMS);
    Path home =
        Files.createDirectories(
            out.resolve(source.name().toLowerCase(Locale.ROOT)).toAbsolutePath());
    ResultFile<Result> results = ResultFile.open(home.resolve("results.jsonl"), Result.class);
    try {
      for (long seed : seeds) {
        Path foundation = foundation(seed);
        for (String id : methods) {
          learn(Method.of(id), seed, foundation, lessons, home, results);
        }
      }
    } finally {
      String table = StreamTable.of(results.all(), lessons.stream().map(Lesson::name).toList());
      Files.writeString(home.resolve("table.md"), table);
      System.out.println(table);
    }
    return 0;
  }

  /** Pre-trained on text, once for each seed; both streams use the same. */
  private Path foundation(long seed) throws IOException {
    return TextFoundation.make(
        out.resolve("foundations").toAbsolutePath(),
        "seed-" + seed,
        PublicData.foundationText(data),
        null,
        ModelInitializer.Shape.SMALL,
        TextFoundation.PRETRAINING,
        seed);
  }

  private void learn(
      Method method,
      long seed,
      Path foundation,
      List<Lesson> lessons,
      Path home,
      ResultFile<Result> results)
      throws IOException {
    Path work = Files.createDirectories(home.resolve("seed-" + seed).resolve(method.id()));
    Engine engine = Engine.open();
    Pace pace =
        new Pace(
            steps,
            Pace.SMALL.batchRows(),
            Pace.SMALL.maxTokens(),
            Pace.SMALL.fullRate(),
            Pace.SMALL.adapterRate(),
            Pace.SMALL.rank());
    try (Learner learner =
        method == Method.CAMBIUM
            ? new LineLearner(foundation, lessons, recipes(pace), seed, work, Progress.NONE)
            : new PlainLearner(
                method, engine, foundation, lessons, pace, seed, work, Progress.NONE)) {
      // Learning everything at once is one training, after the last lesson has come.
      for (int i = method == Method.JOINT ? lessons.size() - 1 : 0; i < lessons.size(); i++) {
        Learner.Pupil pupil = learner.learn(i);
        String lesson = lessons.get(i).name();
        if (results.has(r -> r.isOf(method, seed, lesson))) {
          continue;
        }
        SortedMap<String, Double> scores = new TreeMap<>();
        try (LanguageModel model = engine.load(pupil.model(), pupil.adapter(), null)) {
          for (int j = method == Method.FRESH ? i : 0; j <= i; j++) {
            scores.put(lessons.get(j).name(), score(model, lessons.get(j)));
          }
        }
        Headroom.Ratio headroom =
            i == lessons.size() - 1 && method != Method.FRESH
                ? headroom(engine, foundation, pupil, seed, work)
                : null;
        Result result =
            new Result(
                method.id(), seed, lessons.get(i).name(), scores, headroom, learner.rowsRead());
        results.add(result);
        System.out.println(result.line());
      }
    }
  }

  private String recipes(Pace pace) throws IOException {
    if (recipe != null) {
      return Files.readString(recipe);
    }
    return String.format(
        Locale.ROOT,
        "recipes:%n  lesson: { method: full, steps: %d, batch-rows: %d, max-tokens: %d,"
            + " learning-rate: %s, replay-share: 0.7, protect: { balance-by: intent } }%n",
        pace.steps() * 5 / 4,
        pace.batchRows(),
        pace.maxTokens(),
        pace.fullRate());
  }

  /** How well the pupil still learns, by the product's own probe with its usual settings. */
  private Headroom.Ratio headroom(
      Engine engine, Path foundation, Learner.Pupil pupil, long seed, Path work) {
    Path first = foundation.resolveSibling(foundation.getFileName() + ".probe");
    return HeadroomProbe.compare(
        probe(engine, new Learner.Pupil(foundation, null), seed, first),
        probe(engine, pupil, seed, work.resolve("probe")),
        HeadroomPolicy.DEFAULT.steps(),
        LEVEL);
  }

  private static ProbeResult probe(Engine engine, Learner.Pupil pupil, long seed, Path finished) {
    HeadroomPolicy usual = HeadroomPolicy.DEFAULT;
    return engine.probe(
        new ProbeJob(
            pupil.model(),
            pupil.adapter(),
            HeadroomProbe.recipe(usual, Recipe.Precision.FP32),
            2,
            ProbeTasks.of(seed, 0, usual.tasks(), usual.seeds()),
            finished),
        Progress.NONE);
  }

  private static double score(LanguageModel model, Lesson lesson) {
    List<Outcome> outcomes =
        model.evaluate(lesson.test(), new Scorer(ScorerKind.EXACT_MATCH, 16, null), Progress.NONE);
    return outcomes.stream().mapToDouble(Outcome::score).average().orElse(Double.NaN);
  }

  /**
   * Scores after a lesson.
   *
   * @param lesson its name
   * @param scores by the name of the task; what is not there was not measured
   * @param headroom after the last lesson, with an interval of {@link #LEVEL}
   * @param rowsRead by all trainings so far
   */
  record Result(
      String method,
      long seed,
      String lesson,
      SortedMap<String, Double> scores,
      Headroom.@Nullable Ratio headroom,
      long rowsRead) {

    boolean isOf(Method ofMethod, long ofSeed, String ofLesson) {
      return method.equals(ofMethod.id()) && seed == ofSeed && lesson.equals(ofLesson);
    }

    String line() {
      return String.format(
          Locale.ROOT,
          "%s, seed %d, after %s: mean %.3f of %s, %,d rows read",
          method,
          seed,
          lesson,
          scores.values().stream().mapToDouble(s -> s).average().orElse(Double.NaN),
          scores,
          rowsRead);
    }
  }
}
