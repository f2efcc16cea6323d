package dev.cambium.engine.decoder;

import dev.cambium.artifact.safetensors.DType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** How weights are stored in a file. Computation is always in fp32. */
public enum Precision {
  /** IEEE 754 binary32. */
  F32(DType.F32, ScalarType.Float),
  /** The upper half of an IEEE 754 binary32. */
  BF16(DType.BF16, ScalarType.BFloat16),
  /** IEEE 754 binary16. */
  F16(DType.F16, ScalarType.Half);

  private final DType dtype;
  private final ScalarType scalarType;

  Precision(DType dtype, ScalarType scalarType) {
    this.dtype = dtype;
    this.scalarType = scalarType;
  }

  DType dtype() {
    return dtype;
  }

  ScalarType scalarType() {
    return scalarType;
  }
}
