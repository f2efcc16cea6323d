package dev.cambium.engine.transfer;

import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.PassObserver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * What a decoder computes on rows of tokens, kept for chosen places: tokens × size each, the tokens
 * of all rows one after the other. Native memory: close it.
 */
final class Activations implements PassObserver, AutoCloseable {

  /** Where in a layer. */
  enum Site {
    RESIDUAL,
    PROJECTIONS,
    CONTEXT,
    MIDDLE,
    UNITS
  }

  private record Place(Site site, int layer) {}

  private static final int ROWS_AT_ONCE = 16;

  private final IntPredicate layers;
  private final boolean residualOnly;
  private final Map<Place, List<Tensor>> pieces = new HashMap<>();
  private final Map<Place, Tensor> whole = new HashMap<>();

  private Activations(IntPredicate layers, boolean residualOnly) {
    this.layers = layers;
    this.residualOnly = residualOnly;
  }

  /** Of some layers, every place; the residual stream also where such a layer leaves it. */
  static Activations of(Decoder decoder, List<int[]> rows, IntPredicate layers) {
    return new Activations(layers, false).read(decoder, rows);
  }

  /** The residual stream before and behind every layer. */
  static Activations residual(Decoder decoder, List<int[]> rows) {
    return new Activations(layer -> true, true).read(decoder, rows);
  }

  private Activations read(Decoder decoder, List<int[]> rows) {
    try {
      for (int from = 0; from < rows.size(); from += ROWS_AT_ONCE) {
        int to = Math.min(rows.size(), from + ROWS_AT_ONCE);
        decoder.observe(rows.subList(from, to).toArray(int[][]::new), this);
      }
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        pieces.forEach(
            (place, parts) -> {
              TensorVector list = new TensorVector();
              parts.forEach(list::push_back);
              Tensor all = torch.cat(list, 0);
              all.retainReference();
              whole.put(place, all);
            });
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    } finally {
      pieces.values().forEach(parts -> parts.forEach(Tensor::close));
      pieces.clear();
    }
    return this;
  }

  Tensor at(Site site, int layer) {
    Tensor found = whole.get(new Place(site, layer));
    if (found == null) {
      throw new IllegalStateException("nothing was kept of " + site + " of layer " + layer);
    }
    return found;
  }

  private void keep(Site site, int layer, Tensor values) {
    boolean wanted = layers.test(layer) || (site == Site.RESIDUAL && layers.test(layer - 1));
    if (wanted && (!residualOnly || site == Site.RESIDUAL)) {
      Tensor copy = values.clone();
      copy.retainReference();
      pieces.computeIfAbsent(new Place(site, layer), p -> new ArrayList<>()).add(copy);
    }
  }

  @Override
  public void residual(int layer, Tensor states) {
    keep(Site.RESIDUAL, layer, states);
  }

  @Override
  public void projections(int layer, Tensor queriesKeysValues) {
    keep(Site.PROJECTIONS, layer, queriesKeysValues);
  }

  @Override
  public void context(int layer, Tensor attended) {
    keep(Site.CONTEXT, layer, attended);
  }

  @Override
  public void middle(int layer, Tensor states) {
    keep(Site.MIDDLE, layer, states);
  }

  @Override
  public void units(int layer, Tensor activations) {
    keep(Site.UNITS, layer, activations);
  }

  @Override
  public void states(Tensor states) {}

  @Override
  public void close() {
    whole.values().forEach(Tensor::close);
    whole.clear();
  }
}
