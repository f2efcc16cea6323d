package dev.cambium.engine;

import java.util.List;

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
    double seconds) {

  public TrainingResult {
    losses = List.copyOf(losses);
  }
}
