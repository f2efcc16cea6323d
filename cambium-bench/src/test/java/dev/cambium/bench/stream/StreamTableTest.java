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

    // Means of 0.6 and 0.65; of these ÷ 0.8; of 0.5 and 0.4; retraining reads 100 + 200 rows.
    // Half an interval of two values a and b: 12.706 × |a − b| / 2.
    assertThat(StreamTable.of(results, List.of("a", "b")).lines().skip(2))
        .containsExactly(
            "| naive, full weights | 2 | 0.625 ± 0.318 | 0.781 ± 0.397 | 0.450 ± 0.635 |"
                + " 0.850 ± 0.000 | 0.900 ± 0.000 | 0.667 ± 0.000 |",
            "| joint | 2 | 0.800 ± 0.000 | 1.000 ± 0.000 | |  | 0.900 ± 0.000 | 0.667 ± 0.000 |",
            "| fresh fork | 2 | | | | 0.800 ± 0.000 | | |");
  }

  private static Result result(
      String method, long seed, String lesson, Map<String, Double> scores, long rows) {
    Headroom.Ratio headroom = lesson.equals("b") ? new Headroom.Ratio(0.9, 0.8, 1.0) : null;
    return new Result(method, seed, lesson, new TreeMap<>(scores), headroom, rows);
  }
}
