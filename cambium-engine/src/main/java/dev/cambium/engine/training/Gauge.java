package dev.cambium.engine.training;

import dev.cambium.engine.backend.Lanes;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.PassObserver;
import dev.cambium.engine.decoder.Trainable;
import dev.cambium.model.Json;
import dev.cambium.model.Telemetry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a training's {@link Telemetry}. It reads weights, and runs passes of its own without
 * gradients, so the training's result does not depend on it.
 *
 * <p>It costs little because it looks seldom (two to five times, by the number of steps), on few
 * tokens, and at a sample of matrices whose eigenvalues take a bounded amount of work; what is
 * sampled depends on the model's shape only. {@code dev.cambium.bench.TelemetryCost} measures it.
 */
final class Gauge implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Gauge.class);

  /** The dormancy score that counts as dormant in Sokar et al. (2023). */
  static final double DORMANT = 0.025;

  /** Vectors of an update's subspace that are kept. */
  static final int DIRECTIONS = 8;

  /** Directions in which an update is smaller than this share of its largest are noise. */
  private static final double NOISE = 1e-4;

  /** How many tokens features are measured on. */
  private static final int TOKENS = 256;

  /** Σ n³ over the matrices of one look: eigenvalues take a small multiple of it. */
  private static final double WORK = 1 << 27;

  /** Of models up to this width one thread looks: two would mostly wait for each other. */
  private static final int NARROW = 256;

  private static final List<String> KINDS =
      List.of(
          "self_attn.q_proj",
          "mlp.up_proj",
          "self_attn.o_proj",
          "mlp.down_proj",
          "self_attn.v_proj",
          "mlp.gate_proj",
          "self_attn.k_proj");

  private final Trainable trainable;
  private final int layers;
  private final int units;
  private final int steps;
  private final List<String> matrices;
  private final int[][] rows;
  private final int tokens;
  private final Trainable.Origin origin;
  private final @Nullable Lanes alone;
  private final List<Look> looks = new ArrayList<>();

  /** A point without its gradient norm, which is known later. */
  record Look(
      int step,
      Telemetry.Ranks weights,
      Telemetry.Ranks features,
      double dormant,
      double weightNorm) {}

  /** What came of it. */
  record Reading(Telemetry telemetry, UpdateSubspace subspace) {}

  /** Starts at the weights as they are, which it remembers as the training's start. */
  Gauge(Trainable trainable, Decoder decoder, DataMix mix, int steps, long seed) {
    this.trainable = trainable;
    this.layers = decoder.config().layers();
    this.units = decoder.config().intermediateSize();
    this.steps = steps;
    this.matrices = sample(trainable.layerMatrices(), layers);
    this.rows = rows(mix, seed);
    this.tokens = Arrays.stream(rows).mapToInt(row -> row.length).sum();
    this.origin = trainable.remember(matrices);
    this.alone = decoder.config().hiddenSize() <= NARROW ? new Lanes(1) : null;
  }

  /**
   * Which matrices to measure: of every kind as many as the work allows, spread over the layers, at
   * least one.
   */
  static List<String> sample(SortedMap<String, List<Long>> shapes, int layers) {
    double each =
        KINDS.stream()
            .mapToDouble(kind -> Math.pow(smallerSide(shapes.get(name(0, kind))), 3))
            .sum();
    int count = (int) Math.max(1, Math.min(layers, WORK / Math.max(1, each)));
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      for (int k = 0; k < KINDS.size(); k++) {
        double place = (i + (k + 0.5) / KINDS.size()) * layers / count;
        names.add(name((int) place, KINDS.get(k)));
      }
    }
    return names.stream().filter(shapes::containsKey).sorted().toList();
  }

  private static String name(int layer, String kind) {
    return String.format(Locale.ROOT, "model.layers.%d.%s.weight", layer, kind);
  }

  private static double smallerSide(@Nullable List<Long> shape) {
    return shape == null ? 0 : Math.min(shape.get(0), shape.get(1));
  }

  /** Rows of the training's mix in its proportions, the last one cut. */
  static int[][] rows(DataMix mix, long seed) {
    DataMix.Cursor cursor = mix.new Cursor(~seed, 1, 0);
    List<int[]> rows = new ArrayList<>();
    int left = TOKENS;
    while (left > 0) {
      int[] row = cursor.next().get(0).row().inputs();
      rows.add(row.length <= left ? row : Arrays.copyOf(row, left));
      left -= row.length;
    }
    return rows.toArray(int[][]::new);
  }

  /** Steps after which it looks; the end is not one of them. */
  private boolean due(int step) {
    int between = steps < 50 ? 1 : steps < 200 ? 2 : 4;
    for (int i = 0; i < between; i++) {
      if (step == (long) steps * i / between) {
        return true;
      }
    }
    return false;
  }

  /** Looks at the model after that many steps, if it is time. */
  void look(int step) {
    if (due(step)) {
      compute(() -> measure(step));
    }
  }

  /** The looks taken so far, to be kept with a snapshot. */
  String state() {
    return new String(Json.canonical(looks), StandardCharsets.UTF_8);
  }

  /** Goes on from the looks that a snapshot holds; none in those of earlier versions. */
  void restore(String state) {
    looks.clear();
    if (!state.isEmpty()) {
      looks.addAll(List.of(Json.read(state.getBytes(StandardCharsets.UTF_8), Look[].class)));
    }
  }

  /** Does some work on one thread where the model is narrow, on all otherwise. */
  private void compute(Runnable work) {
    if (alone == null) {
      work.run();
    } else {
      alone.run(lane -> work.run());
    }
  }

  private void measure(int step) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Passing passing = new Passing(layers, units);
      trainable.listen(rows, passing);
      List<SingularValues> weights = new ArrayList<>();
      for (String name : matrices) {
        try (PointerScope one = new PointerScope()) {
          Tensor matrix = trainable.acting(name);
          if (!finite(matrix)) {
            return;
          }
          weights.add(SingularValues.of(matrix));
        }
      }
      Telemetry.@Nullable Ranks features = passing.features;
      if (features != null) {
        looks.add(
            new Look(
                step, mean(weights), features, passing.dormancy.share(DORMANT), norm(weights)));
      }
    } catch (RuntimeException e) {
      // An eigenvalue solver that does not converge is no reason to lose a training.
      log.warn("no telemetry after step {}: {}", step, e.getMessage());
    }
  }

  /** Hears of units and final states. */
  private static final class Passing implements PassObserver {
    private final Dormancy dormancy;
    private Telemetry.@Nullable Ranks features;

    Passing(int layers, int units) {
      this.dormancy = new Dormancy(layers, units);
    }

    @Override
    public void units(int layer, Tensor activations) {
      dormancy.units(layer, activations);
    }

    @Override
    public void states(Tensor states) {
      features = finite(states) ? SingularValues.of(states).ranks() : null;
    }
  }

  private static boolean finite(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      return tensor.isfinite().all().item_bool();
    }
  }

  private static Telemetry.Ranks mean(List<SingularValues> matrices) {
    List<Telemetry.Ranks> ranks = matrices.stream().map(SingularValues::ranks).toList();
    return new Telemetry.Ranks(
        mean(ranks, Telemetry.Ranks::effective),
        mean(ranks, Telemetry.Ranks::stable),
        mean(ranks, Telemetry.Ranks::full));
  }

  private static double mean(
      List<Telemetry.Ranks> ranks, ToDoubleFunction<Telemetry.Ranks> number) {
    return ranks.stream().mapToDouble(number).average().orElse(0);
  }

  private static double norm(List<SingularValues> matrices) {
    return Math.sqrt(matrices.stream().mapToDouble(m -> m.norm() * m.norm()).sum());
  }

  /**
   * Looks at the model at the end, and at what was changed.
   *
   * @param gradientNorms of all steps
   */
  Reading end(float[] gradientNorms) {
    Map<String, UpdateSubspace.Basis> bases = new TreeMap<>();
    AtomicReference<Telemetry.@Nullable Update> update = new AtomicReference<>();
    compute(
        () -> {
          measure(steps);
          update.set(update(bases));
        });
    List<Telemetry.Point> points = new ArrayList<>();
    int before = 0;
    for (Look look : looks) {
      int from = Math.min(before, gradientNorms.length - 1);
      int to = Math.max(from + 1, look.step);
      double sum = 0;
      for (int i = from; i < to; i++) {
        sum += gradientNorms[i];
      }
      points.add(
          new Telemetry.Point(
              look.step,
              look.weights,
              look.features,
              look.dormant,
              look.weightNorm,
              sum / (to - from)));
      before = look.step;
    }
    return new Reading(
        new Telemetry(matrices, tokens, points, update.get()), new UpdateSubspace(bases));
  }

  private Telemetry.@Nullable Update update(Map<String, UpdateSubspace.Basis> bases) {
    List<SingularValues> changes = new ArrayList<>();
    double start = 0;
    for (String name : matrices) {
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        Tensor was = origin.matrix(name);
        Tensor change = trainable.acting(name).sub(was);
        if (!finite(change)) {
          return null;
        }
        double norm = was.norm().item_double();
        start += norm * norm;
        SingularValues.Parts parts = SingularValues.parts(change, DIRECTIONS, NOISE);
        changes.add(parts.values());
        if (parts.count() > 0) {
          bases.put(
              name, new UpdateSubspace.Basis(parts.count(), (int) change.size(1), parts.right()));
        }
      } catch (RuntimeException e) {
        log.warn("no telemetry of what was changed: {}", e.getMessage());
        return null;
      }
    }
    return new Telemetry.Update(start == 0 ? 0 : norm(changes) / Math.sqrt(start), mean(changes));
  }

  @Override
  public void close() {
    origin.close();
    if (alone != null) {
      alone.close();
    }
  }
}
