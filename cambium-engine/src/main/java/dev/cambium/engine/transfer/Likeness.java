package dev.cambium.engine.transfer;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Likeness of representations by linear centered kernel alignment (Kornblith et al., 2019): 1 for
 * those that a rotation and a scale make the same, 0 for those that have nothing in common.
 */
final class Likeness {

  /** Tokens compared at most: cost and memory grow with their square. */
  static final int TOKENS = 512;

  private Likeness() {}

  /**
   * CKA of each of some representations with each of others.
   *
   * @param olds tokens × any size each
   * @param news the same tokens × any size each
   * @return olds × news
   */
  static double[][] between(List<Tensor> olds, List<Tensor> news) {
    try (PointerScope scope = new PointerScope()) {
      Tensor table = kernels(olds).mm(kernels(news).t());
      float[] values = Floats.of(table);
      double[][] likeness = new double[olds.size()][news.size()];
      for (int i = 0; i < likeness.length; i++) {
        for (int j = 0; j < likeness[i].length; j++) {
          likeness[i][j] = values[i * news.size() + j];
        }
      }
      return likeness;
    }
  }

  /** For each representation the products of all pairs of tokens, as one line of length 1. */
  private static Tensor kernels(List<Tensor> representations) {
    org.bytedeco.pytorch.TensorVector lines = new org.bytedeco.pytorch.TensorVector();
    for (Tensor one : representations) {
      Tensor some = one.narrow(0, 0, Math.min(TOKENS, one.size(0)));
      Tensor centered = some.sub(some.mean(0).unsqueeze(0), new Scalar(1.0));
      Tensor kernel = centered.mm(centered.t()).reshape(1, -1);
      double length = kernel.norm().item_float();
      lines.push_back(length > 0 ? kernel.div(new Scalar(length)) : kernel);
    }
    return torch.cat(lines, 0);
  }

  /**
   * The partners of ascending order with the greatest sum.
   *
   * @param likeness rows × columns, no more rows than columns
   * @return for each row its column, strictly ascending
   */
  static int[] ascending(double[][] likeness) {
    int rows = likeness.length;
    int columns = likeness[0].length;
    double[][] sums = new double[rows + 1][columns + 1];
    for (int i = 1; i <= rows; i++) {
      java.util.Arrays.fill(sums[i], Double.NEGATIVE_INFINITY);
      for (int j = i; j <= columns; j++) {
        sums[i][j] = Math.max(sums[i][j - 1], sums[i - 1][j - 1] + likeness[i - 1][j - 1]);
      }
    }
    int[] partners = new int[rows];
    int j = columns;
    for (int i = rows; i >= 1; i--) {
      while (sums[i][j] == sums[i][j - 1]) {
        j--;
      }
      partners[i - 1] = --j;
    }
    return partners;
  }

  /**
   * Partners of heads that share keys and values in groups: groups with groups, and the heads of a
   * group among those of its partner.
   *
   * @param likeness old heads × new heads
   * @return for each old head its new one, or −1; heads of one group go to one group
   */
  static int[] heads(double[][] likeness, int oldGroups, int newGroups) {
    int olds = likeness.length / oldGroups;
    int news = likeness[0].length / newGroups;
    float[] ofGroups = new float[oldGroups * newGroups];
    List<int[]> within = new ArrayList<>();
    for (int a = 0; a < oldGroups; a++) {
      for (int b = 0; b < newGroups; b++) {
        float[] gain = new float[olds * news];
        for (int i = 0; i < olds; i++) {
          for (int j = 0; j < news; j++) {
            gain[i * news + j] = (float) likeness[a * olds + i][b * news + j];
          }
        }
        int[] partners = Assignment.best(gain, olds, news);
        within.add(partners);
        for (int i = 0; i < olds; i++) {
          ofGroups[a * newGroups + b] += partners[i] < 0 ? 0 : gain[i * news + partners[i]];
        }
      }
    }
    int[] groups = Assignment.best(ofGroups, oldGroups, newGroups);
    int[] heads = new int[likeness.length];
    for (int a = 0; a < oldGroups; a++) {
      int[] partners = groups[a] < 0 ? null : within.get(a * newGroups + groups[a]);
      for (int i = 0; i < olds; i++) {
        heads[a * olds + i] =
            partners == null || partners[i] < 0 ? -1 : groups[a] * news + partners[i];
      }
    }
    return heads;
  }
}
