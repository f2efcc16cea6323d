package dev.cambium.stats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The estimate against what really follows when the observed rates are the truth. */
class ItemsToDecideTest {

  @ParameterizedTest
  @CsvSource({
    // margin, negative and positive flips among the first items, items
    "0.05, 0, 0, 20",
    "0.05, 2, 2, 60",
    "0.05, 1, 3, 40",
    "0.05, 6, 1, 40",
    "0.02, 2, 2, 100",
    "0.10, 5, 5, 60",
  })
  void isNearTheMedianOfWhatFollows(double margin, int worse, int better, int items) {
    double[] seen = new double[items];
    for (int i = 0; i < worse + better; i++) {
      seen[i * items / (worse + better)] = i % 2 == 0 && i / 2 < better || i >= 2 * worse ? 1 : -1;
    }
    SplittableRandom random = new SplittableRandom(1);
    int runs = 201;
    double[] more = new double[runs];
    long estimate = -1;
    for (int run = 0; run < runs; run++) {
      NonInferiorityTest test = NonInferiorityTest.open(margin, 0.05);
      Arrays.stream(seen).forEach(test::observe);
      estimate = test.itemsToDecide().orElseThrow();
      while (test.finding() == Finding.UNDECIDED && test.count() < 50_000) {
        test.observe(seen[random.nextInt(items)]);
      }
      more[run] = test.count() - items;
    }
    Arrays.sort(more);
    assertThat((double) estimate)
        .as("estimate against the median %s", more[runs / 2])
        .isBetween(more[runs / 2] / 2, more[runs / 2] * 1.6);
  }

  @Test
  void isEmptyWhereTheObservationsFavourNeitherSide() {
    NonInferiorityTest test = NonInferiorityTest.open(0.5, 0.05);
    test.observe(-0.5);
    assertThat(test.itemsToDecide()).isEmpty();
  }
}
