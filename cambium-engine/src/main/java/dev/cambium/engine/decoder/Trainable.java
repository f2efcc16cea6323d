package dev.cambium.engine.decoder;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a decoder that training moves, as one flat buffer with a gradient buffer of the
 * same layout: all of the decoder's, or those of an adapter attached to it. Everything else is
 * frozen and costs no gradient.
 *
 * <p>While it is open the decoder should not be used for anything else; close it to end training.
 */
public final class Trainable implements AutoCloseable {

  /** Largest block of logits held at once, in numbers. */
  private static final long LOGITS_AT_ONCE = 16L << 20;

  /**
   * What is minimised, as a sum over positions.
   *
   * <p>Called with logits (positions × vocabulary) and the ids of the tokens that followed
   * (positions); returns a scalar that gradients flow through.
   */
  @FunctionalInterface
  public interface PositionLoss {
    /** The summed loss. */
    Tensor sum(Tensor logits, Tensor targets);
  }

  private final Decoder decoder;
  private final @Nullable LoraAdapter adapter;
  private final FlatWeights weights;
  private final FlatWeights gradients;
  private final List<Leaf> leaves;
  private final long matrixEnd;

  private Trainable(Decoder decoder, @Nullable LoraAdapter adapter) {
    this.decoder = decoder;
    this.adapter = adapter;
    this.weights = adapter == null ? decoder.flat() : adapter.flat();
    this.leaves = adapter == null ? decoder.leaves() : adapter.leaves();
    this.matrixEnd = adapter == null ? decoder.layout().matrixEnd() : adapter.matrixEnd();
    this.gradients = new FlatWeights(weights.size());
    leaves.forEach(leaf -> leaf.collectInto(gradients));
  }

  /** All weights of a decoder; no adapter may be attached. */
  public static Trainable of(Decoder decoder) {
    if (!decoder.adapters().isEmpty()) {
      throw new IllegalStateException("an adapter is attached; detach or train it");
    }
    return new Trainable(decoder, null);
  }

  /** The weights of an adapter, attached to the decoder until this is closed. */
  public static Trainable of(Decoder decoder, LoraAdapter adapter) {
    decoder.attach(adapter);
    adapter.learning(true);
    return new Trainable(decoder, adapter);
  }

  /** All weights: one dimension, fp32. */
  public Tensor weights() {
    return weights.buffer();
  }

  /** Gradients of {@link #weights()}, in the same order. */
  public Tensor gradients() {
    return gradients.buffer();
  }

  /** The weights before this one are matrices, those from it on norms and biases. */
  public long matrixEnd() {
    return matrixEnd;
  }

  /** Number of weights. */
  public long size() {
    return weights.size();
  }

  /**
   * Lets matrix products run in bf16 while weights, sums, norms and attention stay in fp32: faster
   * on processors with bf16 instructions, less exact.
   */
  public void mixedPrecision(boolean on) {
    decoder.mixed(on);
  }

  /** Sets all gradients to zero. */
  public void zeroGradients() {
    gradients.buffer().zero_();
  }

  /**
   * Adds the gradient of {@code scale} × the summed loss of some rows.
   *
   * @param rows token ids of each row, without tokens that only serve as targets
   * @param positions for each row the positions that predict a supervised token, ascending
   * @param targets for each of those positions the token that followed
   * @return the summed loss, not scaled
   */
  public double accumulate(
      int[][] rows, int[][] positions, int[][] targets, PositionLoss loss, double scale) {
    try (PointerScope scope = new PointerScope()) {
      Pass pass = Pass.fresh(rows);
      Tensor hidden = decoder.hidden(rows, pass, null);
      Tensor chosen = Decoder.select(hidden, pass, positions);
      long[] ids = Arrays.stream(targets).flatMapToInt(Arrays::stream).asLongStream().toArray();
      Tensor targetIds = Natives.longs(ids);
      // The head runs block by block on a copy without history, so that no more than a block of
      // logits, with its softmax and gradient, is held; then its gradient goes on in one piece.
      Tensor states = chosen.detach();
      states.set_requires_grad(true);
      Scalar factor = new Scalar(scale);
      int block = (int) Math.max(1, LOGITS_AT_ONCE / decoder.config().vocabularySize());
      double sum = 0;
      for (int start = 0; start < ids.length; start += block) {
        int count = Math.min(block, ids.length - start);
        try (PointerScope inner = new PointerScope()) {
          Tensor logits = decoder.head(states.narrow(0, start, count));
          Tensor value = loss.sum(logits, targetIds.narrow(0, start, count));
          sum += value.item_float();
          value.mul(factor).backward();
        }
      }
      chosen.backward(states.grad(), new BoolOptional(), false, new TensorArrayRefOptional());
      return sum;
    }
  }

  @Override
  public void close() {
    decoder.mixed(false);
    leaves.forEach(Leaf::freeze);
    gradients.close();
    if (adapter != null) {
      adapter.learning(false);
      decoder.detach();
    }
  }
}
