package dev.cambium.engine.decoder;

import dev.cambium.engine.backend.Natives;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Adapters that act on a decoder, with what follows from an adapter and the decoder's weights
 * together and is worth keeping between passes.
 */
final class AttachedAdapters implements AutoCloseable {

  /** The choice of rows that no adapter acts on. */
  static final int NONE = -1;

  private final List<LoraAdapter> adapters;
  private final Map<Place, Kept> lengths = new HashMap<>();

  private record Place(int adapter, int layer, LoraAdapter.Group group) {}

  private record Kept(Tensor lengths, long revision) {}

  /**
   * Which adapter acts on which tokens of a pass.
   *
   * @param tokens indices in the pass's list; null for all
   */
  record Route(int adapter, @Nullable Tensor tokens) {}

  AttachedAdapters(List<LoraAdapter> adapters) {
    this.adapters = List.copyOf(adapters);
  }

  List<LoraAdapter> adapters() {
    return adapters;
  }

  /**
   * The routes of a pass.
   *
   * @param choice an adapter's index for each row, or {@link #NONE}; null where there is one for
   *     all
   */
  List<Route> routes(Pass pass, int @Nullable [] choice) {
    if (choice == null) {
      if (adapters.size() > 1) {
        throw new IllegalStateException(
            adapters.size() + " adapters are attached: say for each row which one acts");
      }
      return List.of(new Route(0, null));
    }
    if (choice.length != pass.rows) {
      throw new IllegalArgumentException(
          choice.length + " choices of adapters for " + pass.rows + " rows");
    }
    List<Route> routes = new ArrayList<>();
    for (int adapter = 0; adapter < adapters.size(); adapter++) {
      int chosen = 0;
      int count = 0;
      for (int b = 0; b < choice.length; b++) {
        if (choice[b] < NONE || choice[b] >= adapters.size()) {
          throw new IllegalArgumentException(
              "row " + b + ": no adapter " + choice[b] + " of " + adapters.size());
        }
        if (choice[b] == adapter) {
          chosen++;
          count += pass.lengths[b];
        }
      }
      if (chosen == choice.length) {
        routes.add(new Route(adapter, null));
      } else if (chosen > 0) {
        long[] tokens = new long[count];
        int at = 0;
        for (int b = 0; b < choice.length; b++) {
          for (int t = 0; choice[b] == adapter && t < pass.lengths[b]; t++) {
            tokens[at++] = pass.index(b, t);
          }
        }
        routes.add(new Route(adapter, Natives.longs(tokens)));
      }
    }
    return routes;
  }

  /** See {@link LoraAdapter#apply}. */
  Tensor apply(
      List<Route> routes,
      int layer,
      LoraAdapter.Group group,
      Tensor input,
      Tensor output,
      Leaf weight,
      @Nullable Leaf bias) {
    Tensor result = output;
    for (Route route : routes) {
      LoraAdapter adapter = adapters.get(route.adapter);
      Tensor ofRows = lengths(route.adapter, layer, group, weight);
      if (route.tokens == null) {
        result = adapter.apply(layer, group, input, result, ofRows, bias);
      } else {
        Tensor part =
            adapter.apply(
                layer,
                group,
                input.index_select(0, route.tokens),
                output.index_select(0, route.tokens),
                ofRows,
                bias);
        result = result.index_copy(0, route.tokens, part);
      }
    }
    return result;
  }

  private @Nullable Tensor lengths(int index, int layer, LoraAdapter.Group group, Leaf weight) {
    LoraAdapter adapter = adapters.get(index);
    if (!adapter.config().dora() || adapter.learning()) {
      return adapter.lengths(layer, group, weight.tensor());
    }
    Place place = new Place(index, layer, group);
    Kept kept = lengths.get(place);
    if (kept == null || kept.revision != adapter.revision()) {
      Tensor fresh = adapter.lengths(layer, group, weight.tensor());
      if (fresh == null) {
        return null;
      }
      if (kept != null) {
        kept.lengths.close();
      }
      fresh.retainReference();
      kept = new Kept(fresh, adapter.revision());
      lengths.put(place, kept);
    }
    return kept.lengths;
  }

  /** The decoder's own weights have changed. */
  void forget() {
    lengths.values().forEach(kept -> kept.lengths.close());
    lengths.clear();
  }

  @Override
  public void close() {
    forget();
  }
}
