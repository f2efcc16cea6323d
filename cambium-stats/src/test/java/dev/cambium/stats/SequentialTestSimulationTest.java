package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Error rates and power by seeded simulation, looking after every item. */
class SequentialTestSimulationTest {

  private static final int RUNS = 10_000;
  private static final double ALPHA = 0.05;

  /** Three standard errors of a rate at most ALPHA over RUNS. */
  private static final double SLACK = 3 * Math.sqrt(ALPHA * (1 - ALPHA) / RUNS);

  private record Rates(double holds, double broken) {}

  private static Rates rates(
      int runs,
      int items,
      long seed,
      Supplier<? extends SequentialTest> tests,
      ToDoubleFunction<SplittableRandom> draw) {
    SplittableRandom random = new SplittableRandom(seed);
    int holds = 0;
    int broken = 0;
    for (int run = 0; run < runs; run++) {
      SequentialTest test = tests.get();
      for (int i = 0; i < items && test.finding() == Finding.UNDECIDED; i++) {
        test.observe(draw.applyAsDouble(random));
      }
      holds += test.finding() == Finding.HOLDS ? 1 : 0;
      broken += test.finding() == Finding.BROKEN ? 1 : 0;
    }
    return new Rates((double) holds / runs, (double) broken / runs);
  }

  @ParameterizedTest
  @CsvSource({
    // margin, discordant share, items: exactly at the margin's edge
    "0.05, 0.05, 150", // only losses
    "0.05, 0.10, 150",
    "0.05, 0.40, 150",
    "0.02, 0.02, 250",
    "0.02, 0.10, 200",
    "0.10, 0.12, 50",
    "0.10, 0.60, 100",
    "0.30, 0.90, 100",
  })
  void errorsAtTheEdgeStayBelowAlphaWhenStoppingAtWill(
      double margin, double discordant, int items) {
    Draws edge = Draws.of(discordant, -margin);
    // Twice the plan: what follows the plan must be valid too.
    Rates planned =
        rates(
            RUNS, 2 * items, 1, () -> NonInferiorityTest.planned(margin, ALPHA, items), edge::next);
    assertThat(planned.holds()).isBetween(0.001, ALPHA + SLACK);
    assertThat(planned.broken()).isBetween(0.0005, ALPHA + SLACK);
    Rates open =
        rates(RUNS / 4, items, 2, () -> NonInferiorityTest.open(margin, ALPHA), edge::next);
    assertThat(open.holds()).isLessThanOrEqualTo(ALPHA + 2 * SLACK);
    assertThat(open.broken()).isLessThanOrEqualTo(ALPHA + 2 * SLACK);
  }

  @Test
  void errorsStayBelowAlphaForScoresBetweenRightAndWrong() {
    // One item in ten loses anything between nothing and all: the mean is exactly -0.05.
    Rates rates =
        rates(
            RUNS,
            150,
            3,
            () -> NonInferiorityTest.planned(0.05, ALPHA, 150),
            random -> random.nextDouble() < 0.1 ? -random.nextDouble() : 0);
    assertThat(rates.broken()).isLessThanOrEqualTo(ALPHA + SLACK);
    assertThat(rates.holds()).isLessThanOrEqualTo(ALPHA + SLACK);
  }

  @Test
  void errorsStayBelowAlphaWhenItemsDependOnEachOther() {
    // After a loss the next is compensated: only the conditional means obey the null.
    SplittableRandom random = new SplittableRandom(4);
    int passed = 0;
    for (int run = 0; run < RUNS; run++) {
      NonInferiorityTest test = NonInferiorityTest.planned(0.1, ALPHA, 100);
      double discordant = 0.1;
      for (int i = 0; i < 100 && test.finding() == Finding.UNDECIDED; i++) {
        double d = Draws.of(discordant, -0.1).next(random);
        discordant = d == 0 ? Math.min(0.8, discordant + 0.05) : 0.1;
        test.observe(d);
      }
      passed += test.finding() == Finding.HOLDS ? 1 : 0;
    }
    assertThat((double) passed / RUNS).isBetween(0.001, ALPHA + SLACK);
  }

  @ParameterizedTest
  @CsvSource({"0.5, 100", "0.8, 100", "0.95, 100", "0.8, 25", "0.99, 300"})
  void floorErrorsStayBelowAlpha(double floor, int items) {
    Rates rates =
        rates(
            RUNS,
            items,
            5,
            () -> FloorTest.planned(floor, ALPHA, items),
            random -> random.nextDouble() < floor ? 1 : 0);
    assertThat(rates.holds()).isLessThanOrEqualTo(ALPHA + SLACK);
    assertThat(rates.broken()).isBetween(0.0005, ALPHA + SLACK);
  }

  @Test
  void powerGrowsWithTheTruthAndWithTheItems() {
    double before = -1;
    for (double mean : new double[] {-0.1, -0.075, -0.05, -0.025, 0, 0.025, 0.05}) {
      Rates rates =
          rates(
              2_000,
              150,
              6,
              () -> NonInferiorityTest.planned(0.05, ALPHA, 150),
              Draws.of(0.1, mean)::next);
      assertThat(rates.holds()).as("power at mean %s", mean).isGreaterThanOrEqualTo(before);
      before = rates.holds();
    }
    assertThat(before).isGreaterThan(0.85);
    before = 0;
    for (int items : new int[] {50, 100, 200, 400}) {
      Rates rates =
          rates(
              2_000,
              items,
              7,
              () -> NonInferiorityTest.planned(0.05, ALPHA, items),
              Draws.of(0.1, 0)::next);
      assertThat(rates.holds()).as("power with %s items", items).isGreaterThan(before);
      before = rates.holds();
    }
    assertThat(before).isGreaterThan(0.85);
  }
}
