package dev.cambium.artifact.gguf;

/** Layouts of tensors, with their numbers in ggml. */
enum TensorType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q8_0(8, 32, 34);

  private final int number;
  private final int block;
  private final int bytes;

  TensorType(int number, int block, int bytes) {
    this.number = number;
    this.block = block;
    this.bytes = bytes;
  }

  int number() {
    return number;
  }

  /** Elements that are stored together. */
  int block() {
    return block;
  }

  long size(long elements) {
    return elements / block * bytes;
  }
}
