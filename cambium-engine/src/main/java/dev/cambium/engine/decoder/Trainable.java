package dev.cambium.engine.decoder;

import dev.cambium.engine.backend.Natives;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a decoder that training moves, as one flat buffer with a gradient buffer of the
 * same layout: all of the decoder's, or those of an adapter attached to it. Everything else is
 * frozen and costs no gradient.
 *
 * <p>While it is open the decoder should not be used for anything else; close it to end training.
 */
public final class Trainable implements AutoCloseable {

  /**
   * Block of logits held at once, in numbers: with their softmax and gradient it should stay in the
   * processor's cache. But not fewer positions than {@link #LEAST_BLOCK}: each block adds to the
   * gradient of the whole head.
   */
  private static final long LOGITS_AT_ONCE = 4L << 20;

  private static final int LEAST_BLOCK = 256;

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

    /**
     * The summed loss of some of a pass' positions.
     *
     * @param from the first of them, counted over the whole pass
     */
    default Tensor sum(Tensor logits, Tensor targets, int from) {
      return sum(logits, targets);
    }

    /**
     * The loss of one pass, where it depends on the rows. Called within the pass' scope; what is
     * returned is used there only.
     */
    default PositionLoss of(int[][] rows, int[][] positions, int[][] targets) {
      return this;
    }

    /** How many positions come together from one on, if most fit into memory. */
    default int together(int from, int most) {
      return most;
    }

    /** Whether passes must follow each other, as one that asks another model does. */
    default boolean alone() {
      return false;
    }
  }

  private final Decoder decoder;
  private final @Nullable LoraAdapter adapter;
  private final FlatWeights weights;
  private final FlatWeights gradients;
  private final List<Leaf> leaves;
  private final long matrixEnd;
  private @Nullable Reference reference;
  private @Nullable PassObserver observer;
  private final Twins twins;

  /** A matrix among the weights, row-major from an offset of the buffer. */
  public record Matrix(String name, long offset, long rows, long columns) {
    /** One past its last element. */
    public long end() {
      return offset + rows * columns;
    }
  }

  /** The model as it was: a decoder that nothing moves, with an adapter perhaps. */
  private record Reference(Decoder decoder, @Nullable LoraAdapter adapter, double strength) {}

  private Trainable(Decoder decoder, @Nullable LoraAdapter adapter, Twins twins) {
    this.decoder = decoder;
    this.adapter = adapter;
    this.weights = adapter == null ? decoder.flat() : adapter.flat();
    this.leaves = adapter == null ? decoder.leaves() : adapter.leaves();
    this.matrixEnd = adapter == null ? decoder.layout().matrixEnd() : adapter.matrixEnd();
    this.gradients = new FlatWeights(weights.size());
    leaves.forEach(leaf -> leaf.collectInto(gradients));
    this.twins = twins;
  }

  /** All weights of a decoder; no adapter may be attached. */
  public static Trainable of(Decoder decoder) {
    if (!decoder.adapters().isEmpty()) {
      throw new IllegalStateException("an adapter is attached; detach or train it");
    }
    return of(decoder, Twins.of(decoder));
  }

  static Trainable of(Decoder decoder, Twins twins) {
    return new Trainable(decoder, null, twins);
  }

  /** The weights of an adapter, attached to the decoder until this is closed. */
  public static Trainable of(Decoder decoder, LoraAdapter adapter) {
    decoder.attach(adapter);
    adapter.learning(true);
    return new Trainable(decoder, adapter, Twins.alone(decoder));
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

  /** All matrices among the weights, by name, in the order of the buffer. */
  public SortedMap<String, Matrix> matrices() {
    SortedMap<String, Matrix> matrices = new TreeMap<>();
    (adapter == null ? decoder.slots() : adapter.slots())
        .forEach(
            (name, slot) -> {
              if (slot.isMatrix()) {
                matrices.put(
                    name,
                    new Matrix(name, slot.offset(), slot.shape().get(0), slot.shape().get(1)));
              }
            });
    return matrices;
  }

  /**
   * From now on keeps a copy of the model as it is, and adds strength × KL(copy ‖ model), in nats,
   * at every supervised position to what {@link #accumulate} minimises. What it returns stays the
   * loss alone.
   *
   * @throws IllegalArgumentException if the adapter that is trained stores modules whole
   */
  public void stayCloseToNow(double strength) {
    closeReference();
    if (adapter != null && adapter.replaces()) {
      throw new IllegalArgumentException(
          "kl: an adapter that stores embedding, head or norms whole has no parent to compare with"
              + " in the same decoder; leave kl out");
    }
    reference =
        adapter == null
            ? new Reference(decoder.copy(), null, strength)
            : new Reference(decoder, adapter.copy(), strength);
  }

  private void closeReference() {
    if (reference != null) {
      if (reference.adapter != null) {
        reference.adapter.close();
      } else {
        reference.decoder.close();
      }
      reference = null;
    }
  }

  /** The reference's states at chosen positions. */
  private static Tensor states(
      Reference reference, boolean mixed, int[][] rows, Pass pass, int[][] positions) {
    Decoder decoder = reference.decoder;
    List<LoraAdapter> attached = decoder.adapters();
    try (NoGradGuard guard = new NoGradGuard()) {
      decoder.mixed(mixed);
      if (reference.adapter != null) {
        decoder.detach();
        decoder.attach(reference.adapter);
      }
      return Decoder.select(decoder.hidden(rows, pass, null), pass, positions);
    } finally {
      if (!attached.isEmpty()) {
        decoder.detach();
        decoder.attach(attached);
      }
    }
  }

  /** Shapes of the matrices in the decoder's layers by name, moved by training or not. */
  public SortedMap<String, List<Long>> layerMatrices() {
    SortedMap<String, List<Long>> matrices = new TreeMap<>();
    decoder
        .slots()
        .forEach(
            (name, slot) -> {
              if (slot.isMatrix() && name.startsWith("model.layers.")) {
                matrices.put(name, slot.shape());
              }
            });
    return matrices;
  }

  /**
   * A matrix of the layers as it acts now, the update of the adapter that is trained in it.
   *
   * @return rows × columns in double precision; belongs to the caller's scope
   */
  public Tensor acting(String name) {
    return acting(name, adapter);
  }

  private Tensor acting(String name, @Nullable LoraAdapter lora) {
    try (NoGradGuard guard = new NoGradGuard()) {
      Tensor own = decoder.matrix(name).to(ScalarType.Double);
      return lora == null ? own : lora.acting(name, own);
    }
  }

  /** Matrices of the layers as they once acted. Holds native memory: close it. */
  public interface Origin extends AutoCloseable {
    /** As of {@link Trainable#acting}; only while the trainable is open. */
    Tensor matrix(String name);

    @Override
    void close();
  }

  /** Keeps some matrices as they act now. An adapter is copied and not what it acts on. */
  public Origin remember(List<String> names) {
    LoraAdapter copy = adapter == null ? null : adapter.copy();
    Map<String, Tensor> copies = new TreeMap<>();
    if (copy == null) {
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        for (String name : names) {
          Tensor matrix = decoder.matrix(name).clone();
          matrix.retainReference();
          copies.put(name, matrix);
        }
      }
    }
    return new Origin() {
      @Override
      public Tensor matrix(String name) {
        Tensor matrix = copies.get(name);
        return matrix == null ? acting(name, copy) : matrix.to(ScalarType.Double);
      }

      @Override
      public void close() {
        copies.values().forEach(Tensor::close);
        if (copy != null) {
          copy.close();
        }
      }
    };
  }

  /**
   * Runs some rows through the model for somebody who listens; moves nothing and leaves no
   * gradient.
   *
   * @param rows token ids of each row
   */
  public void listen(int[][] rows, PassObserver listener) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      decoder.observe(listener);
      decoder.hidden(rows, Pass.fresh(rows), null);
    } finally {
      decoder.observe(null);
    }
  }

  /** Lets somebody hear what {@link #accumulate} computes on the way; null ends it. */
  public void observe(@Nullable PassObserver listener) {
    observer = listener;
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
    // Who listens, and the model as it was, are one thread's.
    if (twins.lanes() == 1
        || reference != null
        || observer != null
        || loss.alone()
        || rows.length < twins.lanes()) {
      return accumulate(decoder, rows, positions, targets, loss, scale, LOGITS_AT_ONCE);
    }
    return twins.sum(
        gradients,
        (own, lane) ->
            accumulate(
                own,
                twins.dealt(rows, lane),
                twins.dealt(positions, lane),
                twins.dealt(targets, lane),
                loss,
                scale,
                LOGITS_AT_ONCE / twins.lanes()));
  }

  private double accumulate(
      Decoder decoder,
      int[][] rows,
      int[][] positions,
      int[][] targets,
      PositionLoss loss,
      double scale,
      long logitsAtOnce) {
    try (PointerScope scope = new PointerScope()) {
      Pass pass = Pass.fresh(rows);
      PositionLoss ofPass = loss.of(rows, positions, targets);
      Reference was = reference;
      Tensor before = was == null ? null : states(was, decoder.mixed(), rows, pass, positions);
      decoder.observe(observer);
      Tensor hidden = decoder.hidden(rows, pass, null);
      decoder.observe(null);
      Tensor chosen = Decoder.select(hidden, pass, positions);
      long[] ids = Arrays.stream(targets).flatMapToInt(Arrays::stream).asLongStream().toArray();
      Tensor targetIds = Natives.longs(ids);
      // The head runs block by block on a copy without history, so that no more than a block of
      // logits, with its softmax and gradient, is held; then its gradient goes on in one piece.
      Tensor states = chosen.detach();
      states.set_requires_grad(true);
      Scalar factor = new Scalar(scale);
      int block = (int) Math.max(LEAST_BLOCK, logitsAtOnce / decoder.config().vocabularySize());
      double sum = 0;
      int count;
      for (int start = 0; start < ids.length; start += count) {
        count = ofPass.together(start, Math.min(block, ids.length - start));
        try (PointerScope inner = new PointerScope()) {
          Tensor logits = decoder.head(states.narrow(0, start, count));
          Tensor value = ofPass.sum(logits, targetIds.narrow(0, start, count), start);
          sum += value.item_float();
          if (was != null && before != null) {
            Tensor old = was.decoder.head(before.narrow(0, start, count)).detach().log_softmax(1);
            Tensor divergence = old.exp().mul(old.sub(logits.log_softmax(1))).sum();
            value = value.add(divergence, new Scalar(was.strength));
          }
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
    closeReference();
    leaves.forEach(Leaf::freeze);
    gradients.close();
    twins.close();
    if (adapter != null) {
      adapter.learning(false);
      decoder.detach();
    }
  }
}
