package dev.cambium.engine.training;

import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.PassObserver;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * How much each feed-forward unit acts. A unit's score is its mean |activation| over tokens,
 * divided by the mean of that over its layer; it is dormant where the score is at most a threshold
 * (Sokar et al., 2023, with 0.025 in their experiments).
 */
final class Dormancy implements PassObserver {

  private final List<double[]> sums = new ArrayList<>();

  Dormancy(int layers, int units) {
    for (int layer = 0; layer < layers; layer++) {
      sums.add(new double[units]);
    }
  }

  @Override
  public void units(int layer, Tensor activations) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor total = activations.abs().sum(0).contiguous();
      float[] one = Natives.read(total, 0, Math.toIntExact(total.numel()));
      double[] sum = sums.get(layer);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += one[i];
      }
    }
  }

  @Override
  public void states(Tensor states) {}

  /** Scores of a layer's units; all 1 where nothing acts at all or nothing was heard. */
  double[] scores(int layer) {
    double[] sum = sums.get(layer);
    double mean = java.util.Arrays.stream(sum).average().orElse(0);
    return java.util.Arrays.stream(sum).map(s -> mean == 0 ? 1 : s / mean).toArray();
  }

  /** Share of dormant units over all layers. */
  double share(double threshold) {
    long dormant = 0;
    long all = 0;
    for (int layer = 0; layer < sums.size(); layer++) {
      for (double score : scores(layer)) {
        dormant += score <= threshold ? 1 : 0;
        all++;
      }
    }
    return (double) dormant / all;
  }
}
