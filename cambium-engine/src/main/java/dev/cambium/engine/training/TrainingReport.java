package dev.cambium.engine.training;

import dev.cambium.model.Telemetry;
import org.jspecify.annotations.Nullable;

/**
 * What a training run did, over all its steps, those before a resumption included.
 *
 * @param losses mean loss per supervised token of every step, in nats
 * @param gradientNorms global norm of every step's gradient before clipping
 * @param tokens tokens read
 * @param supervisedTokens tokens that carried loss
 * @param cutRows rows longer than the recipe's limit, cut at their end
 * @param droppedRows rows with no supervised token within the limit, not trained on
 * @param resumedFrom the step that a snapshot let it start from; 0 for a run from the beginning
 * @param telemetry how well the model still learns; none if it was not to be taken
 * @param subspace where the update lies; none without telemetry
 */
public record TrainingReport(
    float[] losses,
    float[] gradientNorms,
    long tokens,
    long supervisedTokens,
    int cutRows,
    int droppedRows,
    int resumedFrom,
    @Nullable Telemetry telemetry,
    @Nullable UpdateSubspace subspace) {

  /** Steps made. */
  public int steps() {
    return losses.length;
  }

  /** Mean loss of the last tenth of the steps, at least one. */
  public double finalLoss() {
    int count = Math.max(1, losses.length / 10);
    double sum = 0;
    for (int i = losses.length - count; i < losses.length; i++) {
      sum += losses[i];
    }
    return sum / count;
  }
}
