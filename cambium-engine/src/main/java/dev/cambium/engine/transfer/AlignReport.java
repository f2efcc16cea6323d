package dev.cambium.engine.transfer;

import java.util.List;
import java.util.SortedMap;

/**
 * How two bases were aligned, and what became of a change on its way.
 *
 * @param layers for each layer of the old base its partner in the new one, from 0
 * @param residual how the residual streams correspond: {@code matching}, {@code rotation} or {@code
 *     least squares}; where it differs from layer to layer, each way once
 * @param residualExplained share of the new residual stream that the old one gives, on tokens that
 *     nothing was fitted on; mean over layers
 * @param unitsExplained the same of feed-forward units
 * @param valuesExplained the same of value heads
 * @param energyLost share of the change's squared length that does not come back from the new base:
 *     what fell on heads and units without a partner, or on directions that the maps or the
 *     adapter's form do not keep
 * @param lostByModule the same for each kind of module, such as {@code q_proj}
 * @param tokens of calibration text
 */
public record AlignReport(
    List<Integer> layers,
    String residual,
    double residualExplained,
    double unitsExplained,
    double valuesExplained,
    double energyLost,
    SortedMap<String, Double> lostByModule,
    int tokens) {

  public AlignReport {
    layers = List.copyOf(layers);
  }
}
