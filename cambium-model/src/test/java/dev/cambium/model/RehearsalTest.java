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
      Recipe grown = recipe.updating(100, rows);
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
    assertThat(recipe.updating(100, 0))
        .isEqualTo(recipe.withProtection(Protection.NONE.withBalanceBy("intent")));
    Recipe plain = recipe.withProtection(null);
    assertThat(plain.updating(100, 1_000)).isEqualTo(plain);
  }

  @Test
  void epochsCountTheRowsThatAreNew() {
    Recipe recipe = plain(0).withEpochs(3.5);
    assertThat(recipe.updating(100, 0).steps()).as("at least the recipe's").isEqualTo(180);
    assertThat(recipe.updating(1_500, 0).steps()).isEqualTo((int) Math.ceil(3.5 * 1_500 / 16));
    assertThat(recipe.anew(3_000).steps()).isEqualTo((int) Math.ceil(3.5 * 3_000 / 16));
    assertThat(recipe.updating(100, 0).epochs()).as("counted").isNull();
    Recipe replaying = plain(0.5).withEpochs(3.5);
    assertThat(replaying.updating(1_500, 9_000).steps())
        .as("half of every step is for what is new")
        .isEqualTo((int) Math.ceil(2 * 3.5 * 1_500 / 16));
    Recipe both = recipe(0, 0.85).withEpochs(3.5).updating(1_500, 1_500);
    assertThat(both.steps())
        .isEqualTo((int) (Math.ceil(3.5 * 1_500 / 16) + Math.ceil(0.85 * 1_500 / 16)));
    assertThatThrownBy(() -> recipe.withEpochs(0.0)).hasMessageContaining("epochs");
  }

  @Test
  void fewerRowsAreNotSplitIntoMorePasses() {
    Recipe split =
        new Recipe(
            Recipe.Method.FULL, null, 10, 16, 8, 64, 0.001, 0, Recipe.Schedule.COSINE, 0, 1, 0);
    Recipe distilling = split.distilling();
    assertThat(distilling.batchRows()).isEqualTo(4);
    assertThat(distilling.accumulation()).isEqualTo(4);
    assertThat(split.withBatchRows(16)).isEqualTo(split);
  }

  @Test
  void howMuchIsReplayedIsSaidOnce() {
    assertThatThrownBy(() -> recipe(0.5, 0.85))
        .hasMessageContaining("replay-share or protect: { rehearse");
    assertThatThrownBy(() -> Protection.NONE.withRehearse(0.0)).hasMessageContaining("rehearse");
  }
}
