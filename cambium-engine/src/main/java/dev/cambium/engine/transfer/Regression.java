package dev.cambium.engine.transfer;

import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.model.MergeMethod;
import java.io.IOException;
import java.util.List;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * One matrix of {@link MergeMethod.RegMean}: solves (Σ wᵢ Gᵢ) Wᵀ = Σ wᵢ Gᵢ Wᵢᵀ by Cholesky's
 * decomposition in double precision.
 *
 * <p>In directions in which no text has anything, the equation says nothing. There the result is
 * the weighted mean: both sides get a millionth of the mean diagonal, the right one times the mean.
 */
final class Regression implements AutoCloseable {

  /** Share of the mean diagonal. */
  private static final double RIDGE = 1e-6;

  private static final int PIECE = 1 << 16;

  /** Reads part of a model's matrix. */
  interface Source {
    float[] read(int model, long start, int count) throws IOException;
  }

  /** outputs × inputs, contiguous. */
  private final Tensor result;

  private Regression(Tensor result) {
    this.result = result;
  }

  /**
   * Solves.
   *
   * @param matrix outputs × inputs
   * @param inputs of each model
   * @throws IllegalArgumentException if the equation has no one solution
   */
  static Regression of(
      MergeMethod.RegMean method, TensorInfo matrix, List<Grams> inputs, Source source)
      throws IOException {
    long outputs = matrix.shape().get(0);
    long width = matrix.shape().get(1);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor left = zeros(width, width);
      Tensor right = zeros(width, outputs);
      Tensor mean = zeros(width, outputs);
      double all = 0;
      for (int m = 0; m < inputs.size(); m++) {
        try (PointerScope inner = new PointerScope()) {
          double weight = method.weights().get(m);
          Tensor gram = inputs.get(m).read(matrix.name());
          // α G + (1 − α) diag(G)
          Tensor diagonal = gram.diagonal().clone();
          gram.mul_(new Scalar(weight * method.offDiagonal()));
          gram.diagonal().copy_(diagonal.mul(new Scalar(weight)));
          Tensor own = read(m, outputs, width, source).t();
          left.add_(gram);
          right.addmm_(gram, own);
          mean.add_(own, new Scalar(weight));
          all += weight;
        }
      }
      mean.div_(new Scalar(all));
      double ridge = RIDGE * left.trace().item_double() / width;
      Tensor solved;
      if (ridge > 0) {
        left.diagonal().add_(new Scalar(ridge));
        right.add_(mean, new Scalar(ridge));
        solved = torch.cholesky_solve(right, factor(left, matrix));
      } else {
        solved = mean; // nothing ever goes into it
      }
      Tensor result = solved.t().contiguous();
      result.retainReference();
      return new Regression(result);
    }
  }

  private static Tensor factor(Tensor left, TensorInfo matrix) {
    try {
      return torch.linalg_cholesky(left);
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          matrix.name()
              + ": what goes into it does not tell one best matrix; take more text, or a smaller"
              + " off-diagonal",
          e);
    }
  }

  private static Tensor zeros(long rows, long columns) {
    return torch.zeros(new long[] {rows, columns}, new TensorOptions(ScalarType.Double));
  }

  private static Tensor read(int model, long outputs, long width, Source source)
      throws IOException {
    Tensor matrix =
        torch.empty(
            new long[] {outputs, width},
            new TensorOptions(ScalarType.Double),
            new MemoryFormatOptional());
    DoublePointer target = new DoublePointer(matrix.data_ptr());
    double[] exact = new double[PIECE];
    long elements = outputs * width;
    for (long start = 0; start < elements; start += PIECE) {
      int count = (int) Math.min(PIECE, elements - start);
      float[] values = source.read(model, start, count);
      for (int i = 0; i < count; i++) {
        exact[i] = values[i];
      }
      target.position(start).put(exact, 0, count);
    }
    return matrix;
  }

  /** Copies part of the result. */
  void read(long start, int count, double[] into) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      new DoublePointer(result.data_ptr()).position(start).get(into, 0, count);
    }
  }

  @Override
  public void close() {
    result.close();
  }
}
