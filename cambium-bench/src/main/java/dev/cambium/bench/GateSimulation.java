package dev.cambium.bench;

import dev.cambium.stats.Finding;
import dev.cambium.stats.NonInferiorityTest;
import dev.cambium.stats.PairedScoreTest;
import dev.cambium.stats.SequentialTest;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.IntFunction;

/**
 * What the release gate's test does, by simulation: its error rates, its power, the items it needs
 * beside the fixed-sample test, and the threshold rule that other gates use. Prints Markdown
 * tables; the same seed prints the same figures.
 *
 * <p>Run: {@code java -cp … dev.cambium.bench.GateSimulation [SEED]}.
 */
public final class GateSimulation {

  private static final double ALPHA = 0.05;
  private static final double POWER = 0.8;

  /** Runs behind each figure, and behind each step of a search. */
  private static final int RUNS = 10_000;

  private static final int SEARCH_RUNS = 4_000;

  /** An open test that has not decided by then counts as undecided. */
  private static final int OPEN_LIMIT = 20_000;

  private final PrintStream out;
  private final long seed;

  private GateSimulation(PrintStream out, long seed) {
    this.out = out;
    this.seed = seed;
  }

  /** Prints all tables. */
  public static void main(String[] args) {
    long seed = args.length > 0 ? Long.parseLong(args[0]) : 1;
    GateSimulation simulation =
        new GateSimulation(new PrintStream(System.out, true, StandardCharsets.UTF_8), seed);
    long start = System.nanoTime();
    simulation.errors();
    simulation.power();
    simulation.items();
    simulation.thresholdRule();
    simulation.print("%nSeed %d, %.0f s.", seed, (System.nanoTime() - start) / 1e9);
  }

  /**
   * Paired right-or-wrong outcomes of two versions.
   *
   * @param worse probability that an item is right before and wrong now
   * @param better probability that an item is wrong before and right now
   */
  private record Pairs(double worse, double better) {

    /** Pairs of which a share disagrees, with a mean difference, now minus before. */
    static Pairs of(double discordant, double difference) {
      return new Pairs((discordant - difference) / 2, (discordant + difference) / 2);
    }

    double next(SplittableRandom random) {
      double u = random.nextDouble();
      return u < worse ? -1 : u < worse + better ? 1 : 0;
    }
  }

  /**
   * What many runs of a test came to.
   *
   * @param holds share of runs that found "not inferior"
   * @param broken share that found "inferior"
   * @param items mean number of items looked at
   */
  private record Course(double holds, double broken, double items) {

    double decided(Finding finding) {
      return finding == Finding.HOLDS ? holds : broken;
    }
  }

  private Course simulate(
      int runs, int limit, Pairs pairs, IntFunction<? extends SequentialTest> tests) {
    SplittableRandom random = new SplittableRandom(seed);
    long holds = 0;
    long broken = 0;
    long items = 0;
    for (int run = 0; run < runs; run++) {
      SequentialTest test = tests.apply(run);
      while (test.finding() == Finding.UNDECIDED && test.count() < limit) {
        test.observe(pairs.next(random));
      }
      holds += test.finding() == Finding.HOLDS ? 1 : 0;
      broken += test.finding() == Finding.BROKEN ? 1 : 0;
      items += test.count();
    }
    return new Course((double) holds / runs, (double) broken / runs, (double) items / runs);
  }

  private Course planned(int runs, int items, double margin, Pairs pairs) {
    return simulate(runs, items, pairs, run -> NonInferiorityTest.planned(margin, ALPHA, items));
  }

  private void errors() {
    print("## False verdicts at the margin's edge%n");
    print(
        "The true drop equals the margin exactly, so both verdicts are false. %,d runs each, alpha"
            + " %.2f, looking after every item and stopping at the first verdict. The last column"
            + " is the fixed-sample score test's exact rate, looking once.%n",
        RUNS, ALPHA);
    print(
        "| margin | discordant pairs | items | false pass | false fail | score test, false pass |");
    print("|---:|---:|---:|---:|---:|---:|");
    double worst = 0;
    for (double[] c :
        new double[][] {
          {0.02, 0.02, 150}, {0.02, 0.10, 150}, {0.02, 0.20, 500}, {0.05, 0.05, 50},
          {0.05, 0.05, 150}, {0.05, 0.11, 25}, {0.05, 0.11, 150}, {0.05, 0.11, 500},
          {0.05, 0.40, 150}, {0.10, 0.10, 50}, {0.10, 0.20, 150}, {0.10, 0.60, 150}
        }) {
      Pairs edge = Pairs.of(c[1], -c[0]);
      int items = (int) c[2];
      Course course = planned(RUNS, items, c[0], edge);
      worst = Math.max(worst, course.holds());
      print(
          "| %.2f | %s | %d | %s | %s | %s |",
          c[0],
          percent(c[1]),
          items,
          percent(course.holds()),
          percent(course.broken()),
          percent(
              PairedScoreTest.probabilityNotInferior(
                  items, edge.worse(), edge.better(), c[0], ALPHA)));
    }
    print("%nLargest false-pass rate: %s.%n", percent(worst));
  }

  private void power() {
    print("## Power%n");
    print(
        "Margin 0.05, alpha %.2f, 11 %% of pairs discordant (more where the drop needs it), %,d"
            + " runs each.%n",
        ALPHA, RUNS);
    print(
        "| true change | items | not inferior | inferior | undecided | mean items |"
            + " score test, not inferior |");
    print("|---:|---:|---:|---:|---:|---:|---:|");
    for (int items : new int[] {150, 300}) {
      for (double change : new double[] {0.05, 0.02, 0, -0.02, -0.05, -0.08, -0.1, -0.2, -0.5}) {
        Pairs pairs = Pairs.of(Math.max(0.11, -change), change);
        Course course = planned(RUNS, items, 0.05, pairs);
        print(
            "| %+.2f | %d | %s | %s | %s | %.0f | %s |",
            change,
            items,
            percent(course.holds()),
            percent(course.broken()),
            percent(1 - course.holds() - course.broken()),
            course.items(),
            percent(
                PairedScoreTest.probabilityNotInferior(
                    items, pairs.worse(), pairs.better(), 0.05, ALPHA)));
      }
    }
    print("");
  }

  private void items() {
    print("## Items to a verdict, beside the fixed-sample test%n");
    print(
        "Both at alpha %.2f and %.0f %% power for the truth given. The score test looks once, after"
            + " a number of items fixed before (the smallest with that power, exact). The planned"
            + " test is given the smallest plan with that power (%,d runs a step) and stops when it"
            + " is decided; the open one has no plan and goes on until it is.%n",
        ALPHA, 100 * POWER, SEARCH_RUNS);
    print(
        "| margin | discordant pairs | true change | score test, items | plan ÷ score test |"
            + " planned, mean items | ÷ score test | open, mean items | ÷ score test |");
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    List<Double> ratios = new ArrayList<>();
    for (double[] c :
        new double[][] {
          {0.05, 0.02, 0},
          {0.05, 0.05, 0},
          {0.05, 0.11, 0},
          {0.05, 0.20, 0},
          {0.05, 0.11, 0.03},
          {0.10, 0.11, 0},
          {0.10, 0.20, 0},
          {0.02, 0.03, 0},
          {0.05, 0.11, -0.11},
          {0.05, 0.20, -0.15},
          {0.05, 0.30, -0.30},
          {0.02, 0.11, -0.07},
          {0.10, 0.30, -0.20}
        }) {
      double margin = c[0];
      Pairs pairs = Pairs.of(c[1], c[2]);
      Finding truth = c[2] > -margin ? Finding.HOLDS : Finding.BROKEN;
      int fixed = fixedItems(margin, pairs, truth);
      int plan = plannedItems(margin, pairs, truth, fixed);
      Course course = planned(RUNS, plan, margin, pairs);
      Course open =
          simulate(SEARCH_RUNS, OPEN_LIMIT, pairs, run -> NonInferiorityTest.open(margin, ALPHA));
      ratios.add(course.items() / fixed);
      print(
          "| %.2f | %s | %+.2f | %d | %.2f | %.0f | %.2f | %.0f | %.2f |",
          margin,
          percent(c[1]),
          c[2],
          fixed,
          (double) plan / fixed,
          course.items(),
          course.items() / fixed,
          open.items(),
          open.items() / fixed);
    }
    print(
        "%nMean of planned ÷ score test: %.2f.%n",
        ratios.stream().mapToDouble(Double::doubleValue).average().orElseThrow());
    print("The same plan, when the truth is clearer than what it was made for (margin 0.05):%n");
    print("| plan | true change | discordant pairs | decided | mean items | ÷ plan |");
    print("|---:|---:|---:|---:|---:|---:|");
    for (double[] c :
        new double[][] {
          {150, 0, 0}, {150, 0.1, 0.12}, {150, -0.2, 0.24}, {150, -0.5, 0.54}, {150, -0.9, 0.9}
        }) {
      Course course = planned(RUNS, (int) c[0], 0.05, Pairs.of(c[2], c[1]));
      print(
          "| %.0f | %+.2f | %s | %s | %.0f | %.2f |",
          c[0],
          c[1],
          percent(c[2]),
          percent(course.holds() + course.broken()),
          course.items(),
          course.items() / c[0]);
    }
    print("");
  }

  /** The smallest number of items with the power, and with it for the next few as well. */
  private static int fixedItems(double margin, Pairs pairs, Finding truth) {
    int run = 0;
    for (int items = 5; ; items++) {
      double power =
          truth == Finding.HOLDS
              ? PairedScoreTest.probabilityNotInferior(
                  items, pairs.worse(), pairs.better(), margin, ALPHA)
              : PairedScoreTest.probabilityInferior(
                  items, pairs.worse(), pairs.better(), margin, ALPHA);
      run = power >= POWER ? run + 1 : 0;
      if (run == 5) {
        return items - 4;
      }
    }
  }

  private int plannedItems(double margin, Pairs pairs, Finding truth, int start) {
    int low = Math.max(2, start / 2);
    int high = 2 * start;
    while (planned(SEARCH_RUNS, high, margin, pairs).decided(truth) < POWER) {
      low = high;
      high *= 2;
    }
    while (high - low > Math.max(1, start / 100)) {
      int middle = (low + high) / 2;
      if (planned(SEARCH_RUNS, middle, margin, pairs).decided(truth) >= POWER) {
        high = middle;
      } else {
        low = middle;
      }
    }
    return high;
  }

  private void thresholdRule() {
    double eps = 0.02;
    print("## The threshold rule of other gates%n");
    print(
        "Reject when the sample's drop exceeds %.2f, else pass. 11 %% of pairs discordant, %,d"
            + " runs each. Beside it the planned test with a margin that promises the same (0.02)"
            + " and one of 0.05.%n",
        eps, RUNS);
    print(
        "| true change | items | threshold rule passes | rejects | margin 0.02: passes | fails |"
            + " undecided | margin 0.05: passes | fails | undecided |");
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (double change : new double[] {-0.05, 0}) {
      for (int items : new int[] {25, 50, 100, 150, 300, 500, 1000}) {
        Pairs pairs = Pairs.of(0.11, change);
        double passes = thresholdPasses(items, eps, pairs);
        Course tight = planned(RUNS, items, 0.02, pairs);
        Course wide = planned(RUNS, items, 0.05, pairs);
        print(
            "| %+.2f | %d | %s | %s | %s | %s | %s | %s | %s | %s |",
            change,
            items,
            percent(passes),
            percent(1 - passes),
            percent(tight.holds()),
            percent(tight.broken()),
            percent(1 - tight.holds() - tight.broken()),
            percent(wide.holds()),
            percent(wide.broken()),
            percent(1 - wide.holds() - wide.broken()));
      }
    }
  }

  private double thresholdPasses(int items, double eps, Pairs pairs) {
    SplittableRandom random = new SplittableRandom(seed);
    int passed = 0;
    for (int run = 0; run < RUNS; run++) {
      int sum = 0;
      for (int i = 0; i < items; i++) {
        sum += (int) pairs.next(random);
      }
      // Compared in items: -3 of 150 is a drop of exactly 0.02 and passes.
      passed += -sum <= Math.round(eps * items * 1e9) / 1e9 ? 1 : 0;
    }
    return (double) passed / RUNS;
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  private void print(String format, Object... values) {
    out.printf(Locale.ROOT, format + "%n", values);
  }
}
