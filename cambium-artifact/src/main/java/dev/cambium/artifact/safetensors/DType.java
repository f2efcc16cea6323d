package dev.cambium.artifact.safetensors;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The element types of the safetensors format (version 0.8), with their size. */
public enum DType {
  /** A byte that is 0 or 1. */
  BOOL(8),
  /** Four-bit float (MXFP4), two to a byte. */
  F4(4),
  /** Six-bit float, four to three bytes. */
  F6_E2M3(6),
  /** Six-bit float, four to three bytes. */
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E5M2FNUZ(8),
  F8_E4M3FNUZ(8),
  /** A power of two: the scale of a block of smaller floats. */
  F8_E8M0(8),
  I16(16),
  U16(16),
  /** IEEE 754 binary16. */
  F16(16),
  /** The upper half of an IEEE 754 binary32. */
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  /** Two F32: real, imaginary. */
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private static final Map<String, DType> BY_LABEL =
      Arrays.stream(values()).collect(Collectors.toMap(DType::label, Function.identity()));

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }

  /**
   * Bytes of one element.
   *
   * @throws IllegalStateException for a packed type (F4, F6): use {@link #bytes(long)}
   */
  public int bytes() {
    if (bits % 8 != 0) {
      throw new IllegalStateException(label() + " has " + bits + " bits, not whole bytes");
    }
    return bits / 8;
  }

  /**
   * Bytes of that many elements.
   *
   * @throws ArithmeticException if they do not fill whole bytes or overflow 64 bits
   */
  public long bytes(long elements) {
    if (bits % 8 == 0) {
      return Math.multiplyExact(elements, (long) (bits / 8));
    }
    long total = Math.multiplyExact(elements, (long) bits);
    if (total % 8 != 0) {
      throw new ArithmeticException(elements + " × " + label() + " do not fill whole bytes");
    }
    return total / 8;
  }

  /** The name in a file's header, such as {@code BF16}. */
  public String label() {
    return name();
  }

  /** Finds a type by its name in a file's header. */
  public static Optional<DType> ofLabel(String label) {
    return Optional.ofNullable(BY_LABEL.get(label));
  }
}
