package dev.cambium.loop.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PromptSearchTest {

  /** Wordings with these scores, on every item alike, and what was scored of them. */
  private static final class Wordings implements PromptSearch.Scoring {
    final double before;
    final double[] scores;
    final Map<Integer, Integer> scored = new HashMap<>();
    final List<Integer> order = new ArrayList<>();

    Wordings(double before, double... scores) {
      this.before = before;
      this.scores = scores;
    }

    @Override
    public double score(int candidate, List<Integer> items) {
      scored.put(candidate, items.stream().mapToInt(Integer::intValue).sum());
      order.add(candidate);
      return candidate < 0 ? before : scores[candidate];
    }

    int evaluations() {
      return scored.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  @Test
  void theBestIsFoundAndMostAreScoredOnFewItems() {
    Wordings wordings = new Wordings(0.9, 0.5, 0.6, 0.7, 0.8, 0.2, 0.1, 0.3, 0.4);
    PromptSearch.Found found = PromptSearch.among(8, List.of(60), wordings);
    assertThat(found.best()).isEqualTo(3);
    assertThat(found.hopeless()).isFalse();
    assertThat(wordings.scored)
        .containsEntry(-1, 60)
        .containsEntry(3, 60)
        .containsEntry(2, 60)
        .containsEntry(1, 16)
        .containsEntry(5, 8);
    assertThat(wordings.evaluations())
        .isLessThan(9 * 60 / 2)
        .isEqualTo(PromptSearch.evaluations(8, List.of(60)));
    assertThat(found.looks()).hasSize(9);
    assertThat(found.looks().get(3)).isEqualTo(new PromptSearch.Look(3, 60, 0.8));
    assertThat(found.looks().get(5)).isEqualTo(new PromptSearch.Look(5, 8, 0.1));
    assertThat(found.looks().get(8)).isEqualTo(new PromptSearch.Look(-1, 60, 0.9));
  }

  @Test
  void ofEquallyGoodOnesTheFirstIsTaken() {
    assertThat(PromptSearch.among(4, List.of(20), new Wordings(1, 0.8, 0.8, 0.8, 0.8)).best())
        .isZero();
    assertThat(PromptSearch.among(4, List.of(20), new Wordings(1, 0.7, 0.8, 0.7, 0.8)).best())
        .isEqualTo(1);
  }

  @Test
  void whereNoneComesNearTheSearchEndsAfterItsFirstRound() {
    Wordings wordings = new Wordings(0.9, 0.1, 0.44, 0.2, 0);
    PromptSearch.Found found = PromptSearch.among(4, List.of(60), wordings);
    assertThat(found.hopeless()).isTrue();
    assertThat(found.best()).isEqualTo(1);
    assertThat(wordings.evaluations()).isEqualTo(5 * 8);
  }

  @Test
  void twoAreDecidedBetweenOnAllItemsAndEachPartHasItsShareOfEveryRound() {
    List<List<Integer>> asked = new ArrayList<>();
    PromptSearch.Found found =
        PromptSearch.among(
            2,
            List.of(60, 1, 30),
            (candidate, items) -> {
              asked.add(items);
              return candidate == 1 ? 0.9 : 0.8;
            });
    assertThat(found.best()).isEqualTo(1);
    assertThat(found.looks()).allMatch(look -> look.items() == 91);
    assertThat(asked.get(0)).containsExactly(6, 1, 3);
    assertThat(asked).allMatch(items -> items.stream().noneMatch(part -> part == 0));
    assertThat(asked.get(asked.size() - 1)).containsExactly(60, 1, 30);
  }

  /** On any sizes: never more than was said beforehand, and nobody left out. */
  @Test
  void neverMoreIsScoredThanWasSaid() {
    Random random = new Random(5);
    for (int run = 0; run < 300; run++) {
      int candidates = 1 + random.nextInt(24);
      double[] scores = random.doubles(candidates).toArray();
      List<Integer> parts = new ArrayList<>();
      for (int part = 0; part <= random.nextInt(3); part++) {
        parts.add(1 + random.nextInt(60));
      }
      Wordings wordings = new Wordings(random.nextDouble(), scores);
      PromptSearch.Found found = PromptSearch.among(candidates, parts, wordings);
      assertThat(wordings.evaluations())
          .isLessThanOrEqualTo(PromptSearch.evaluations(candidates, parts));
      assertThat(found.looks()).hasSize(candidates + 1);
      assertThat(scores[found.best()]).as("scores without noise").isEqualTo(max(scores));
    }
  }

  private static double max(double[] scores) {
    double most = 0;
    for (double score : scores) {
      most = Math.max(most, score);
    }
    return most;
  }
}
