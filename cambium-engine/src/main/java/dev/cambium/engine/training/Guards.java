package dev.cambium.engine.training;

import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.engine.decoder.Trainable;
import dev.cambium.model.Protection;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * A recipe's protection at work on one run. Made at the weights that the run starts from, before a
 * snapshot is restored; whatever it does later is a function of the step, the weights and that
 * start, so a resumed run does the same.
 */
final class Guards implements AutoCloseable {

  /** What protection needs besides the weights. */
  record Inputs(
      List<TokenRow> earlier, Optional<Decoder> foundation, Optional<LoraAdapter> released) {
    static final Inputs NONE = new Inputs(List.of(), Optional.empty(), Optional.empty());

    Inputs {
      earlier = List.copyOf(earlier);
    }
  }

  private final Protection protection;
  private final Trainable trainable;
  private final Decoder decoder;
  private final long seed;
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final Regularizer regularizer;

  Guards(
      Protection protection,
      Regularizer base,
      Trainable trainable,
      Decoder decoder,
      Inputs inputs,
      long seed) {
    this.protection = protection;
    this.trainable = trainable;
    this.decoder = decoder;
    this.seed = seed;
    List<Regularizer> parts = new ArrayList<>(List.of(base));
    if (protection.l2Init() != null) {
      parts.add(Regularizer.towardsStart(protection.l2Init()));
    }
    if (protection.ewc() != null) {
      parts.add(owned(ElasticWeights.measure(trainable, inputs.earlier, seed, protection.ewc())));
    }
    if (protection.spectral() != null) {
      parts.add(owned(Spectrum.of(trainable, inputs.foundation, protection.spectral())));
    }
    if (protection.orthogonal() != null && inputs.released.isPresent()) {
      parts.add(owned(Orthogonality.to(inputs.released.get(), trainable, protection.orthogonal())));
    }
    this.regularizer = parts.size() == 1 ? base : Regularizer.all(parts);
    if (protection.kl() != null) {
      trainable.stayCloseToNow(protection.kl());
    }
  }

  private <T extends AutoCloseable> T owned(T part) {
    owned.add(part);
    return part;
  }

  /** All pulls on the weights. */
  Regularizer regularizer() {
    return regularizer;
  }

  /** Whether the weights at the start are needed. */
  boolean needsStart() {
    return regularizer.needsStart() || protection.interpolate() != null;
  }

  /** Shrinks and perturbs the weights. */
  void begin() {
    Protection.ShrinkPerturb change = protection.shrinkPerturb();
    if (change == null) {
      return;
    }
    long draw = SplitMix64.named(seed, "perturb").nextLong();
    try (Decoder fresh = Decoder.random(decoder.config(), draw);
        Trainable other = Trainable.of(fresh);
        PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      trainable
          .weights()
          .mul_(new Scalar(change.shrink()))
          .add_(other.weights(), new Scalar(change.noise()));
    }
  }

  /** Listens to a step's passes where units are looked at after it. */
  Optional<Dormancy> listen(int step) {
    Protection.ResetDormant reset = protection.resetDormant();
    return reset != null && (step + 1) % reset.every() == 0
        ? Optional.of(new Dormancy(decoder.config().layers(), decoder.config().intermediateSize()))
        : Optional.empty();
  }

  /**
   * Makes dormant units anew.
   *
   * @return how many
   */
  int reset(Dormancy dormancy, AdamW optimizer, int step) {
    double threshold = java.util.Objects.requireNonNull(protection.resetDormant()).threshold();
    SortedMap<String, Trainable.Matrix> matrices = trainable.matrices();
    int count = 0;
    for (int layer = 0; layer < decoder.config().layers(); layer++) {
      double[] scores = dormancy.scores(layer);
      for (int unit = 0; unit < scores.length; unit++) {
        if (scores[unit] <= threshold) {
          count++;
          for (String incoming : List.of("gate_proj", "up_proj")) {
            Trainable.Matrix matrix = matrix(matrices, layer, incoming);
            float[] fresh = new float[(int) matrix.columns()];
            SplitMix64.named(seed, "reset/" + step + "/" + matrix.name() + "/" + unit)
                .fillNormal(fresh, decoder.config().initializerRange());
            long at = matrix.offset() + unit * matrix.columns();
            write(trainable.weights(), at, fresh);
            forget(optimizer, at, fresh.length);
          }
          Trainable.Matrix down = matrix(matrices, layer, "down_proj");
          try (PointerScope scope = new PointerScope();
              NoGradGuard guard = new NoGradGuard()) {
            for (Tensor buffer :
                List.of(trainable.weights(), optimizer.mean(), optimizer.square())) {
              Tensors.matrix(buffer, down).narrow(1, unit, 1).zero_();
            }
          }
        }
      }
    }
    return count;
  }

  private static Trainable.Matrix matrix(
      SortedMap<String, Trainable.Matrix> matrices, int layer, String member) {
    String name = String.format(Locale.ROOT, "model.layers.%d.mlp.%s.weight", layer, member);
    return java.util.Objects.requireNonNull(matrices.get(name));
  }

  private static void write(Tensor buffer, long offset, float[] values) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      buffer.narrow(0, offset, values.length).copy_(Natives.floats(values));
    }
  }

  private static void forget(AdamW optimizer, long offset, long count) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      optimizer.mean().narrow(0, offset, count).zero_();
      optimizer.square().narrow(0, offset, count).zero_();
    }
  }

  /** Goes back part of the way to the start. */
  void end(Tensor start) {
    if (protection.interpolate() != null) {
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        trainable.weights().lerp_(start, new Scalar(1 - protection.interpolate()));
      }
    }
  }

  @Override
  public void close() {
    for (AutoCloseable part : owned) {
      try {
        part.close();
      } catch (Exception e) {
        throw new IllegalStateException("releasing memory", e);
      }
    }
  }
}
