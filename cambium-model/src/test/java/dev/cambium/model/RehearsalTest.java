package dev.cambium.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RehearsalTest {

  private static Recipe plain(double replayShare) {
    return new Recipe(
        Recipe.Method.FULL,
        null,
        180,
        16,
        1,
        64,
        0.001,
        0.05,
        Recipe.Schedule.COSINE,
        0.01,
        1,
        replayShare);
  }

  private static Recipe recipe(double replayShare, double passes) {
    return plain(replayShare)
        .withProtection(Protection.NONE.withRehearse(passes).withBalanceBy("intent"));
  }

  @Test
  void stepsGrowWithTheRowsThatAreKeptAndThoseForNewOnesStay() {
    Recipe recipe = recipe(0, 0.85);
    for (long rows : new long[] {1, 16, 1_500, 13_500}) {
      Recipe grown = recipe.rehearsing(rows);
      double drawn = (double) grown.steps() * grown.batchRows();
      assertThat(drawn * grown.replayShare())
          .as("rows drawn of %d", rows)
          .isBetween(0.85 * rows, 0.85 * rows + 16);
      assertThat(drawn * (1 - grown.replayShare()))
          .as("rows drawn of the new ones")
          .isCloseTo(180.0 * 16, within(1e-6));
      assertThat(grown.protect()).isEqualTo(Protection.NONE.withBalanceBy("intent"));
      assertThat(grown.withSteps(180).withProtection(null))
          .as("all else stays")
          .isEqualTo(plain(grown.replayShare()));
    }
  }

  @Test
  void nothingIsAddedWhereThereIsNothingToRehearse() {
    Recipe recipe = recipe(0, 0.85);
    assertThat(recipe.rehearsing(0)).isEqualTo(recipe);
    Recipe plain = recipe.withProtection(null);
    assertThat(plain.rehearsing(1_000)).isEqualTo(plain);
  }

  @Test
  void howMuchIsReplayedIsSaidOnce() {
    assertThatThrownBy(() -> recipe(0.5, 0.85))
        .hasMessageContaining("replay-share or protect: { rehearse");
    assertThatThrownBy(() -> Protection.NONE.withRehearse(0.0)).hasMessageContaining("rehearse");
  }
}
