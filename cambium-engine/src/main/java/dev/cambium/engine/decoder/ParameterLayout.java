package dev.cambium.engine.decoder;

import dev.cambium.artifact.huggingface.DecoderConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * Where every weight of a decoder lies in one flat buffer.
 *
 * <p>Matrices come first, vectors (norms, biases) after them, so that weight decay is one range.
 * Projections that share an input lie side by side, so that query, key and value are one matrix to
 * the forward pass, and gate and up another, while each keeps its own name in files.
 */
final class ParameterLayout {

  /** A weight's place. */
  record Slot(String name, long offset, List<Long> shape) {
    long size() {
      return shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    }

    long end() {
      return offset + size();
    }

    boolean isMatrix() {
      return shape.size() == 2;
    }
  }

  static final String EMBEDDING = DecoderConfig.EMBEDDING;
  static final String HEAD = DecoderConfig.HEAD;
  static final String FINAL_NORM = "model.norm.weight";

  private static final List<String> MATRICES =
      List.of(
          "self_attn.q_proj.weight",
          "self_attn.k_proj.weight",
          "self_attn.v_proj.weight",
          "self_attn.o_proj.weight",
          "mlp.gate_proj.weight",
          "mlp.up_proj.weight",
          "mlp.down_proj.weight");

  private static final List<String> VECTORS =
      List.of(
          "input_layernorm.weight",
          "self_attn.q_proj.bias",
          "self_attn.k_proj.bias",
          "self_attn.v_proj.bias",
          "self_attn.o_proj.bias",
          "self_attn.q_norm.weight",
          "self_attn.k_norm.weight",
          "post_attention_layernorm.weight");

  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final long matrixEnd;
  private long size;

  ParameterLayout(DecoderConfig c) {
    SortedMap<String, List<Long>> shapes = c.tensors();
    place(shapes, EMBEDDING);
    for (int i = 0; i < c.layers(); i++) {
      for (String matrix : MATRICES) {
        place(shapes, layer(i, matrix));
      }
    }
    place(shapes, HEAD);
    matrixEnd = size;
    for (int i = 0; i < c.layers(); i++) {
      for (String vector : VECTORS) {
        place(shapes, layer(i, vector));
      }
    }
    place(shapes, FINAL_NORM);
    if (!shapes.isEmpty()) {
      throw new IllegalStateException("weights without a place: " + shapes);
    }
  }

  static String layer(int index, String rest) {
    return "model.layers." + index + "." + rest;
  }

  /** Gives a weight the next place, if the model has it. */
  private void place(SortedMap<String, List<Long>> shapes, String name) {
    List<Long> shape = shapes.remove(name);
    if (shape != null) {
      Slot slot = new Slot(name, size, shape);
      slots.put(name, slot);
      size = slot.end();
    }
  }

  /** All weights by name, in the order of the buffer. */
  Map<String, Slot> slots() {
    return Collections.unmodifiableMap(slots);
  }

  Slot slot(String name) {
    Slot slot = slots.get(name);
    if (slot == null) {
      throw new IllegalArgumentException("no weight '" + name + "' in this decoder");
    }
    return slot;
  }

  /** Elements of all matrices: they fill the buffer up to here. */
  long matrixEnd() {
    return matrixEnd;
  }

  /** Elements in all. */
  long size() {
    return size;
  }
}
