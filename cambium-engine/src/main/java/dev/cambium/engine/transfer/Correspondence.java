package dev.cambium.engine.transfer;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.transfer.Activations.Site;
import dev.cambium.model.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * How the parts of one base correspond to those of another, found by what both compute on the same
 * tokens.
 *
 * <p>Layers are matched in order, by CKA of the residual stream behind them and of what they add to
 * it. The residual stream is compared as RMSNorm sees it, every token's vector divided by its root
 * mean square: so no single token with huge activations decides, and what a norm's own scale does
 * is kept out. One matching of residual channels for all layers is tried first; where it does not
 * explain the new base, every place gets a map of its own. Heads are matched within the groups that
 * share keys and values by CKA of what they gather, feed-forward units by assignment, since no
 * other map commutes with the unit's nonlinearity. Queries and keys keep the planes that rotary
 * positions turn: each plane may be turned and scaled, but not mixed with another.
 */
final class Correspondence {

  /** Of one layer of the old base. Residual maps take vectors as RMSNorm sees them. */
  record LayerMap(
      int layer,
      SpaceMap input,
      SpaceMap queries,
      SpaceMap keys,
      SpaceMap values,
      SpaceMap context,
      SpaceMap middleWrite,
      SpaceMap middle,
      SpaceMap.Matching units,
      SpaceMap outputWrite) {}

  /** Numbers of activations, for both bases together, that may be kept at a time. */
  private static final long KEPT_AT_ONCE = 1L << 27;

  final List<LayerMap> layers;

  /** The residual stream where it begins, at the embedding, as it is. */
  final SpaceMap embedding;

  /** The residual stream before the final norm, as RMSNorm sees it. */
  final SpaceMap last;

  /** One matching of residual channels for all layers; null where there is none. */
  final SpaceMap.@Nullable Matching channels;

  final Set<String> ways;
  final double residualExplained;
  final double unitsExplained;
  final double valuesExplained;

  private Correspondence(
      List<LayerMap> layers,
      SpaceMap embedding,
      SpaceMap last,
      SpaceMap.@Nullable Matching channels,
      Finder finder) {
    this.layers = List.copyOf(layers);
    this.embedding = embedding;
    this.last = last;
    this.channels = channels;
    this.ways = finder.ways;
    this.residualExplained = mean(finder.residual);
    this.unitsExplained = mean(finder.units);
    this.valuesExplained = mean(finder.values);
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElse(1);
  }

  /** Whether every part of the new base is where it is in the old one. */
  boolean isIdentity() {
    for (int l = 0; l < layers.size(); l++) {
      LayerMap map = layers.get(l);
      if (map.layer != l) {
        return false;
      }
      for (SpaceMap part :
          List.of(map.input, map.queries, map.keys, map.values, map.context, map.units)) {
        if (!(part instanceof SpaceMap.Matching matching && matching.staysInPlace())) {
          return false;
        }
      }
    }
    return embedding instanceof SpaceMap.Matching matching && matching.staysInPlace();
  }

  /**
   * Finds it.
   *
   * @param oldRows token ids of calibration text for the old base
   * @param newRows the same tokens for the new base
   */
  static Correspondence find(
      Decoder old, Decoder now, List<int[]> oldRows, List<int[]> newRows, Progress progress) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return new Finder(old, now, oldRows, newRows, progress).find();
    }
  }

  private static final class Finder {
    private final Decoder old;
    private final Decoder now;
    private final List<int[]> oldRows;
    private final List<int[]> newRows;
    private final Progress progress;
    private final Set<String> ways = new LinkedHashSet<>();
    private final List<Double> residual = new ArrayList<>();
    private final List<Double> units = new ArrayList<>();
    private final List<Double> values = new ArrayList<>();
    private int[] partners = new int[0];
    private @Nullable SpaceFit pooled;
    private @Nullable SpaceMap embedding;
    private @Nullable SpaceMap last;

    Finder(Decoder old, Decoder now, List<int[]> oldRows, List<int[]> newRows, Progress progress) {
      this.old = old;
      this.now = now;
      this.oldRows = oldRows;
      this.newRows = newRows;
      this.progress = progress;
    }

    Correspondence find() {
      overview();
      List<LayerMap> maps = new ArrayList<>();
      int depth = partners.length;
      int tokens = oldRows.stream().mapToInt(r -> r.length).sum();
      int at = (int) Math.max(1, KEPT_AT_ONCE / (tokens * (wide(old) + wide(now))));
      for (int from = 0; from < depth; from += at) {
        int first = from;
        int to = Math.min(depth, from + at);
        Set<Integer> theirs = new TreeSet<>();
        for (int l = from; l < to; l++) {
          theirs.add(partners[l]);
        }
        try (Activations before = Activations.of(old, oldRows, l -> l >= first && l < to);
            Activations after = Activations.of(now, newRows, theirs::contains)) {
          for (int l = from; l < to; l++) {
            progress.at("align", l, depth, "matching layer " + (l + 1));
            try (PointerScope scope = new PointerScope()) {
              maps.add(layer(l, partners[l], before, after));
            }
          }
        }
      }
      progress.at("align", depth, depth, "");
      SpaceFit all = pooled;
      return new Correspondence(
          maps,
          java.util.Objects.requireNonNull(embedding),
          java.util.Objects.requireNonNull(last),
          all != null && all.map() instanceof SpaceMap.Matching matching ? matching : null,
          this);
    }

    /** Numbers kept for a token and layer. */
    private static long wide(Decoder decoder) {
      DecoderConfig c = decoder.config();
      return 3L * c.hiddenSize()
          + c.intermediateSize()
          + 2L * (c.heads() + c.keyValueHeads()) * c.headDim();
    }

    /** Partners of layers; a matching of residual channels for all of them, if there is one. */
    private void overview() {
      try (Activations before = Activations.residual(old, sample(oldRows));
          Activations after = Activations.residual(now, sample(newRows));
          PointerScope scope = new PointerScope()) {
        List<List<Tensor>> olds = states(before, old.config().layers());
        List<List<Tensor>> news = states(after, now.config().layers());
        double[][] states = Likeness.between(behind(olds.get(0)), behind(news.get(0)));
        double[][] added = Likeness.between(olds.get(1), news.get(1));
        for (int i = 0; i < states.length; i++) {
          for (int j = 0; j < states[i].length; j++) {
            states[i][j] += added[i][j];
          }
        }
        partners = Likeness.ascending(states);
        // Where a layer enters: what is behind the last layer is fitted by itself below.
        TensorVector oldStates = new TensorVector();
        TensorVector newStates = new TensorVector();
        for (int l = 0; l < partners.length; l++) {
          oldStates.push_back(olds.get(0).get(l + 1));
          newStates.push_back(news.get(0).get(partners[l] + 1));
        }
        SpaceFit fit = SpaceFit.of(shuffled(oldStates), shuffled(newStates), false);
        int end = old.config().layers();
        SpaceFit first = SpaceFit.of(olds.get(0).get(0), news.get(0).get(0), true);
        SpaceFit ending =
            SpaceFit.of(olds.get(0).get(end), news.get(0).get(now.config().layers()), true);
        // Where maps of each place explain more than half of what one matching leaves, they are
        // taken; the last place stands for all, since differences of all layers have met there.
        boolean one =
            first.way().equals(SpaceFit.MATCHING) && ending.way().equals(SpaceFit.MATCHING);
        if (one) {
          pooled = fit;
          ways.add(fit.way());
          residual.add(fit.explained());
        } else {
          ways.add(first.way());
          ways.add(ending.way());
          residual.add(ending.explained());
        }
        SpaceMap begin = one ? fit.map() : first.map();
        embedding = raw(begin, before.at(Site.RESIDUAL, 0), after.at(Site.RESIDUAL, 0));
        last = one ? fit.map() : ending.map();
      }
    }

    /** Tokens of every state, one after the other for all states, so that a part is fair. */
    private static Tensor shuffled(TensorVector states) {
      // tokens × states × size, flattened: the last fifth of the lines is the last of the tokens.
      return torch.stack(states, 1).reshape(-1, states.get(0).size(1));
    }

    private static List<Tensor> behind(List<Tensor> states) {
      return states.subList(1, states.size());
    }

    /** Rows for the overview: no more tokens than CKA compares, twice. */
    private static List<int[]> sample(List<int[]> rows) {
      int tokens = 0;
      for (int i = 0; i < rows.size(); i++) {
        tokens += rows.get(i).length;
        if (tokens >= 4 * Likeness.TOKENS) {
          return rows.subList(0, i + 1);
        }
      }
      return rows;
    }

    /** The stream before and behind every layer, and what each layer adds, all by token's size. */
    private static List<List<Tensor>> states(Activations activations, int layers) {
      List<Tensor> states = new ArrayList<>();
      List<Tensor> added = new ArrayList<>();
      for (int l = 0; l <= layers; l++) {
        Tensor state = activations.at(Site.RESIDUAL, l);
        states.add(even(state));
        if (l > 0) {
          Tensor before = activations.at(Site.RESIDUAL, l - 1);
          added.add(state.sub(before, new Scalar(1.0)).div(sizes(before)));
        }
      }
      return List.of(states, added);
    }

    /** Root mean square of every token's vector: tokens × 1. */
    private static Tensor sizes(Tensor states) {
      return states.square().mean(1).unsqueeze(1).sqrt().clamp_min(new Scalar(1e-12));
    }

    private static Tensor even(Tensor states) {
      return states.div(sizes(states));
    }

    /** A map of vectors as RMSNorm sees them, for vectors as they are. */
    private static SpaceMap raw(SpaceMap map, Tensor before, Tensor after) {
      double ratio = sizes(after).div(sizes(before)).median().item_float();
      float factor = SpaceFit.snapped(ratio);
      if (factor == 1) {
        return map;
      }
      if (map instanceof SpaceMap.Matching matching) {
        int[] targets = new int[matching.oldSize()];
        float[] scales = new float[targets.length];
        for (int i = 0; i < targets.length; i++) {
          targets[i] = matching.target(i);
          scales[i] = SpaceFit.snapped(matching.scale(i) * (double) factor);
        }
        return new SpaceMap.Matching(matching.newSize(), targets, scales);
      }
      return map.dense().scaled(factor);
    }

    private SpaceMap stream(Tensor before, Tensor after) {
      if (pooled != null) {
        return pooled.map();
      }
      SpaceFit fit = SpaceFit.of(even(before), even(after), true);
      ways.add(fit.way());
      residual.add(fit.explained());
      return fit.map();
    }

    private LayerMap layer(int l, int m, Activations before, Activations after) {
      Tensor input = before.at(Site.RESIDUAL, l);
      Tensor theirInput = after.at(Site.RESIDUAL, m);
      Tensor middle = before.at(Site.MIDDLE, l);
      Tensor theirMiddle = after.at(Site.MIDDLE, m);
      Tensor output = before.at(Site.RESIDUAL, l + 1);
      Tensor theirOutput = after.at(Site.RESIDUAL, m + 1);
      SpaceMap middleMap = stream(middle, theirMiddle);
      SpaceFit unit = SpaceFit.of(before.at(Site.UNITS, l), after.at(Site.UNITS, m), false);
      units.add(unit.explained());
      Heads heads = new Heads(l, m, before, after);
      return new LayerMap(
          m,
          stream(input, theirInput),
          heads.queries,
          heads.keys,
          heads.values,
          heads.context,
          raw(middleMap, middle, theirMiddle),
          middleMap,
          (SpaceMap.Matching) unit.map(),
          raw(stream(output, theirOutput), output, theirOutput));
    }

    /** Maps of a layer's heads. */
    private final class Heads {
      final SpaceMap queries;
      final SpaceMap keys;
      final SpaceMap values;
      final SpaceMap context;

      Heads(int l, int m, Activations before, Activations after) {
        DecoderConfig a = old.config();
        DecoderConfig b = now.config();
        Tensor projected = before.at(Site.PROJECTIONS, l);
        Tensor theirs = after.at(Site.PROJECTIONS, m);
        List<Tensor> gathered = heads(before.at(Site.CONTEXT, l), a.heads(), a.headDim(), 0);
        List<Tensor> theirGathered = heads(after.at(Site.CONTEXT, m), b.heads(), b.headDim(), 0);
        int[] partnersOfHeads =
            Likeness.heads(
                Likeness.between(gathered, theirGathered), a.keyValueHeads(), b.keyValueHeads());
        int oldShare = a.heads() / a.keyValueHeads();
        int newShare = b.heads() / b.keyValueHeads();
        int[] partnersOfGroups = new int[a.keyValueHeads()];
        Arrays.fill(partnersOfGroups, -1);
        for (int h = 0; h < partnersOfHeads.length; h++) {
          if (partnersOfHeads[h] >= 0) {
            partnersOfGroups[h / oldShare] = partnersOfHeads[h] / newShare;
          }
        }
        int[] planes = planes();
        queries =
            rotated(
                heads(projected, a.heads(), a.headDim(), 0),
                heads(theirs, b.heads(), b.headDim(), 0),
                partnersOfHeads,
                planes);
        keys =
            rotated(
                heads(projected, a.keyValueHeads(), a.headDim(), a.heads()),
                heads(theirs, b.keyValueHeads(), b.headDim(), b.heads()),
                partnersOfGroups,
                planes);
        List<Tensor> ours =
            heads(projected, a.keyValueHeads(), a.headDim(), a.heads() + a.keyValueHeads());
        List<Tensor> others =
            heads(theirs, b.keyValueHeads(), b.headDim(), b.heads() + b.keyValueHeads());
        List<SpaceMap> ofGroups = new ArrayList<>();
        List<SpaceMap> ofHeads = new ArrayList<>();
        for (int g = 0; g < ours.size(); g++) {
          SpaceMap map = nowhere(a.headDim(), b.headDim());
          if (partnersOfGroups[g] >= 0) {
            SpaceFit fit = SpaceFit.of(ours.get(g), others.get(partnersOfGroups[g]), true);
            Finder.this.values.add(fit.explained());
            map = fit.map();
          }
          ofGroups.add(map);
          for (int h = 0; h < oldShare; h++) {
            ofHeads.add(map);
          }
        }
        values =
            SpaceMap.Mixing.arranged(
                ofGroups,
                partnersOfGroups,
                a.keyValueHeads() * a.headDim(),
                b.keyValueHeads() * b.headDim());
        context =
            SpaceMap.Mixing.arranged(
                ofHeads, partnersOfHeads, a.heads() * a.headDim(), b.heads() * b.headDim());
      }

      private SpaceMap nowhere(int olds, int news) {
        int[] targets = new int[olds];
        Arrays.fill(targets, -1);
        float[] ones = new float[olds];
        Arrays.fill(ones, 1);
        return new SpaceMap.Matching(news, targets, ones);
      }

      private List<Tensor> heads(Tensor values, int count, int width, int skip) {
        List<Tensor> heads = new ArrayList<>();
        for (int h = 0; h < count; h++) {
          heads.add(values.narrow(1, (long) (skip + h) * width, width));
        }
        return heads;
      }

      /** For each rotated plane of the old base that of the new one with the nearest frequency. */
      private int[] planes() {
        float[] ours = old.frequencies();
        float[] theirs = now.frequencies();
        float[] gain = new float[ours.length * theirs.length];
        for (int i = 0; i < ours.length; i++) {
          for (int j = 0; j < theirs.length; j++) {
            gain[i * theirs.length + j] =
                (float) -Math.abs(Math.log(ours[i]) - Math.log(theirs[j]));
          }
        }
        return Assignment.best(gain, ours.length, theirs.length);
      }

      private SpaceMap rotated(List<Tensor> ours, List<Tensor> theirs, int[] places, int[] planes) {
        List<SpaceMap> parts = new ArrayList<>();
        int oldWidth = old.config().headDim();
        int newWidth = now.config().headDim();
        for (int h = 0; h < ours.size(); h++) {
          parts.add(
              places[h] < 0
                  ? nowhere(oldWidth, newWidth)
                  : turned(ours.get(h), theirs.get(places[h]), planes));
        }
        return SpaceMap.Mixing.arranged(
            parts, places, ours.size() * oldWidth, theirs.size() * newWidth);
      }

      /** Each plane as a complex number, turned and scaled by another. */
      private SpaceMap turned(Tensor ours, Tensor theirs, int[] planes) {
        int half = old.config().headDim() / 2;
        int theirHalf = now.config().headDim() / 2;
        float[][] products = {
          Floats.of(ours.square().sum(0)),
          Floats.of(theirs.square().sum(0)),
          Floats.of(theirs.t().mm(ours)) // new × old
        };
        int olds = 2 * half;
        int news = 2 * theirHalf;
        int[] targets = new int[olds];
        float[] scales = new float[olds];
        Arrays.fill(targets, -1);
        Arrays.fill(scales, 1);
        float[] forward = new float[news * olds];
        float[] backward = new float[olds * news];
        boolean matching = true;
        for (int p = 0; p < half; p++) {
          int q = planes[p];
          if (q < 0) {
            continue;
          }
          double real =
              (double) products[2][q * olds + p] + products[2][(q + theirHalf) * olds + p + half];
          double imaginary =
              (double) products[2][(q + theirHalf) * olds + p] - products[2][q * olds + p + half];
          double ourSize = (double) products[0][p] + products[0][p + half];
          double theirSize = (double) products[1][q] + products[1][q + theirHalf];
          double length = Math.hypot(real, imaginary);
          double factor =
              ourSize > 0 && theirSize > 0 ? SpaceFit.snapped(Math.sqrt(theirSize / ourSize)) : 1;
          double cos = length > 0 ? real / length : 1;
          double sin = length > 0 ? imaginary / length : 0;
          if (Math.abs(sin) < 1e-3) {
            cos = Math.signum(cos);
            sin = 0;
          }
          matching &= sin == 0;
          targets[p] = q;
          targets[p + half] = q + theirHalf;
          scales[p] = (float) (factor * cos == 0 ? 1 : factor * cos);
          scales[p + half] = scales[p];
          put(forward, olds, q, q + theirHalf, p, p + half, factor * cos, factor * sin);
          put(backward, news, p, p + half, q, q + theirHalf, cos / factor, -sin / factor);
        }
        return matching
            ? new SpaceMap.Matching(news, targets, scales)
            : new SpaceMap.Mixing(olds, news, forward, backward);
      }

      private void put(
          float[] matrix, int width, int r1, int r2, int c1, int c2, double cos, double sin) {
        matrix[r1 * width + c1] = (float) cos;
        matrix[r1 * width + c2] = (float) -sin;
        matrix[r2 * width + c1] = (float) sin;
        matrix[r2 * width + c2] = (float) cos;
      }
    }
  }
}
