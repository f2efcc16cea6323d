package dev.cambium.engine.training;

import dev.cambium.engine.backend.Natives;
import dev.cambium.model.Telemetry;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A matrix' singular values and what ranks they come to.
 *
 * <p>They are the square roots of the eigenvalues of the smaller Gram matrix, in double precision:
 * a value below 1e-8 of the largest is rounding, and too small to count in either rank.
 *
 * @param values ascending
 */
record SingularValues(double[] values) {

  /** Of a matrix of finite numbers. */
  static SingularValues of(Tensor matrix) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return ofEigenvalues(torch.linalg_eigvalsh(Tensors.gram(matrix)));
    }
  }

  /**
   * A matrix taken apart.
   *
   * @param values as of {@link SingularValues}
   * @param right the first right singular vectors, k × columns, row-major, the largest first
   * @param count k
   */
  record Parts(SingularValues values, float[] right, int count) {}

  /**
   * With the right singular vectors of the largest values.
   *
   * @param most how many vectors
   * @param least vectors whose value is below this share of the largest are left out
   */
  static Parts parts(Tensor matrix, int most, double least) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      T_TensorTensor_T eigen = torch.linalg_eigh(Tensors.gram(matrix));
      SingularValues values = ofEigenvalues(eigen.get0());
      int count = 0;
      double[] all = values.values;
      double largest = all[all.length - 1];
      while (count < Math.min(most, all.length)
          && largest > 0
          && all[all.length - 1 - count] >= least * largest) {
        count++;
      }
      if (count == 0) {
        return new Parts(values, new float[0], 0);
      }
      Tensor top = eigen.get1().narrow(1, all.length - count, count).flip(1);
      Tensor exact = matrix.to(ScalarType.Double);
      // Of the two sides the Gram matrix has the smaller; the other follows: v = Wᵀu / σ.
      Tensor right = matrix.size(0) <= matrix.size(1) ? exact.t().mm(top) : top;
      Tensor rows = torch.linalg_qr(right).get0().t().to(ScalarType.Float).contiguous();
      return new Parts(values, Natives.read(rows, 0, Math.toIntExact(rows.numel())), count);
    }
  }

  private static SingularValues ofEigenvalues(Tensor eigenvalues) {
    double[] values = Natives.readDoubles(eigenvalues.contiguous());
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.sqrt(Math.max(0, values[i]));
    }
    return new SingularValues(values);
  }

  /** The ranks; see {@link Telemetry.Ranks} for their formulas. */
  Telemetry.Ranks ranks() {
    double sum = 0;
    double squares = 0;
    double largest = 0;
    for (double value : values) {
      sum += value;
      squares += value * value;
      largest = Math.max(largest, value);
    }
    if (largest == 0) {
      return new Telemetry.Ranks(0, 0, values.length);
    }
    double entropy = 0;
    for (double value : values) {
      double p = value / sum;
      entropy -= p > 0 ? p * Math.log(p) : 0;
    }
    return new Telemetry.Ranks(Math.exp(entropy), squares / (largest * largest), values.length);
  }

  /** √Σσ², the Frobenius norm. */
  double norm() {
    double squares = 0;
    for (double value : values) {
      squares += value * value;
    }
    return Math.sqrt(squares);
  }
}
