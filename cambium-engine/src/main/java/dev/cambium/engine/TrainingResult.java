package dev.cambium.engine;

import dev.cambium.model.Telemetry;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a training did.
 *
 * @param losses mean loss per supervised token of every step, in nats
 * @param finalLoss mean of the last tenth of them
 * @param rows rows that were learnt from
 * @param tokens tokens read
 * @param supervisedTokens tokens that carried loss
 * @param truncatedRows rows cut at the recipe's longest
 * @param droppedRows rows without a supervised token in what was left of them
 * @param parameters weights that could move
 * @param resumedFrom the step that a snapshot let it start from; 0 for a run from the beginning
 * @param seconds wall time from the start or resumption
 * @param telemetry how well the model still learns; none in results of earlier versions
 */
public record TrainingResult(
    List<Float> losses,
    double finalLoss,
    int rows,
    long tokens,
    long supervisedTokens,
    int truncatedRows,
    int droppedRows,
    long parameters,
    int resumedFrom,
    double seconds,
    @Nullable Telemetry telemetry) {

  public TrainingResult {
    losses = List.copyOf(losses);
  }
}
