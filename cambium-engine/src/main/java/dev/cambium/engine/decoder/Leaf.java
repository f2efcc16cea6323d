package dev.cambium.engine.decoder;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/**
 * A view of a flat buffer that the forward pass works on. It lives as long as its decoder or
 * adapter, and is a leaf of its own to automatic differentiation, so that a view of a flat gradient
 * buffer can be laid under it.
 *
 * @param tensor the view
 * @param optional the same, as optional arguments want it
 * @param offset of its first element in the buffer
 * @param shape of the view
 */
record Leaf(Tensor tensor, TensorOptional optional, long offset, long[] shape) {

  static Leaf of(FlatWeights flat, long offset, long... shape) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor view = flat.view(offset, shape).detach();
      view.retainReference();
      TensorOptional optional = new TensorOptional(view);
      optional.retainReference();
      return new Leaf(view, optional, offset, shape.clone());
    }
  }

  /** Starts collecting this view's gradient in a buffer of the same layout. */
  void collectInto(FlatWeights gradients) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      tensor.set_requires_grad(true);
      tensor.mutable_grad().put(gradients.view(offset, shape));
    }
  }

  /** Stops collecting. */
  void freeze() {
    try (PointerScope scope = new PointerScope()) {
      tensor.mutable_grad().put(new Tensor());
      tensor.set_requires_grad(false);
    }
  }

  void close() {
    optional.close();
    tensor.close();
  }
}
