package dev.cambium.engine.training;

import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.engine.decoder.Trainable;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Elastic weight consolidation (Kirkpatrick et al., 2017): strength / 2 × Σ F[i] · (w[i] −
 * start[i])², whose gradient is strength × F · (w − start).
 *
 * <p>F is the diagonal of the Fisher information of the model on earlier rows, each row one draw:
 * the mean over rows of (∂ log p(y | x) / ∂w)² with the answer y drawn from the model itself, token
 * by token on the row's own text. With the row's recorded answer instead, the "empirical Fisher", F
 * would vanish for what has been learnt well (Kunstner et al., 2019).
 */
final class ElasticWeights implements Regularizer, AutoCloseable {

  private static final long SUM = 2; // at::Reduction::Sum
  private static final long NONE = -100; // no target is ignored

  private final double strength;
  private final Tensor fisher;
  private final String data;

  private ElasticWeights(double strength, Tensor fisher, String data) {
    this.strength = strength;
    this.fisher = fisher;
    this.data = data;
  }

  /** Measures the information of some rows at the weights as they are; leaves no gradient. */
  static ElasticWeights measure(
      Trainable trainable, List<TokenRow> rows, long seed, double strength) {
    if (rows.isEmpty()) {
      throw new IllegalArgumentException(
          "elastic weight consolidation needs earlier data, and there is none: leave ewc out for"
              + " a line's first training");
    }
    Tensor fisher = torch.zeros_like(trainable.weights());
    fisher.retainReference();
    SplitMix64 random = SplitMix64.named(seed, "fisher");
    for (TokenRow row : rows) {
      trainable.zeroGradients();
      trainable.accumulate(
          new int[][] {row.inputs()},
          new int[][] {row.predicting()},
          new int[][] {row.targets()},
          (logits, targets) -> ownAnswer(logits, random),
          1);
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        fisher.addcmul_(
            trainable.gradients(), trainable.gradients(), new Scalar(1.0 / rows.size()));
      }
    }
    trainable.zeroGradients();
    return new ElasticWeights(
        strength, fisher, DataMix.of(rows).digest().toString() + ", seed " + seed);
  }

  /** Negative log-likelihood of tokens drawn from the model at every position. */
  private static Tensor ownAnswer(Tensor logits, SplitMix64 random) {
    Tensor drawn;
    try (NoGradGuard guard = new NoGradGuard()) {
      long count = logits.size(0);
      float[] uniform = new float[(int) count];
      for (int i = 0; i < uniform.length; i++) {
        uniform[i] = (float) random.nextDouble();
      }
      Tensor below = logits.detach().softmax(1).cumsum(1).lt(Natives.floats(uniform, count, 1));
      drawn = below.sum(1).clamp_max(new Scalar(logits.size(1) - 1));
    }
    return torch.cross_entropy_loss(logits, drawn, new TensorOptional(), SUM, NONE, 0.0);
  }

  /** The diagonal, in the order of the weights. */
  Tensor fisher() {
    return fisher;
  }

  @Override
  public void add(Tensor weights, Tensor start, Tensor gradients) {
    gradients.addcmul_(weights.sub(start), fisher, new Scalar(strength));
  }

  @Override
  public boolean needsStart() {
    return true;
  }

  @Override
  public String name() {
    return "elastic-" + strength + " (" + data + ")";
  }

  @Override
  public void close() {
    fisher.close();
  }
}
