package dev.cambium.bench.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class UpgradeTableTest {

  @Test
  void figuresAreThoseComputedByHand() {
    // Of 100 items: 80 right in both, 8 after the upgrade only, 10 after retraining only.
    List<LineResult> results =
        List.of(
            result("a", 1, "travel", "transplant", 0.88, 0.9, 0.45, 2, 30, 1_000),
            result("a", 2, "travel", "distill", 0.88, 0.9, 0.45, 4, 50, 1_000),
            result("a", 1, "home", null, 0.7, 0.9, null, 0, 120, 1_000));

    List<String> lines = UpgradeTable.of(results).lines().toList();

    // 0.88 / 0.9; flips of 0.02 and 0.04, half an interval of two values 12.706 × 0.02 / 2;
    // compute (30 + 120) / 2,000 and 50 / 1,000.
    assertThat(lines.get(2))
        .isEqualTo(
            "| a: trained on | 2 | 3, 2 | 0.978 ± 0.000 | ≥ 0.99, missed | 0.978 travel |"
                + " 0.030 ± 0.127 | ≤ 0.01, missed | 0.010 ± 0.000 | 0.063 ± 0.159 |"
                + " ≤ 0.05, missed | 0.500 ± 0.000 | distill 1, rejected 1, transplant 1 |"
                + " 0.500 ± 0.000 |");
    // Two seeds together: ratio 176 / 180, variance of its logarithm 36 / (176 × 180).
    assertThat(lines.get(6))
        .isEqualTo(
            "| a | travel | lora | distill 1, transplant 1 | 0.900 | 0.880 | 0.900 |"
                + " 0.978 (0.915 to 1.045) | 0.030 | 0.450 | 0.040 |");
    assertThat(lines.get(7))
        .isEqualTo("| a | home | lora | rejected 1 | 0.900 |  | 0.900 |  |  |  | 0.120 |");
  }

  private static LineResult result(
      String scenario,
      long seed,
      String line,
      @Nullable String rung,
      double kept,
      double retrained,
      @Nullable Double naive,
      int flips,
      double operations,
      double retraining) {
    return new LineResult(
        scenario,
        seed,
        line,
        "lora",
        rung == null ? "rejected" : "released",
        rung,
        List.of(),
        100,
        0.9,
        kept,
        retrained,
        naive,
        80,
        8,
        10,
        flips,
        1,
        operations,
        retraining,
        5,
        10.0);
  }
}
