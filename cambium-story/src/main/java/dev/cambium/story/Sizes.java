package dev.cambium.story;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.model.Distillation;
import dev.cambium.model.Recipe;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.story.data.Scale;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How large everything in the demo is: as large as its time allows on two cores.
 *
 * @param scale of the data
 * @param scratch how v1 is made from nothing; none where a user brings it
 * @param second further training to v2
 * @param industrial fine-tuning of an industrial model
 * @param adapter training of an adapter
 * @param batchRows rows of a step
 * @param tokens of the longest row
 * @param precision of matrix products
 * @param floor lowest acceptable score of a task
 * @param margin how much a task's score may fall
 * @param basics how the foundation's own suite is scored
 * @param basicsFloor lowest acceptable score of the foundation's own suite
 */
record Sizes(
    Scale scale,
    @Nullable Scratch scratch,
    Training second,
    Training industrial,
    Training adapter,
    int batchRows,
    int tokens,
    Recipe.Precision precision,
    double floor,
    double margin,
    Scorer basics,
    double basicsFloor) {

  /**
   * How long and how fast something learns.
   *
   * @param steps of the optimizer
   * @param rate peak learning rate
   */
  record Training(int steps, double rate) {}

  /**
   * A foundation from nothing.
   *
   * @param vocabulary tokens
   * @param layers of the decoder
   * @param width of the decoder
   * @param heads of its attention
   * @param training of all that
   */
  record Scratch(int vocabulary, int layers, int width, int heads, Training training) {
    ModelInitializer.Shape shape() {
      return new ModelInitializer.Shape(layers, width, heads, heads, 2 * width, vocabulary, 256);
    }
  }

  static final String INDUSTRIAL = "industrial-tuning";
  static final String ADAPTER = "adapter-tuning";

  private static final Scorer EXACT = new Scorer(ScorerKind.EXACT_MATCH, 16, null);

  /** A model that was not made for this text answers in its own words, however well it knows. */
  private static final Scorer LIKELY = Scorer.of(ScorerKind.LIKELIHOOD);

  static final Sizes FULL =
      new Sizes(
          Scale.FULL,
          new Scratch(768, 4, 112, 4, new Training(900, 2e-3)),
          new Training(400, 5e-4),
          new Training(300, 1e-3),
          new Training(250, 3e-3),
          32,
          64,
          Recipe.Precision.FP32,
          0.5,
          0.1,
          EXACT,
          0.3);

  static final Sizes QUICK =
      new Sizes(
          Scale.QUICK,
          new Scratch(640, 3, 80, 4, new Training(330, 2e-3)),
          new Training(100, 5e-4),
          new Training(130, 1e-3),
          new Training(80, 3e-3),
          32,
          64,
          Recipe.Precision.FP32,
          0.2,
          0.12,
          EXACT,
          0.1);

  /** For a user's own foundation, which knows its language already: few steps, gentle ones. */
  static final Sizes OWN = own(Scale.OWN, 30, 120, 80, 0.5, 0.1);

  static final Sizes OWN_QUICK = own(Scale.OWN_QUICK, 12, 60, 40, 0.3, 0.12);

  private static Sizes own(
      Scale scale, int second, int industrial, int adapter, double floor, double margin) {
    return new Sizes(
        scale,
        null,
        new Training(second, 2e-5),
        new Training(industrial, 2e-4),
        new Training(adapter, 1e-3),
        16,
        96,
        Recipe.Precision.BF16,
        floor,
        margin,
        LIKELY,
        0.002);
  }

  /** Models this small need half of what they were trained for to be taught as well. */
  private static final Distillation DISTILLATION =
      new Distillation(0.5, 0.5, Distillation.Divergence.FORWARD_KL, 0.5, 1);

  Map<String, Recipe> recipes() {
    Map<String, Recipe> recipes = new LinkedHashMap<>();
    recipes.put(INDUSTRIAL, tuning(industrial, 0.8));
    recipes.put(
        ADAPTER,
        new Recipe(
                Recipe.Method.LORA,
                new Recipe.Lora(8, 16, List.of()),
                adapter.steps(),
                batchRows,
                1,
                tokens,
                adapter.rate(),
                0.05,
                Recipe.Schedule.COSINE,
                0,
                1,
                0.5)
            .withPrecision(precision)
            .withDistillation(DISTILLATION));
    return recipes;
  }

  /** Of all weights from nothing. */
  Recipe pretraining(Scratch scratch) {
    return tuning(scratch.training(), 0);
  }

  /** Further, at a rate that a trained model keeps its skills under. */
  Recipe furtherPretraining() {
    return tuning(second, 0);
  }

  private Recipe tuning(Training training, double replayShare) {
    return new Recipe(
            Recipe.Method.FULL,
            null,
            training.steps(),
            batchRows,
            1,
            tokens,
            training.rate(),
            0.05,
            Recipe.Schedule.COSINE,
            0.01,
            1,
            replayShare)
        .withPrecision(precision);
  }
}
