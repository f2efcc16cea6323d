package dev.cambium.story;

import dev.cambium.model.Recipe;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How large everything in the demo is: as large as its time allows on two cores.
 *
 * @param vocabulary tokens
 * @param layers of the decoder
 * @param width of the decoder
 * @param heads of its attention
 * @param firstSteps pre-training steps of v1
 * @param secondSteps further steps to v2
 * @param industrialSteps fine-tuning steps of an industrial model
 * @param adapterSteps of an adapter
 * @param floor lowest acceptable score of a task
 * @param margin how much a task's score may fall
 * @param basicsFloor lowest acceptable score of the foundation's own suite
 */
record Sizes(
    int vocabulary,
    int layers,
    int width,
    int heads,
    int firstSteps,
    int secondSteps,
    int industrialSteps,
    int adapterSteps,
    double floor,
    double margin,
    double basicsFloor) {

  static final String PRETRAINING = "pretraining";
  static final String INDUSTRIAL = "industrial-tuning";
  static final String ADAPTER = "adapter-tuning";

  static final Sizes FULL = new Sizes(768, 4, 112, 4, 900, 400, 300, 250, 0.5, 0.1, 0.3);
  static final Sizes QUICK = new Sizes(640, 3, 80, 4, 330, 100, 130, 80, 0.2, 0.12, 0.1);

  private static final int ROWS = 32;
  private static final int TOKENS = 64;

  Map<String, Recipe> recipes() {
    Map<String, Recipe> recipes = new LinkedHashMap<>();
    recipes.put(INDUSTRIAL, tuning(industrialSteps, 1e-3, 0.8));
    recipes.put(
        ADAPTER,
        new Recipe(
            Recipe.Method.LORA,
            new Recipe.Lora(8, 16, List.of()),
            adapterSteps,
            ROWS,
            1,
            TOKENS,
            3e-3,
            0.05,
            Recipe.Schedule.COSINE,
            0,
            1,
            0.5));
    return recipes;
  }

  /** From scratch. */
  Recipe pretraining() {
    return tuning(firstSteps, 2e-3, 0);
  }

  /** Further, at a rate that a trained model keeps its skills under. */
  Recipe furtherPretraining() {
    return tuning(secondSteps, 5e-4, 0);
  }

  private static Recipe tuning(int steps, double learningRate, double replayShare) {
    return new Recipe(
        Recipe.Method.FULL,
        null,
        steps,
        ROWS,
        1,
        TOKENS,
        learningRate,
        0.05,
        Recipe.Schedule.COSINE,
        0.01,
        1,
        replayShare);
  }
}
