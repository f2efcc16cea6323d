package dev.cambium.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a training showed of how well its version still learns, measured at its start, at its end
 * and at a few points in between. Cheap, and no verdict: a version's headroom is what a probe
 * measures, and these numbers say where to look.
 *
 * <p>Numbers of two trainings can be compared where the models have the same shape: the same
 * matrices are measured then. Features also depend on the rows that they were computed on, which
 * are the same at all points of one training.
 *
 * @param matrices names of the layer matrices that were measured: of large models a sample, spread
 *     over the layers, with every kind of matrix in it
 * @param tokens that features and units were measured on, rows of the training's own mix
 * @param points by step, the first before the first step, the last after all
 * @param update what the training changed; none where a point or the change was not finite
 */
public record Telemetry(
    List<String> matrices, int tokens, List<Point> points, @Nullable Update update) {

  /**
   * One look at a model.
   *
   * @param step steps made before it
   * @param weights mean over the matrices measured, as they act: with an adapter's update in them
   * @param features of the states after the last norm: tokens × hidden size, not centred
   * @param dormant share of feed-forward units with a dormancy score of at most 0.025: mean
   *     |activation| over the tokens, divided by the mean of that over the layer (Sokar et al.,
   *     2023)
   * @param weightNorm √Σ‖W‖² over the matrices measured (its growth goes with lost plasticity; Lyle
   *     et al., 2024)
   * @param gradientNorm mean, since the point before, of the gradient's norm before clipping; at
   *     the start that of the first step
   */
  public record Point(
      int step,
      Ranks weights,
      Ranks features,
      double dormant,
      double weightNorm,
      double gradientNorm) {}

  /**
   * How many directions a matrix uses.
   *
   * @param effective exp(−Σ p ln p) with p = σ / Σσ over the singular values σ (Roy and Vetterli,
   *     2007); 0 for a matrix of zeros
   * @param stable Σσ² / max σ² (Rudelson and Vershynin, 2007); 0 for a matrix of zeros
   * @param full the most that either can be: the smaller side
   */
  public record Ranks(double effective, double stable, double full) {}

  /**
   * What a training changed of the matrices measured.
   *
   * @param relativeNorm √Σ‖ΔW‖² / √Σ‖W‖², W at the start
   * @param ranks of ΔW, mean over the matrices
   */
  public record Update(double relativeNorm, Ranks ranks) {}

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Telemetry {
    matrices = matrices == null ? List.of() : List.copyOf(matrices);
    points = points == null ? List.of() : List.copyOf(points);
  }

  /** How the weights' norm grew from the first point to the last: 1.1 is a tenth more. */
  public double normGrowth() {
    return points.isEmpty() || points.get(0).weightNorm() == 0
        ? 1
        : points.get(points.size() - 1).weightNorm() / points.get(0).weightNorm();
  }
}
