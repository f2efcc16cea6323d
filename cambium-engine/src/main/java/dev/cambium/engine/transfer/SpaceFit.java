package dev.cambium.engine.transfer;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.StringViewOptional;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The map between two spaces that explains best what both held for the same tokens.
 *
 * <p>Three are tried: a matching of dimensions by the assignment of greatest correlation, signs and
 * scales included; the nearest rotation (orthogonal Procrustes; Schönemann, 1966); least squares
 * with a little ridge. They are fitted on four fifths of the tokens and judged on the rest. A
 * matching is kept unless another leaves less than half of what it does not explain: networks have
 * no symmetry but matchings in most of their spaces, and what a looser map explains more on few
 * tokens it may owe to them.
 *
 * @param explained share of the new space's squared length that the map gives from the old one, on
 *     tokens that it was not fitted on; 1 is all
 * @param way {@code matching}, {@code rotation} or {@code least squares}
 */
record SpaceFit(SpaceMap map, double explained, String way) {

  static final String MATCHING = "matching";

  /** A scale as near to 1 as this is 1: the difference is rounding. */
  private static final double SAME = 1e-3;

  /** A matching that explains this much is exact, but for rounding. */
  private static final double EXACT = 0.999;

  private static final double RIDGE = 1e-4;
  private static final double MOST_SCALE = 1e3;

  /** A scale without what is rounding. */
  static float snapped(double scale) {
    double size = Math.abs(scale);
    return (float) (Math.abs(size - 1) < SAME ? Math.signum(scale) : scale);
  }

  /**
   * Fits.
   *
   * @param old tokens × old size
   * @param now the same tokens × new size
   * @param mixing whether the space allows more than a matching
   */
  static SpaceFit of(Tensor old, Tensor now, boolean mixing) {
    long tokens = old.size(0);
    long fitted = tokens - tokens / 5;
    Tensor o = old.narrow(0, 0, fitted);
    Tensor n = now.narrow(0, 0, fitted);
    Tensor heldOld = old.narrow(0, fitted, tokens - fitted).t();
    Tensor heldNow = now.narrow(0, fitted, tokens - fitted).t();
    SpaceMap matching = matching(o, n);
    double matched = explained(matching, heldOld, heldNow);
    SpaceFit best = new SpaceFit(matching, matched, MATCHING);
    if (!mixing || matched >= EXACT) {
      return best;
    }
    Tensor exactOld = o.to(ScalarType.Double);
    Tensor exactNow = n.to(ScalarType.Double);
    Tensor across = exactNow.t().mm(exactOld); // new × old
    double unexplained = (1 - matched) / 2;
    for (SpaceFit other :
        new SpaceFit[] {
          judged(rotation(across, exactOld), heldOld, heldNow, "rotation"),
          judged(leastSquares(across, exactOld, exactNow), heldOld, heldNow, "least squares")
        }) {
      if (1 - other.explained < unexplained) {
        best = other;
        unexplained = 1 - other.explained;
      }
    }
    return best;
  }

  private static SpaceFit judged(SpaceMap map, Tensor heldOld, Tensor heldNow, String way) {
    return new SpaceFit(map, explained(map, heldOld, heldNow), way);
  }

  /** Share of the new vectors' squared length that the map gives; columns are tokens. */
  static double explained(SpaceMap map, Tensor old, Tensor now) {
    double whole = now.square().sum().item_float();
    if (whole == 0) {
      return 1;
    }
    Tensor rest = now.sub(map.forward(old.contiguous()), new Scalar(1.0));
    return 1 - rest.square().sum().item_float() / whole;
  }

  private static SpaceMap.Matching matching(Tensor old, Tensor now) {
    int olds = Math.toIntExact(old.size(1));
    int news = Math.toIntExact(now.size(1));
    float[] across = Floats.of(old.t().mm(now)); // old × new
    float[] oldLengths = Floats.of(old.square().sum(0).sqrt());
    float[] newLengths = Floats.of(now.square().sum(0).sqrt());
    float[] gain = new float[across.length];
    for (int i = 0; i < olds; i++) {
      for (int j = 0; j < news; j++) {
        float lengths = oldLengths[i] * newLengths[j];
        gain[i * news + j] = lengths > 0 ? Math.abs(across[i * news + j]) / lengths : 0;
      }
    }
    int[] targets = Assignment.best(gain, olds, news);
    float[] scales = new float[olds];
    for (int i = 0; i < olds; i++) {
      scales[i] = 1;
      if (targets[i] >= 0 && oldLengths[i] > 0) {
        // The ratio of lengths, not of regression: it has an inverse also where little agrees.
        double ratio = newLengths[targets[i]] / (double) oldLengths[i];
        double sign = across[i * news + targets[i]] < 0 ? -1 : 1;
        boolean sane = ratio < MOST_SCALE && ratio > 1 / MOST_SCALE;
        scales[i] = sane ? snapped(sign * ratio) : 1;
      }
    }
    return new SpaceMap.Matching(news, targets, scales);
  }

  private static SpaceMap rotation(Tensor across, Tensor old) {
    T_TensorTensorTensor_T parts = torch.linalg_svd(across, false, new StringViewOptional());
    double length = old.square().sum().item_double();
    double scale = length == 0 ? 1 : parts.get1().sum().item_double() / length;
    Tensor rotation = parts.get0().mm(parts.get2());
    if (!(scale > 0)) {
      scale = 1;
    }
    return SpaceMap.Mixing.of(
        rotation.mul(new Scalar(scale)), rotation.t().mul(new Scalar(1 / scale)));
  }

  private static SpaceMap leastSquares(Tensor across, Tensor old, Tensor now) {
    return SpaceMap.Mixing.of(
        solved(old, across.t()).t(), // (OᵀO + λ)⁻¹ OᵀN, transposed: new × old
        solved(now, across).t());
  }

  /** (XᵀX + λ)⁻¹ · y. */
  private static Tensor solved(Tensor x, Tensor y) {
    Tensor gram = x.t().mm(x);
    long size = gram.size(0);
    double ridge = RIDGE * gram.diagonal().sum().item_double() / size + 1e-12;
    Tensor identity = torch.eye(size, new TensorOptions(ScalarType.Double));
    return torch.linalg_solve(gram.add(identity, new Scalar(ridge)), y.contiguous());
  }
}
