package dev.cambium.engine.decoder;

import org.bytedeco.pytorch.Tensor;

/**
 * Hears what a pass computes. Tensors are fp32, without history and padding, and go with the
 * caller's scope; they must not be changed.
 */
public interface PassObserver {

  /**
   * Activations of a layer's feed-forward units, silu(gate) · up: tokens × intermediate size.
   *
   * @param layer from 0
   */
  void units(int layer, Tensor activations);

  /** States after the final norm: tokens × hidden size. */
  void states(Tensor states);
}
