package dev.cambium.bench.stream;

import dev.cambium.bench.ResultFile;
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
import dev.cambium.model.Item;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
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
  private static final PublicData.Items ITEMS = new PublicData.Items(20, 10);

  /** Where rows for training would be lost to gates. */
  private static final PublicData.Items FEWER = new PublicData.Items(12, 10);

  /** Where asking takes long. */
  private static final PublicData.Items FEW = new PublicData.Items(6, 5);

  private static final List<String> FOUR = List.of("banking", "travel", "work", "utility");

  static final double LEVEL = 0.9;

  /** Values of the tag that text has, for a replay in equal shares. */
  private static final int GROUPS = 10;

  /** As long as an answer may be. */
  static final int ANSWER_TOKENS = 16;

  /** Headroom is measured at every candidate, and the governor reads it; it holds nothing. */
  private static final String PROBED = "{ floor: 0, tasks: 1, seeds: 3 }";

  private static final Pace SMALL = new Pace(200, 32, 64, 0.002, 0.003, 16, Recipe.Precision.FP32);

  /**
   * How Cambium's line learns: the recipe's steps are for what is new, and rehearsal comes on top.
   *
   * @param steps at least, for the rows of an update
   * @param epochs passes over them
   * @param batchRows rows of a step
   * @param rate peak learning rate
   * @param rehearse passes over the earlier rows that still hold
   * @param general rows of the foundation's text that are learnt with the first update, without
   *     answers, and rehearsed like it
   * @param tag that replay is balanced by
   * @param margin of every capability: as many as there are to be told apart, as much is lost on
   *     each by learning all of them at once, too
   * @param headroom of the contract
   */
  private record Line(
      int steps,
      double epochs,
      int batchRows,
      double rate,
      double rehearse,
      int general,
      String tag,
      double margin,
      String headroom) {

    /** The recipe and the governor. */
    String declared(Pace pace, long budget) {
      return String.format(
          Locale.ROOT,
          """
          recipes:
            lesson: { method: %s, steps: %d, epochs: %s, batch-rows: %d, max-tokens: %d, learning-rate: %s, precision: %s, protect: { rehearse: %s, balance-by: %s } }
          governor:
            budget: { steps: %d }
            rules:
              - when: { headroom-surely-below: 0.4 }
                mode: repair
                protect: { shrink-perturb: { shrink: 0.9, noise: 0.02 } }
                because: it learns much worse than after a first lesson
              - when: { room-below: 0.05 }
                mode: protect
                protect: { kl: 0.1 }
                because: what is promised has hardly any room left
          """,
          pace.adaptersOnly()
              ? "lora, lora: { rank: " + pace.rank() + ", alpha: " + 2 * pace.rank() + " }"
              : "full",
          steps,
          epochs,
          batchRows,
          pace.maxTokens(),
          rate,
          pace.precision() == Recipe.Precision.BF16 ? "bf16" : "fp32",
          rehearse,
          tag,
          budget / batchRows);
    }
  }

  /**
   * The streams, each with the pace of the other methods, how Cambium's line learns it, and how
   * much its trainings may take of what retraining at every step would.
   */
  enum Source {
    CLINC150(SMALL, new Line(1, 1.9, 16, 0.001, 0.85, 800, "intent", 0.15, PROBED), 0.25),
    BANKING77(SMALL, new Line(1, 1.6, 16, 0.001, 1.2, 600, "intent", 0.2, PROBED), 0.30),
    RULES(
        new Pace(60, 16, 64, 0.002, 0.003, 16, Recipe.Precision.FP32),
        new Line(40, 3.5, 16, 0.002, 0.8, 200, "rule", 0.15, PROBED),
        0.10),
    SMOLLM2(
        new Pace(120, 8, 64, 0, 0.001, 16, Recipe.Precision.BF16),
        new Line(128, 0.3, 4, 0.0007, 0.24, 150, "intent", 0.15, "false"),
        0.45);

    private final Pace pace;
    private final Line line;
    private final double budget;

    Source(Pace pace, Line line, double budget) {
      this.pace = pace;
      this.line = line;
      this.budget = budget;
    }
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

  @Option(names = "--steps", description = "Of a lesson (default: the stream's own).")
  private @Nullable Integer steps;

  @Option(names = "--lessons", description = "Only the first so many.")
  private @Nullable Integer most;

  @Option(
      names = "--updates",
      description = "Of the generated stream, after its founding (default: ${DEFAULT-VALUE}).")
  private int updates = 40;

  @Option(
      names = "--recipe",
      description =
          "A file with what Cambium's line is declared with: recipes, one of them named lesson,"
              + " a governor (default: the stream's own).")
  private @Nullable Path recipe;

  @Option(
      names = "--foundation",
      description =
          "A Hugging Face directory for every seed (default: one pre-trained here; needed for"
              + " smollm2).")
  private @Nullable Path given;

  @Option(
      names = "--headroom-every",
      description = "Measure headroom after every so many lessons, not only after the last.")
  private int headroomEvery;

  @Option(
      names = "--probe-tasks",
      description = "Of each kind, for the headroom (default: ${DEFAULT-VALUE}).")
  private int probeTasks = HeadroomPolicy.DEFAULT.tasks();

  @Option(
      names = "--general",
      description = "Rows of the foundation's text for Cambium's line (default: the stream's own).")
  private @Nullable Integer general;

  @Option(names = "--ewc", description = "Strength of EWC (default: ${DEFAULT-VALUE}).")
  private double elastic = 100;

  @Option(
      names = "--orthogonal",
      description = "Strength of O-LoRA's penalty (default: ${DEFAULT-VALUE}).")
  private double orthogonal = 0.5;

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new StreamBenchmark())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    Stream stream = stream(1);
    Path home =
        Files.createDirectories(
            out.resolve(source.name().toLowerCase(Locale.ROOT)).toAbsolutePath());
    ResultFile<Result> results = ResultFile.open(home.resolve("results.jsonl"), Result.class);
    try {
      for (long seed : seeds) {
        Path foundation = foundation(seed);
        for (String id : methods) {
          learn(Method.of(id), seed, foundation, stream(seed), home, results);
        }
      }
    } finally {
      String table = StreamTable.of(results.all(), stream.names(), retraining(stream));
      Files.writeString(home.resolve("table.md"), table);
      System.out.println(table);
    }
    return 0;
  }

  private Stream stream(long seed) throws IOException {
    Stream whole =
        switch (source) {
          case CLINC150 -> Stream.of(PublicData.clinc(data, ITEMS));
          case BANKING77 -> Stream.of(PublicData.banking(data, FEWER));
          case SMOLLM2 ->
              Stream.of(
                  PublicData.clinc(data, FEW).stream()
                      .filter(lesson -> FOUR.contains(lesson.name()))
                      .toList());
          case RULES -> Rules.of(seed, updates);
        };
    return most == null ? whole : new Stream(whole.updates().subList(0, most));
  }

  /** Rows that training on everything that holds, from the beginning after every update, reads. */
  private double retraining(Stream stream) {
    return stream.totalEffort() * pace().steps() * pace().batchRows();
  }

  private Pace pace() {
    return steps == null ? source.pace : source.pace.withSteps(steps);
  }

  /** What was given, or pre-trained on text, once for each seed; all streams use the same. */
  private Path foundation(long seed) throws IOException {
    if (given != null) {
      return given.toAbsolutePath();
    }
    if (source == Source.SMOLLM2) {
      throw new IllegalArgumentException("--stream smollm2 needs --foundation DIR");
    }
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
      Stream stream,
      Path home,
      ResultFile<Result> results)
      throws IOException {
    Path work = Files.createDirectories(home.resolve("seed-" + seed).resolve(method.id()));
    Engine engine = Engine.open();
    try (Learner learner =
        method == Method.CAMBIUM
            ? new LineLearner(foundation, stream, terms(stream), seed, work, Progress.NONE)
            : new PlainLearner(
                method,
                engine,
                foundation,
                stream,
                pace(),
                new PlainLearner.Strengths(elastic, orthogonal),
                seed,
                work,
                Progress.NONE)) {
      // Learning everything at once is one training, after the last lesson has come.
      for (int i = method == Method.JOINT ? stream.size() - 1 : 0; i < stream.size(); i++) {
        Update update = stream.get(i);
        boolean probed = probed(method, i, stream.size());
        Learner.Pupil pupil = learner.learn(i);
        if (results.has(
            r -> r.isOf(method, seed, update.name()) && (!probed || r.stepsHeadroom() != null))) {
          continue;
        }
        SortedMap<String, Double> scores = new TreeMap<>();
        try (LanguageModel model = engine.load(pupil.model(), pupil.adapter(), null)) {
          for (Map.Entry<String, List<Item>> test : update.tests().entrySet()) {
            if (method != Method.FRESH || test.getKey().equals(update.name())) {
              scores.put(test.getKey(), score(model, test.getValue()));
            }
          }
        }
        HeadroomProbe.Comparison headroom =
            probed ? headroom(engine, foundation, pupil, seed, work.resolve("probe-" + i)) : null;
        Result result =
            new Result(
                method.id(),
                seed,
                update.name(),
                scores,
                headroom == null ? null : headroom.worse(),
                headroom == null ? null : headroom.steps(),
                learner.rowsRead(),
                pupil.note());
        results.add(result);
        System.out.println(result.line());
      }
    }
  }

  private boolean probed(Method method, int index, int lessons) {
    return probeTasks > 0
        && (index == lessons - 1 || (headroomEvery > 0 && index % headroomEvery == 0));
  }

  private LineLearner.Terms terms(Stream stream) throws IOException {
    String head =
        recipe != null
            ? Files.readString(recipe)
            : source.line.declared(pace(), Math.round(source.budget * retraining(stream)));
    return new LineLearner.Terms(
        pace().adaptersOnly() ? Tier.APPLICATION_MODEL : Tier.INDUSTRIAL,
        head,
        source.line.margin(),
        source.line.headroom(),
        general());
  }

  /**
   * Text of the foundation's: what a line reads of it keeps it from knowing nothing but its tasks.
   */
  private List<Row> general() throws IOException {
    List<Row> text = PublicData.foundationText(data);
    int count = Math.min(general == null ? source.line.general() : general, text.size());
    return IntStream.range(0, count)
        .mapToObj(i -> text.get((int) ((long) i * text.size() / count)))
        .map(
            row ->
                tagged(
                    row, source.line.tag(), "text-" + Math.floorMod(row.id().hashCode(), GROUPS)))
        .toList();
  }

  private static Row tagged(Row row, String tag, String value) {
    return new Row(row.id(), row.text(), row.messages(), row.tools(), Map.of(tag, value));
  }

  /** How well the pupil still learns, by the product's own probe. */
  private HeadroomProbe.Comparison headroom(
      Engine engine, Path foundation, Learner.Pupil pupil, long seed, Path finished) {
    Path first =
        out.resolve("foundations").resolve(foundation.getFileName() + ".probe-" + probeTasks);
    return HeadroomProbe.compare(
        probe(engine, new Learner.Pupil(foundation, null, null), seed, first),
        probe(engine, pupil, seed, finished),
        HeadroomPolicy.DEFAULT.steps(),
        LEVEL);
  }

  private ProbeResult probe(Engine engine, Learner.Pupil pupil, long seed, Path finished) {
    HeadroomPolicy usual = HeadroomPolicy.DEFAULT;
    return engine.probe(
        new ProbeJob(
            pupil.model(),
            pupil.adapter(),
            HeadroomProbe.recipe(usual, source.pace.precision()),
            2,
            ProbeTasks.of(seed, 0, probeTasks, usual.seeds()),
            finished.toAbsolutePath()),
        Progress.NONE);
  }

  private static double score(LanguageModel model, List<Item> items) {
    List<Outcome> outcomes =
        model.evaluate(
            items, new Scorer(ScorerKind.EXACT_MATCH, ANSWER_TOKENS, null), Progress.NONE);
    return outcomes.stream().mapToDouble(Outcome::score).average().orElse(Double.NaN);
  }

  /**
   * Scores after a lesson.
   *
   * @param lesson its name
   * @param scores by the name of the task; what is not there was not measured
   * @param headroom by the worse of steps and area, with an interval of {@link #LEVEL}; none where
   *     that was not measured
   * @param stepsHeadroom by the steps alone, likewise
   * @param rowsRead by all trainings so far
   * @param note how it came about, for people
   */
  record Result(
      String method,
      long seed,
      String lesson,
      SortedMap<String, Double> scores,
      Headroom.@Nullable Ratio headroom,
      Headroom.@Nullable Ratio stepsHeadroom,
      long rowsRead,
      @Nullable String note) {

    boolean isOf(Method ofMethod, long ofSeed, String ofLesson) {
      return method.equals(ofMethod.id()) && seed == ofSeed && lesson.equals(ofLesson);
    }

    String line() {
      return String.format(
          Locale.ROOT,
          "%s, seed %d, after %s: %.3f, %s%s, %,d rows read%s",
          method,
          seed,
          lesson,
          accuracy(),
          scores,
          headroom == null ? "" : ", headroom " + headroom + ", by steps " + stepsHeadroom,
          rowsRead,
          note == null ? "" : "; " + note);
    }

    /** Of everything that holds: measured as such, or the mean over the tasks. */
    double accuracy() {
      Double whole = scores.get(Stream.EVERYTHING);
      return whole != null
          ? whole
          : scores.values().stream().mapToDouble(s -> s).average().orElse(Double.NaN);
    }
  }
}
