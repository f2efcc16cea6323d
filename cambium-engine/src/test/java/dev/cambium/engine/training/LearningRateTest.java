package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.model.Recipe;
import org.junit.jupiter.api.Test;

class LearningRateTest {

  private static LearningRate of(int steps, double warmup, Recipe.Schedule schedule) {
    return new LearningRate(
        new Recipe(Recipe.Method.FULL, null, steps, 1, 1, 8, 0.01, warmup, schedule, 0, 0, 0));
  }

  @Test
  void risesThenFallsToATenth() {
    LearningRate rate = of(101, 0.1, Recipe.Schedule.COSINE);
    assertThat(rate.at(0)).isCloseTo(0.01 / 11, within(1e-12));
    assertThat(rate.at(9)).isCloseTo(0.1 / 11, within(1e-12));
    assertThat(rate.at(10)).isCloseTo(0.01, within(1e-12));
    assertThat(rate.at(55)).isCloseTo(0.0055, within(1e-12));
    assertThat(rate.at(100)).isCloseTo(0.001, within(1e-12));
  }

  @Test
  void staysConstantWhateverTheHorizon() {
    for (int step = 0; step < 50; step++) {
      assertThat(of(50, 0, Recipe.Schedule.CONSTANT).at(step)).isEqualTo(0.01);
    }
    assertThat(of(1, 0, Recipe.Schedule.COSINE).at(0)).isEqualTo(0.01);
  }
}
