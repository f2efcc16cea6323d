package dev.cambium.engine.transfer;

import dev.cambium.engine.backend.Natives;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * How vectors of one space of an old network (its residual stream, the units of a layer, the heads
 * of a layer) become vectors of the same space in a new one, and back: {@code new = F · old},
 * {@code old = R · new}. Tensors are fp32 and belong to the caller's scope.
 */
sealed interface SpaceMap {

  /** Dimensions of the old space. */
  int oldSize();

  /** Dimensions of the new space. */
  int newSize();

  /** F · x: old × k in, new × k out. */
  Tensor forward(Tensor x);

  /** R · x: new × k in, old × k out. */
  Tensor backward(Tensor x);

  /** x · R: k × old in, k × new out. What reads old vectors reads new ones with this. */
  Tensor reading(Tensor x);

  /** x · F: k × new in, k × old out. */
  Tensor readingBack(Tensor x);

  /** Every dimension for itself: to one of the other space, times a number, or to none. */
  final class Matching implements SpaceMap {
    private final int newSize;
    private final int[] targets;
    private final float[] scales;

    /**
     * A matching.
     *
     * @param targets for each old dimension its new one, or −1
     * @param scales for each old dimension what it is multiplied by; never 0
     */
    Matching(int newSize, int[] targets, float[] scales) {
      this.newSize = newSize;
      this.targets = targets.clone();
      this.scales = scales.clone();
    }

    int target(int old) {
      return targets[old];
    }

    float scale(int old) {
      return scales[old];
    }

    /** The same partners, nothing multiplied. */
    Matching unscaled() {
      float[] ones = new float[scales.length];
      Arrays.fill(ones, 1);
      return new Matching(newSize, targets, ones);
    }

    /** Whether every dimension goes to the one in its place, and about as it is. */
    boolean staysInPlace() {
      for (int i = 0; i < targets.length; i++) {
        if (targets[i] != i || !(scales[i] > 0.5 && scales[i] < 2)) {
          return false;
        }
      }
      return newSize == targets.length;
    }

    @Override
    public int oldSize() {
      return targets.length;
    }

    @Override
    public int newSize() {
      return newSize;
    }

    @Override
    public Tensor forward(Tensor x) {
      return placed(x.index_select(0, kept()).mul(factors().unsqueeze(1)), 0, newSize, there());
    }

    @Override
    public Tensor backward(Tensor x) {
      return placed(
          x.index_select(0, there()).div(factors().unsqueeze(1)), 0, targets.length, kept());
    }

    @Override
    public Tensor reading(Tensor x) {
      return placed(x.index_select(1, kept()).div(factors()), 1, newSize, there());
    }

    @Override
    public Tensor readingBack(Tensor x) {
      return placed(x.index_select(1, there()).mul(factors()), 1, targets.length, kept());
    }

    private static Tensor placed(Tensor values, int dimension, int size, Tensor index) {
      long[] shape =
          dimension == 0 ? new long[] {size, values.size(1)} : new long[] {values.size(0), size};
      return torch.zeros(shape, values.options()).index_copy_(dimension, index, values);
    }

    private Tensor kept() {
      List<Long> kept = new ArrayList<>();
      for (int i = 0; i < targets.length; i++) {
        if (targets[i] >= 0) {
          kept.add((long) i);
        }
      }
      return Natives.longs(kept.stream().mapToLong(Long::longValue).toArray());
    }

    private Tensor there() {
      return Natives.longs(Arrays.stream(targets).filter(t -> t >= 0).asLongStream().toArray());
    }

    private Tensor factors() {
      float[] kept = new float[targets.length];
      int count = 0;
      for (int i = 0; i < targets.length; i++) {
        if (targets[i] >= 0) {
          kept[count++] = scales[i];
        }
      }
      return Natives.floats(Arrays.copyOf(kept, count));
    }
  }

  /** Every dimension from all of the other space. */
  final class Mixing implements SpaceMap {
    private final float[] forward;
    private final float[] backward;
    private final int oldSize;
    private final int newSize;

    /**
     * A pair of matrices, row-major.
     *
     * @param forward F, new × old
     * @param backward R, old × new
     */
    Mixing(int oldSize, int newSize, float[] forward, float[] backward) {
      this.oldSize = oldSize;
      this.newSize = newSize;
      this.forward = forward;
      this.backward = backward;
    }

    /** From tensors of any precision. */
    static Mixing of(Tensor forward, Tensor backward) {
      int oldSize = Math.toIntExact(forward.size(1));
      int newSize = Math.toIntExact(forward.size(0));
      return new Mixing(oldSize, newSize, Floats.of(forward), Floats.of(backward));
    }

    /**
     * Maps of old blocks, each to the new block of that place; new blocks are of one size.
     *
     * @param parts for each old block; what goes nowhere still tells the size
     * @param places for each old block which new block it goes to, or −1
     */
    static SpaceMap arranged(List<? extends SpaceMap> parts, int[] places, int olds, int news) {
      int[] targets = new int[olds];
      float[] scales = new float[olds];
      boolean matching = true;
      int old = 0;
      for (int b = 0; b < parts.size(); b++) {
        SpaceMap part = parts.get(b);
        matching &= places[b] < 0 || part instanceof Matching;
        for (int i = 0; i < part.oldSize(); i++) {
          boolean kept = places[b] >= 0 && part instanceof Matching m && m.target(i) >= 0;
          targets[old + i] = kept ? places[b] * part.newSize() + ((Matching) part).target(i) : -1;
          scales[old + i] = kept ? ((Matching) part).scale(i) : 1;
        }
        old += part.oldSize();
      }
      if (matching) {
        return new Matching(news, targets, scales);
      }
      float[] forward = new float[news * olds];
      float[] backward = new float[olds * news];
      old = 0;
      for (int b = 0; b < parts.size(); b++) {
        SpaceMap part = parts.get(b);
        if (places[b] >= 0) {
          Mixing dense = part.dense();
          int at = places[b] * part.newSize();
          for (int n = 0; n < part.newSize(); n++) {
            for (int o = 0; o < part.oldSize(); o++) {
              forward[(at + n) * olds + old + o] = dense.forward[n * part.oldSize() + o];
              backward[(old + o) * news + at + n] = dense.backward[o * part.newSize() + n];
            }
          }
        }
        old += part.oldSize();
      }
      return new Mixing(olds, news, forward, backward);
    }

    /** F and R times a number and its inverse. */
    Mixing scaled(double factor) {
      float[] f = forward.clone();
      float[] r = backward.clone();
      for (int i = 0; i < f.length; i++) {
        f[i] = (float) (f[i] * factor);
        r[i] = (float) (r[i] / factor);
      }
      return new Mixing(oldSize, newSize, f, r);
    }

    @Override
    public int oldSize() {
      return oldSize;
    }

    @Override
    public int newSize() {
      return newSize;
    }

    private Tensor f() {
      return Natives.floats(forward, newSize, oldSize);
    }

    private Tensor r() {
      return Natives.floats(backward, oldSize, newSize);
    }

    @Override
    public Tensor forward(Tensor x) {
      return f().mm(x);
    }

    @Override
    public Tensor backward(Tensor x) {
      return r().mm(x);
    }

    @Override
    public Tensor reading(Tensor x) {
      return x.mm(r());
    }

    @Override
    public Tensor readingBack(Tensor x) {
      return x.mm(f());
    }
  }

  /** The same map as matrices. */
  default Mixing dense() {
    if (this instanceof Mixing mixing) {
      return mixing;
    }
    Matching matching = (Matching) this;
    int olds = oldSize();
    int news = newSize();
    float[] forward = new float[news * olds];
    float[] backward = new float[olds * news];
    for (int o = 0; o < olds; o++) {
      int n = matching.target(o);
      if (n >= 0) {
        forward[n * olds + o] = matching.scale(o);
        backward[o * news + n] = 1 / matching.scale(o);
      }
    }
    return new Mixing(olds, news, forward, backward);
  }

  /** The share of a change's squared length that does not come back from the new space. */
  static double lost(Tensor change, Tensor back) {
    double whole = change.square().sum().item_float();
    return whole == 0 ? 0 : change.sub(back, new Scalar(1.0)).square().sum().item_float() / whole;
  }
}
