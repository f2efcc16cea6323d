package dev.cambium.engine.decoder;

import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.backend.Memory;
import dev.cambium.engine.backend.PackedMatrix;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Products of weights with one token of each row, as every step of generation takes them. They are
 * bound by how fast the weights are read, and a general product of matrices reads them badly: one
 * row is a product with a vector, and for several rows the weights are packed once.
 *
 * <p>Which way is taken depends on the processor, the sizes and the number of rows alone, so that
 * equal steps give equal bits. Packed copies are made at the first step that wants them, and made
 * anew when the weights have changed.
 */
final class StepProducts implements AutoCloseable {

  /** Weights, in numbers, up to which a matrix is packed: larger models would not fit twice. */
  private static final long LARGEST_PACKED = 1L << 28;

  /** A copy, and which state of the weights it shows. */
  private record Copy(PackedMatrix matrix, long version) {}

  private final Map<Leaf, Copy> copies = new IdentityHashMap<>();

  /** rows × inputs in, rows × outputs out. */
  Tensor product(Tensor rows, Leaf weight) {
    if (!Backend.instance().device().equals("cpu")) {
      return torch.linear(rows, weight.tensor());
    }
    if (rows.size(0) == 1) {
      return torch.mv(weight.tensor(), rows.view(-1)).unsqueeze(0);
    }
    long size = weight.tensor().numel();
    return size <= LARGEST_PACKED && PackedMatrix.supported()
        ? packed(weight, size).times(rows)
        : torch.linear(rows, weight.tensor());
  }

  private PackedMatrix packed(Leaf weight, long size) {
    long version = weight.tensor()._version();
    Copy copy = copies.get(weight);
    if (copy != null && copy.version == version) {
      return copy.matrix;
    }
    if (copy != null) {
      copies.remove(weight);
      copy.matrix.close();
    }
    Memory.require(size * Float.BYTES, size + " weights in the layout for generation");
    PackedMatrix matrix = PackedMatrix.of(weight.tensor());
    copies.put(weight, new Copy(matrix, version));
    return matrix;
  }

  /** Forgets copies of weights that are gone, as those of an adapter that was detached. */
  void keepOnly(Collection<Leaf> weights) {
    Set<Leaf> kept = Collections.newSetFromMap(new IdentityHashMap<>());
    kept.addAll(weights);
    copies
        .entrySet()
        .removeIf(
            entry -> {
              boolean gone = !kept.contains(entry.getKey());
              if (gone) {
                entry.getValue().matrix.close();
              }
              return gone;
            });
  }

  @Override
  public void close() {
    keepOnly(Set.of());
  }
}
