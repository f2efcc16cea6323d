package dev.cambium.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.bench.stream.StreamBenchmark.Result;
import dev.cambium.loop.headroom.Headroom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class StreamTableTest {

  @Test
  void summariesAreThoseOfTheHandComputedMatrix() {
    List<Result> results = new ArrayList<>();
    for (long seed = 1; seed <= 2; seed++) {
      // Seed 2 keeps a tenth more of the first task.
      double kept = seed == 1 ? 0.4 : 0.5;
      results.add(result("naive-full", seed, "a", Map.of("a", 0.9), 100));
      results.add(result("naive-full", seed, "b", Map.of("a", kept, "b", 0.8), 200));
      results.add(result("joint", seed, "b", Map.of("a", 0.8, "b", 0.8), 200));
      results.add(result("fresh", seed, "a", Map.of("a", 0.9), 100));
      results.add(result("fresh", seed, "b", Map.of("b", 0.7), 200));
    }
    // Of a stream that was not learnt to its end nothing is told.
    results.add(result("ewc", 1, "a", Map.of("a", 0.9), 100));

    // Means of 0.6 and 0.65; of these ÷ 0.8; of 0.5 and 0.4; retraining reads 300 rows.
    // Half an interval of two values a and b: 12.706 × |a − b| / 2.
    assertThat(StreamTable.of(results, List.of("a", "b"), 300).lines().skip(2))
        .containsExactly(
            "| naive, full weights | 2 | 0.625 ± 0.318 | 0.781 ± 0.397 | 0.450 ± 0.635 |"
                + " 0.850 ± 0.000 | 0.900 ± 0.000 | 0.950 ± 0.000 | 0.667 ± 0.000 |",
            "| joint | 2 | 0.800 ± 0.000 | 1.000 ± 0.000 |  |  | 0.900 ± 0.000 |"
                + " 0.950 ± 0.000 | 0.667 ± 0.000 |",
            "| fresh fork | 2 |  |  |  | 0.800 ± 0.000 | 0.900 ± 0.000 | 0.950 ± 0.000 |  |",
            "| retraining on everything at every step | | | | | | | | 1 (300 rows) |");
  }

  @Test
  void aWholeIsNotAveragedWithItsPartsAndHasNoForgetting() {
    List<Result> results = new ArrayList<>();
    results.add(result("cambium", 1, "a", Map.of("a", 0.9, "everything", 0.9), 100));
    results.add(result("cambium", 1, "b", Map.of("b", 0.5, "everything", 0.6), 150));
    results.add(result("joint", 1, "b", Map.of("b", 0.7, "everything", 0.8), 200));
    assertThat(StreamTable.of(results, List.of("a", "b"), 300).lines().skip(2).limit(2))
        .containsExactly(
            "| Cambium | 1 | 0.600 | 0.750 |  | 0.700 | 0.90 [0.80, 1.00] | 0.95 [0.85, 1.05] |"
                + " 0.500 |",
            "| joint | 1 | 0.800 | 1.000 |  |  | 0.90 [0.80, 1.00] | 0.95 [0.85, 1.05] | 0.667 |");
  }

  @Test
  void ofTwoResultsOnTheSameTheLaterCounts() {
    List<Result> results = new ArrayList<>();
    results.add(new Result("joint", 1, "a", new TreeMap<>(Map.of("a", 0.5)), null, null, 10, null));
    assertThat(StreamTable.of(results, List.of("a"), 100))
        .contains("| joint | 1 | 0.500 | 1.000 |  |  |  |  | 0.100 |");
    results.add(result("joint", 1, "a", Map.of("a", 0.5), 10));
    results.add(result("joint", 1, "a", Map.of("a", 0.6), 10));
    assertThat(StreamTable.of(results, List.of("a"), 100)).contains("| joint | 1 | 0.600 |");
  }

  @Test
  void tellsTheCurveOfTheHeadroomAndWhatTheGovernorChose() {
    List<Result> results = new ArrayList<>();
    Headroom.Ratio early = new Headroom.Ratio(1.0, 0.9, 1.1);
    results.add(
        new Result(
            "cambium",
            1,
            "a",
            new TreeMap<>(Map.of("a", 0.9)),
            early,
            early,
            100,
            "released; plain"));
    results.add(result("cambium", 1, "b", Map.of("a", 0.9, "b", 0.8), 200));
    assertThat(StreamTable.of(results, List.of("a", "b"), 300))
        .contains(
            "Headroom on the way, Cambium, seed 1:",
            "| a | 0.900 | 1.00 [0.90, 1.10] | 1.00 [0.90, 1.10] |",
            "| b | 0.850 | 0.90 [0.80, 1.00] | 0.95 [0.85, 1.05] |",
            "How Cambium went, seed 1:",
            "- a: released; plain");
  }

  private static Result result(
      String method, long seed, String lesson, Map<String, Double> scores, long rows) {
    boolean last = lesson.equals("b") || method.equals("joint");
    return new Result(
        method,
        seed,
        lesson,
        new TreeMap<>(scores),
        last ? new Headroom.Ratio(0.9, 0.8, 1.0) : null,
        last ? new Headroom.Ratio(0.95, 0.85, 1.05) : null,
        rows,
        null);
  }
}
