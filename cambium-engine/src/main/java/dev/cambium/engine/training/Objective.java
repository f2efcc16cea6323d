package dev.cambium.engine.training;

import dev.cambium.engine.decoder.Trainable.PositionLoss;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * What training minimises: a loss summed over supervised positions. The trainer divides it by their
 * number over the whole effective batch.
 */
public interface Objective extends PositionLoss {

  /**
   * Negative log-likelihood of the supervised tokens, in nats. Language modelling and supervised
   * fine-tuning are this one objective on rows with different supervised positions.
   */
  Objective NEXT_TOKEN = new NextToken();

  /** For messages and digests. */
  String name();

  /** See {@link #NEXT_TOKEN}. */
  final class NextToken implements Objective {
    private static final long SUM = 2; // at::Reduction::Sum
    private static final long IGNORED_TARGET = -100; // none of ours

    private NextToken() {}

    @Override
    public Tensor sum(Tensor logits, Tensor targets) {
      return torch.cross_entropy_loss(
          logits, targets, new TensorOptional(), SUM, IGNORED_TARGET, 0.0);
    }

    @Override
    public String name() {
      return "next-token";
    }
  }
}
