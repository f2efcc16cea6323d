package dev.cambium.engine.decoder;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String HEAD = "lm_head.weight";
  static final String FINAL_NORM = "model.norm.weight";

  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final long matrixEnd;
  private long size;

  ParameterLayout(DecoderConfig c) {
    long hidden = c.hiddenSize();
    long queries = (long) c.heads() * c.headDim();
    long keys = (long) c.keyValueHeads() * c.headDim();
    add(EMBEDDING, c.vocabularySize(), hidden);
    for (int i = 0; i < c.layers(); i++) {
      add(layer(i, "self_attn.q_proj.weight"), queries, hidden);
      add(layer(i, "self_attn.k_proj.weight"), keys, hidden);
      add(layer(i, "self_attn.v_proj.weight"), keys, hidden);
      add(layer(i, "self_attn.o_proj.weight"), hidden, queries);
      add(layer(i, "mlp.gate_proj.weight"), c.intermediateSize(), hidden);
      add(layer(i, "mlp.up_proj.weight"), c.intermediateSize(), hidden);
      add(layer(i, "mlp.down_proj.weight"), hidden, c.intermediateSize());
    }
    if (!c.tiedEmbeddings()) {
      add(HEAD, c.vocabularySize(), hidden);
    }
    matrixEnd = size;
    for (int i = 0; i < c.layers(); i++) {
      add(layer(i, "input_layernorm.weight"), hidden);
      if (c.bias() != DecoderConfig.AttentionBias.NONE) {
        add(layer(i, "self_attn.q_proj.bias"), queries);
        add(layer(i, "self_attn.k_proj.bias"), keys);
        add(layer(i, "self_attn.v_proj.bias"), keys);
      }
      if (c.bias() == DecoderConfig.AttentionBias.ALL) {
        add(layer(i, "self_attn.o_proj.bias"), hidden);
      }
      add(layer(i, "post_attention_layernorm.weight"), hidden);
    }
    add(FINAL_NORM, hidden);
  }

  static String layer(int index, String rest) {
    return "model.layers." + index + "." + rest;
  }

  private void add(String name, long... shape) {
    Slot slot = new Slot(name, size, Arrays.stream(shape).boxed().toList());
    slots.put(name, slot);
    size = slot.end();
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
