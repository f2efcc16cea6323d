package dev.cambium.artifact.safetensors;

import java.util.List;

/**
 * A tensor's entry in a file's header.
 *
 * @param shape sizes, outermost first; empty for a scalar. Elements lie in row-major order
 * @param begin first byte, counted from the end of the header
 * @param end one past the last byte, counted from the end of the header
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long begin, long end) {

  public TensorInfo {
    shape = List.copyOf(shape);
  }

  /** The number of elements: the product of the shape, 1 for a scalar. */
  public long elements() {
    return elements(shape);
  }

  /** The number of bytes. */
  public long size() {
    return end - begin;
  }

  /**
   * The product of a shape.
   *
   * @throws ArithmeticException if a size is negative or the product overflows 64 bits
   */
  static long elements(List<Long> shape) {
    long product = 1;
    for (long size : shape) {
      if (size < 0) {
        throw new ArithmeticException("negative size " + size);
      }
      product = Math.multiplyExact(product, size);
    }
    return product;
  }
}
