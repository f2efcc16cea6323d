package dev.cambium.engine.transfer;

import dev.cambium.model.MergeMethod;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The arithmetic of a {@link MergeMethod} on pieces of one tensor. What a method must know of the
 * whole tensor is collected in passes before: each pass sees every piece once, pieces in any order
 * and on any thread, and their findings are put together in the order of the pieces.
 */
abstract class TensorMerge {

  /** A finding about one piece. */
  interface Finding {}

  /** Passes over the whole tensor before it can be merged. */
  int passes() {
    return 0;
  }

  /** Looks at a piece. */
  Finding look(int pass, float[] base, float[][] models, int count) {
    throw new IllegalStateException("no pass " + pass);
  }

  /** Takes in the findings of a pass, in the order of the pieces. */
  void conclude(int pass, List<Finding> findings) {
    throw new IllegalStateException("no pass " + pass);
  }

  /**
   * Merges a piece.
   *
   * @param start index of its first element in the tensor
   * @param base empty where the method needs none
   * @param result its first {@code count} elements are set
   */
  abstract void merge(long start, float[] base, float[][] models, int count, double[] result);

  static TensorMerge of(MergeMethod method, String tensor, long elements) {
    double[] weights = method.weights().stream().mapToDouble(Double::doubleValue).toArray();
    if (method instanceof MergeMethod.Linear || method instanceof MergeMethod.RegMean) {
      // What is no matrix with an input of its own; the others are not merged piece by piece.
      double sum = Arrays.stream(weights).sum();
      return new Sum(Arrays.stream(weights).map(w -> w / sum).toArray());
    } else if (method instanceof MergeMethod.Slerp slerp) {
      return new Arc(slerp.share());
    } else if (method instanceof MergeMethod.TaskArithmetic) {
      return new Changes(weights);
    } else if (method instanceof MergeMethod.Ties ties) {
      return new Elected(weights, ties, elements);
    } else if (method instanceof MergeMethod.Dare dare) {
      return new Dropped(weights, dare, tensor);
    }
    throw new IllegalArgumentException("unknown method " + method);
  }

  private static final class Sum extends TensorMerge {
    private final double[] weights;

    Sum(double[] weights) {
      this.weights = weights;
    }

    @Override
    void merge(long start, float[] base, float[][] models, int count, double[] result) {
      Arrays.fill(result, 0, count, 0);
      for (int m = 0; m < models.length; m++) {
        double weight = weights[m];
        float[] model = models[m];
        for (int i = 0; i < count; i++) {
          result[i] += weight * model[i];
        }
      }
    }
  }

  private static final class Changes extends TensorMerge {
    private final double[] weights;

    Changes(double[] weights) {
      this.weights = weights;
    }

    @Override
    void merge(long start, float[] base, float[][] models, int count, double[] result) {
      for (int i = 0; i < count; i++) {
        result[i] = base[i];
      }
      for (int m = 0; m < models.length; m++) {
        double weight = weights[m];
        float[] model = models[m];
        for (int i = 0; i < count; i++) {
          result[i] += weight * ((double) model[i] - base[i]);
        }
      }
    }
  }

  private static final class Arc extends TensorMerge {
    /** Sine of the angle below which the arc is as good as a line. */
    private static final double STRAIGHT = 1e-6;

    private record Products(double first, double second, double both) implements Finding {}

    private final double share;
    private double firstWeight;
    private double secondWeight;

    Arc(double share) {
      this.share = share;
    }

    @Override
    int passes() {
      return 1;
    }

    @Override
    Finding look(int pass, float[] base, float[][] models, int count) {
      double first = 0;
      double second = 0;
      double both = 0;
      for (int i = 0; i < count; i++) {
        double a = models[0][i];
        double b = models[1][i];
        first += a * a;
        second += b * b;
        both += a * b;
      }
      return new Products(first, second, both);
    }

    @Override
    void conclude(int pass, List<Finding> findings) {
      double first = 0;
      double second = 0;
      double both = 0;
      for (Finding finding : findings) {
        Products products = (Products) finding;
        first += products.first;
        second += products.second;
        both += products.both;
      }
      double cosine = both / Math.sqrt(first * second);
      double angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
      double sine = Math.sin(angle);
      if (!(sine > STRAIGHT)) { // also where a tensor is zero
        firstWeight = 1 - share;
        secondWeight = share;
      } else {
        firstWeight = Math.sin((1 - share) * angle) / sine;
        secondWeight = Math.sin(share * angle) / sine;
      }
    }

    @Override
    void merge(long start, float[] base, float[][] models, int count, double[] result) {
      for (int i = 0; i < count; i++) {
        result[i] = firstWeight * models[0][i] + secondWeight * models[1][i];
      }
    }
  }

  /**
   * TIES. The smallest magnitude kept is found exactly: the bits of a positive float order as the
   * float does, so a histogram of their upper half finds the bin, and one of the lower half, within
   * that bin, the value.
   */
  private static final class Elected extends TensorMerge {
    private static final int LOW_BITS = 15;
    private static final int BINS = 1 << 16;

    private enum Counted implements Finding {
      HERE
    }

    private final double[] weights;
    private final double scale;
    private final long kept;
    private final int[] bin;
    private final long[] wanted;
    private final int[] smallest;

    /** Counts of each thread, by model and bin: a histogram a piece would outweigh the piece. */
    private final Map<Thread, long[][]> counted = new ConcurrentHashMap<>();

    Elected(double[] weights, MergeMethod.Ties ties, long elements) {
      this.weights = weights;
      this.scale = ties.scale();
      this.kept = (long) Math.ceil(ties.density() * elements);
      this.bin = new int[weights.length];
      this.wanted = new long[weights.length];
      this.smallest = new int[weights.length];
    }

    @Override
    int passes() {
      return 2;
    }

    private static int bins(int pass) {
      return pass == 0 ? BINS : 1 << LOW_BITS;
    }

    private static int magnitude(float model, float base) {
      return Float.floatToRawIntBits(model - base) & 0x7fffffff;
    }

    @Override
    Finding look(int pass, float[] base, float[][] models, int count) {
      long[][] bins =
          counted.computeIfAbsent(Thread.currentThread(), t -> new long[models.length][bins(pass)]);
      for (int m = 0; m < models.length; m++) {
        float[] model = models[m];
        long[] counts = bins[m];
        if (pass == 0) {
          for (int i = 0; i < count; i++) {
            counts[magnitude(model[i], base[i]) >>> LOW_BITS]++;
          }
        } else {
          int only = bin[m];
          for (int i = 0; i < count; i++) {
            int bits = magnitude(model[i], base[i]);
            if (bits >>> LOW_BITS == only) {
              counts[bits & ((1 << LOW_BITS) - 1)]++;
            }
          }
        }
      }
      return Counted.HERE;
    }

    @Override
    void conclude(int pass, List<Finding> findings) {
      for (int m = 0; m < weights.length; m++) {
        long[] counts = new long[bins(pass)];
        for (long[][] thread : counted.values()) {
          long[] some = thread[m];
          for (int b = 0; b < counts.length; b++) {
            counts[b] += some[b];
          }
        }
        long rest = pass == 0 ? kept : wanted[m];
        int place = counts.length - 1;
        while (place > 0 && counts[place] < rest) {
          rest -= counts[place--];
        }
        if (pass == 0) {
          bin[m] = place;
          wanted[m] = rest;
        } else {
          smallest[m] = bin[m] << LOW_BITS | place;
        }
      }
      counted.clear();
    }

    @Override
    void merge(long start, float[] base, float[][] models, int count, double[] result) {
      for (int i = 0; i < count; i++) {
        double positive = 0;
        double negative = 0;
        double positiveWeight = 0;
        double negativeWeight = 0;
        for (int m = 0; m < models.length; m++) {
          float value = models[m][i];
          if (magnitude(value, base[i]) >= smallest[m]) {
            double change = (double) value - base[i];
            double weight = weights[m];
            if (change > 0) {
              positive += weight * change;
              positiveWeight += weight;
            } else if (change < 0) {
              negative += weight * change;
              negativeWeight += weight;
            } else if (change != 0) { // not a number: must not be lost
              positive = change;
              positiveWeight = 1;
            }
          }
        }
        double change;
        if (positive + negative >= 0) {
          change = positiveWeight == 0 ? 0 : positive / positiveWeight;
        } else if (positive + negative < 0) {
          change = negative / negativeWeight;
        } else {
          change = Double.NaN;
        }
        result[i] = base[i] + scale * change;
      }
    }
  }

  private static final class Dropped extends TensorMerge {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final double[] weights;
    private final double density;
    private final long[] streams;

    Dropped(double[] weights, MergeMethod.Dare dare, String tensor) {
      this.weights = weights;
      this.density = dare.density();
      this.streams = new long[weights.length];
      for (int m = 0; m < weights.length; m++) {
        long stream = mixed(dare.seed() + GOLDEN * (m + 1));
        for (int i = 0; i < tensor.length(); i++) {
          stream = mixed(stream + tensor.charAt(i));
        }
        streams[m] = stream;
      }
    }

    /** The finalizer of SplitMix64 (Steele et al., 2014). */
    private static long mixed(long value) {
      long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      return z ^ (z >>> 31);
    }

    @Override
    void merge(long start, float[] base, float[][] models, int count, double[] result) {
      for (int i = 0; i < count; i++) {
        double change = 0;
        for (int m = 0; m < models.length; m++) {
          long bits = mixed(streams[m] + GOLDEN * (start + i + 1)) >>> 11;
          if (bits * 0x1p-53 < density) {
            change += weights[m] * ((double) models[m][i] - base[i]);
          }
        }
        result[i] = base[i] + change / density;
      }
    }
  }
}
