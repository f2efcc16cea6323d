package dev.cambium.engine.backend;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A copy of a weight matrix in the layout that oneDNN's kernels read.
 *
 * <p>A BLAS copies both factors of a product into such a layout at every call. For products with
 * few rows, as in each step of generation, that copy costs as much as the product; made once, it
 * costs nothing. Holds as much memory as the matrix: close it.
 */
public final class PackedMatrix implements AutoCloseable {

  /** For how many rows the layout is chosen; products with any other number are right, too. */
  private static final long TYPICAL_ROWS = 16;

  private static @Nullable Operators operators;

  private final Tensor packed;

  private PackedMatrix(Tensor packed) {
    packed.retainReference();
    this.packed = packed;
  }

  /** Whether this process can pack. By rule, not by timing: it changes the last bits of results. */
  public static boolean supported() {
    return Backend.instance().device().equals("cpu")
        && Backend.instance().cpuFeatures().contains("avx2")
        && torch.hasMKLDNN();
  }

  /** Packs a matrix, outputs × inputs in fp32. What is written to it later does not show here. */
  public static PackedMatrix of(Tensor matrix) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return new PackedMatrix(
          operators().reorder.tensor(new IValue(matrix.detach()), new IValue(TYPICAL_ROWS)));
    }
  }

  /** The product of rows × inputs with the matrix: rows × outputs, without a gradient. */
  public Tensor times(Tensor rows) {
    Operators all = operators();
    return all.linear.tensor(
        new IValue(rows), new IValue(packed), all.none, all.plain, all.noNumbers, all.noName);
  }

  @Override
  public void close() {
    packed.close();
  }

  private static synchronized Operators operators() {
    Operators loaded = operators;
    if (loaded == null) {
      loaded = new Operators();
      operators = loaded;
    }
    return loaded;
  }

  /** The operators and their constant arguments. */
  private static final class Operators {
    final NativeOperator reorder = new NativeOperator("mkldnn::_reorder_linear_weight");
    final NativeOperator linear = new NativeOperator("mkldnn::_linear_pointwise");
    final IValue none = kept(new IValue());
    final IValue plain = kept(new IValue("none"));
    final IValue noNumbers = kept(NativeOperator.noNumbers());
    final IValue noName = kept(new IValue(""));

    private static IValue kept(IValue value) {
      value.retainReference();
      return value;
    }
  }
}
