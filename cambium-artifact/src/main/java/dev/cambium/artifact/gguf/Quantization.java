package dev.cambium.artifact.gguf;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How the matrices of a GGUF file are stored. Vectors are stored as 32-bit floats always. */
public enum Quantization {
  /** IEEE half precision, each weight rounded to the nearest, ties to even. */
  @JsonProperty("f16")
  F16(1),
  /**
   * Eight bits a weight: blocks of 32 with one half-precision scale, at most 1/254 of the block's
   * greatest weight away from the original but for the scale's own rounding.
   */
  @JsonProperty("q8_0")
  Q8_0(7);

  private final int fileType;

  Quantization(int fileType) {
    this.fileType = fileType;
  }

  /** As {@code general.file_type} names it. */
  int fileType() {
    return fileType;
  }
}
