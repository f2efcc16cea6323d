package dev.cambium.engine.decoder;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Hears what a pass computes. Tensors are fp32, without history and padding, and go with the
 * caller's scope; they must not be changed.
 */
public interface PassObserver {

  /**
   * The residual stream that a layer reads, and what the last one left: tokens × hidden size.
   *
   * @param layer from 0; the number of layers for what is left behind the last
   */
  default void residual(int layer, Tensor states) {}

  /**
   * Queries, keys and values of a layer as their projections give them, before norms and rotation:
   * tokens × ((heads + 2 · key-value heads) · head width).
   */
  default void projections(int layer, Tensor queriesKeysValues) {}

  /** What a layer's heads have gathered: tokens × (heads · head width). */
  default void context(int layer, Tensor attended) {}

  /** The residual stream between a layer's attention and its feed-forward unit. */
  default void middle(int layer, Tensor states) {}

  /**
   * Activations of a layer's feed-forward units, silu(gate) · up: tokens × intermediate size.
   *
   * @param layer from 0
   */
  void units(int layer, Tensor activations);

  /** Whether {@link #inputs} is called: it costs a copy where rows are padded. */
  default boolean hearsInputs() {
    return false;
  }

  /**
   * What goes into linear modules of a layer: tokens × inputs.
   *
   * @param layer from 0
   * @param modules all that share it, by their whole names, such as {@code
   *     model.layers.0.self_attn.q_proj}
   */
  default void inputs(int layer, List<String> modules, Tensor inputs) {}

  /** States after the final norm: tokens × hidden size. They go into the head. */
  void states(Tensor states);
}
