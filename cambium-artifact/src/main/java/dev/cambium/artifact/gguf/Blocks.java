package dev.cambium.artifact.gguf;

import dev.cambium.artifact.safetensors.HalfPrecision;
import java.nio.ByteBuffer;

/** From 32-bit floats to blocks of bytes. */
final class Blocks {

  private Blocks() {}

  /**
   * Writes values in blocks of 32, as ggml's {@code quantize_row_q8_0_ref} does: the scale is the
   * greatest magnitude over 127, stored as half precision; a quotient by the unrounded scale goes
   * to the nearest integer, ties away from zero.
   *
   * @param values a multiple of 32
   */
  static void q8(float[] values, ByteBuffer into) {
    for (int at = 0; at < values.length; at += 32) {
      float greatest = 0;
      for (int i = at; i < at + 32; i++) {
        greatest = Math.max(greatest, Math.abs(values[i]));
      }
      float scale = greatest / 127;
      float inverse = scale == 0 ? 0 : 1 / scale;
      into.putShort(HalfPrecision.of(scale));
      for (int i = at; i < at + 32; i++) {
        float quotient = values[i] * inverse;
        // Math.round would take ties up, and 0.49999997 to 1.
        double rounded = Math.floor(Math.abs((double) quotient) + 0.5);
        into.put((byte) (quotient < 0 ? -rounded : rounded));
      }
    }
  }
}
