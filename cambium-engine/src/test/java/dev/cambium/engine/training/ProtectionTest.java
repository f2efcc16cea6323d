package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Logits;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.SplitMix64;
import dev.cambium.engine.decoder.Trainable;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each pull against a scalar oracle or central differences; each part through a whole training. */
class ProtectionTest {

  @TempDir Path folder;

  private static final DataMix MIX = DataMix.of(Small.rows(60));
  private static final List<TokenRow> EARLIER = Small.rows(90).subList(60, 90);

  private static Protection only(String part) {
    return switch (part) {
      case "kl" -> Protection.NONE.withKl(0.7);
      case "l2-init" -> Protection.NONE.withL2Init(0.3);
      case "ewc" -> Protection.NONE.withEwc(5.0);
      case "orthogonal" -> Protection.NONE.withOrthogonal(0.5);
      case "spectral" -> Protection.NONE.withSpectral(0.2);
      case "interpolate" -> Protection.NONE.withInterpolate(0.6);
      case "rewarm" -> Protection.NONE.withRewarm(new Protection.Rewarm(3, 8, 0.3));
      case "reset-dormant" -> Protection.NONE.withResetDormant(new Protection.ResetDormant(4, 0.6));
      case "shrink-perturb" ->
          Protection.NONE.withShrinkPerturb(new Protection.ShrinkPerturb(0.8, 0.5));
      default -> throw new IllegalArgumentException(part);
    };
  }

  private static float[] read(Tensor tensor) {
    float[] values = new float[(int) tensor.numel()];
    new FloatPointer(tensor.data_ptr()).get(values, 0, values.length);
    return values;
  }

  private static void write(Tensor tensor, float[] values) {
    new FloatPointer(tensor.data_ptr()).put(values, 0, values.length);
  }

  private static Trainer.Builder trainer(Recipe recipe) {
    return Trainer.builder(recipe).seed(3).earlier(EARLIER);
  }

  private static void assertSame(Decoder a, Decoder b) {
    for (String name : a.shapes().keySet()) {
      assertThat(a.read(name)).as(name).isEqualTo(b.read(name));
    }
  }

  private static boolean same(Decoder a, Decoder b) {
    return a.shapes().keySet().stream().allMatch(n -> Arrays.equals(a.read(n), b.read(n)));
  }

  // ---- every part: it acts, and an interrupted run gives the same bytes ----

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kl",
        "l2-init",
        "ewc",
        "spectral",
        "interpolate",
        "rewarm",
        "reset-dormant",
        "shrink-perturb"
      })
  void actsAndResumesToTheSameBytes(String part) {
    Recipe recipe = Small.recipe(14, 8, 2).withProtection(only(part));
    Progress crash =
        (task, done, total, note) -> {
          if (done == 11) {
            throw new IllegalStateException("power cut");
          }
        };
    try (Decoder plain = Small.decoder();
        Decoder whole = Small.decoder();
        Decoder broken = Small.decoder();
        Decoder resumed = Small.decoder()) {
      trainer(Small.recipe(14, 8, 2)).build().train(plain, MIX);
      TrainingReport expected = trainer(recipe).build().train(whole, MIX);
      assertThat(same(plain, whole)).as("has no effect").isFalse();
      Trainer.Builder builder = trainer(recipe).snapshots(folder, 5);
      assertThatThrownBy(() -> builder.progress("t", crash).build().train(broken, MIX))
          .hasMessage("power cut");
      TrainingReport report = builder.progress("t", Progress.NONE).build().train(resumed, MIX);
      assertThat(report.resumedFrom()).isEqualTo(10);
      assertThat(report.losses()).isEqualTo(expected.losses());
      assertSame(resumed, whole);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"kl", "ewc", "orthogonal", "interpolate"})
  void actsOnAdaptersAndResumesToTheSameBytes(String part) {
    Recipe.Lora shape = new Recipe.Lora(3, 6, List.of("q_proj", "down_proj"));
    Recipe recipe = Small.lora(14, shape).withProtection(only(part));
    Progress crash =
        (task, done, total, note) -> {
          if (done == 11) {
            throw new IllegalStateException("power cut");
          }
        };
    try (Decoder decoder = Small.decoder();
        LoraAdapter released = LoraAdapter.random(decoder.config(), LoraConfig.of(shape), 77);
        LoraAdapter plain = LoraAdapter.random(decoder.config(), LoraConfig.of(shape), 1);
        LoraAdapter whole = plain.copy();
        LoraAdapter broken = plain.copy();
        LoraAdapter resumed = plain.copy()) {
      trainer(Small.lora(14, shape)).build().train(decoder, plain, MIX);
      trainer(recipe).released(released).build().train(decoder, whole, MIX);
      String name = whole.shapes().firstKey();
      assertThat(whole.read(name)).isNotEqualTo(plain.read(name));
      Trainer.Builder builder = trainer(recipe).released(released).snapshots(folder, 5);
      assertThatThrownBy(() -> builder.progress("t", crash).build().train(decoder, broken, MIX))
          .hasMessage("power cut");
      builder.progress("t", Progress.NONE).build().train(decoder, resumed, MIX);
      for (String each : whole.shapes().keySet()) {
        assertThat(resumed.read(each)).as(each).isEqualTo(whole.read(each));
      }
    }
  }

  // ---- KL ----

  private static final int[][] ROWS = {{1, 5, 9, 20, 2, 7, 11, 3}, {4, 4, 6}};
  private static final int[][] POSITIONS = {{1, 2, 5, 7}, {2}};
  private static final int[][] TARGETS = {{9, 20, 11, 0}, {17}};

  /** KL(before ‖ now) summed over the positions, from logits, in double precision. */
  private static double divergence(Decoder before, Decoder now) {
    double sum = 0;
    try (Logits old = before.logits(ROWS, POSITIONS);
        Logits fresh = now.logits(ROWS, POSITIONS)) {
      for (int i = 0; i < old.count(); i++) {
        double[] p = logSoftmax(old.line(i));
        double[] q = logSoftmax(fresh.line(i));
        for (int v = 0; v < p.length; v++) {
          sum += Math.exp(p[v]) * (p[v] - q[v]);
        }
      }
    }
    return sum;
  }

  private static double[] logSoftmax(float[] logits) {
    double most = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      most = Math.max(most, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - most);
    }
    double[] result = new double[logits.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = logits[i] - most - Math.log(sum);
    }
    return result;
  }

  private static Decoder jittered(Decoder like, double size) {
    Decoder decoder = like.copy();
    SplitMix64 random = new SplitMix64(21);
    for (String name : decoder.shapes().keySet()) {
      float[] values = decoder.read(name);
      for (int i = 0; i < values.length; i++) {
        values[i] += (float) (size * (random.nextDouble() - 0.5));
      }
      decoder.write(name, values);
    }
    return decoder;
  }

  @Test
  void divergenceFromTheParentHasTheGradientOfItsDefinition() {
    double strength = 2;
    try (Decoder before = Small.decoder();
        Decoder moved = jittered(before, 0.2);
        Decoder now = before.copy()) {
      float[] with;
      float[] without;
      try (Trainable trainable = Trainable.of(now)) {
        trainable.stayCloseToNow(strength);
        for (String name : moved.shapes().keySet()) {
          now.write(name, moved.read(name));
        }
        trainable.zeroGradients();
        double loss = trainable.accumulate(ROWS, POSITIONS, TARGETS, Objective.NEXT_TOKEN, 1);
        with = read(trainable.gradients());
        trainable.zeroGradients();
        assertThat(trainable.accumulate(ROWS, POSITIONS, TARGETS, Objective.NEXT_TOKEN, 1))
            .isEqualTo(loss);
      }
      try (Trainable trainable = Trainable.of(now)) {
        trainable.zeroGradients();
        trainable.accumulate(ROWS, POSITIONS, TARGETS, Objective.NEXT_TOKEN, 1);
        without = read(trainable.gradients());
      }
      double[] pull = new double[with.length];
      double length = 0;
      for (int i = 0; i < pull.length; i++) {
        pull[i] = with[i] - without[i];
        length += pull[i] * pull[i];
      }
      assertThat(length).isPositive();
      // Along its own direction the slope must be its length.
      double step = 1e-2;
      double[] values = new double[2];
      try (Trainable trainable = Trainable.of(now)) {
        float[] start = read(trainable.weights());
        for (int side = 0; side < 2; side++) {
          float[] there = start.clone();
          for (int i = 0; i < there.length; i++) {
            there[i] += (float) ((side == 0 ? -step : step) * pull[i] / Math.sqrt(length));
          }
          write(trainable.weights(), there);
          values[side] = strength * divergence(before, now);
        }
      }
      double slope = (values[1] - values[0]) / (2 * step);
      assertThat(slope).isCloseTo(Math.sqrt(length), within(0.01 * slope));
    }
  }

  // ---- pulls on the weights ----

  private static double[] gradient(Regularizer regularizer, Trainable trainable, float[] start) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      trainable.zeroGradients();
      regularizer.add(trainable.weights(), Natives.floats(start), trainable.gradients());
      float[] gradient = read(trainable.gradients());
      double[] exact = new double[gradient.length];
      for (int i = 0; i < exact.length; i++) {
        exact[i] = gradient[i];
      }
      return exact;
    }
  }

  @Test
  void elasticWeightsAreTheScalarFormulas() {
    try (Decoder decoder = Small.decoder();
        Trainable trainable = Trainable.of(decoder);
        ElasticWeights elastic = ElasticWeights.measure(trainable, EARLIER.subList(0, 3), 9, 4)) {
      float[] fisher = read(elastic.fisher());
      float[] start = read(trainable.weights());
      float[] now = start.clone();
      SplitMix64 random = new SplitMix64(4);
      for (int i = 0; i < now.length; i++) {
        now[i] += (float) random.nextDouble();
      }
      write(trainable.weights(), now);
      double[] gradient = gradient(elastic, trainable, start);
      double most = 0;
      for (int i = 0; i < now.length; i++) {
        assertThat(fisher[i]).isNotNegative();
        most = Math.max(most, fisher[i]);
        assertThat(gradient[i])
            .isCloseTo(4.0 * fisher[i] * (now[i] - start[i]), within(1e-4 * (1 + fisher[i])));
      }
      assertThat(most).isPositive();
      assertThatThrownBy(() -> ElasticWeights.measure(trainable, List.of(), 9, 4))
          .hasMessageContaining("needs earlier data");
    }
  }

  /** For one answer token F of the final logits' bias-like direction is known: E[(y − p)²]. */
  @Test
  void fisherIsTheVarianceOfTheScore() {
    TokenRow row = TokenRow.from(new int[] {3, 8, 12}, 2);
    try (Decoder decoder = Small.decoder();
        Trainable trainable = Trainable.of(decoder)) {
      // The same row many times: the mean over draws tends to the expectation over the model.
      List<TokenRow> many = java.util.Collections.nCopies(600, row);
      float[] measured;
      try (ElasticWeights elastic = ElasticWeights.measure(trainable, many, 5, 1)) {
        measured = read(elastic.fisher());
      }
      double[] expected = new double[measured.length];
      double[] p;
      try (Logits logits = decoder.logits(new int[][] {{3, 8}}, new int[][] {{1}})) {
        p = Arrays.stream(logSoftmax(logits.line(0))).map(Math::exp).toArray();
      }
      for (int answer = 0; answer < Small.VOCABULARY; answer++) {
        trainable.zeroGradients();
        trainable.accumulate(
            new int[][] {{3, 8}},
            new int[][] {{1}},
            new int[][] {{answer}},
            Objective.NEXT_TOKEN,
            1);
        float[] gradient = read(trainable.gradients());
        for (int i = 0; i < expected.length; i++) {
          expected[i] += p[answer] * gradient[i] * gradient[i];
        }
      }
      assertThat(Arrays.stream(expected).sum())
          .isCloseTo(sum(measured), within(0.1 * Arrays.stream(expected).sum()));
    }
  }

  private static double sum(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return sum;
  }

  @Test
  void spectralPullHasTheGradientOfItsDefinition() {
    try (Decoder foundation = Small.decoder();
        Decoder decoder = jittered(foundation, 0.3);
        Trainable trainable = Trainable.of(decoder);
        Spectrum spectrum = Spectrum.of(trainable, Optional.of(foundation), 1.5)) {
      float[] start = read(trainable.weights());
      double[] gradient = gradient(spectrum, trainable, start);
      double length = 0;
      for (double g : gradient) {
        length += g * g;
      }
      double step = 1e-2;
      double[] values = new double[2];
      for (int side = 0; side < 2; side++) {
        float[] there = start.clone();
        for (int i = 0; i < there.length; i++) {
          there[i] += (float) ((side == 0 ? -step : step) * gradient[i] / Math.sqrt(length));
        }
        write(trainable.weights(), there);
        for (String name : decoder.shapes().keySet()) {
          if (name.startsWith("model.layers.") && decoder.shapes().get(name).size() == 2) {
            int columns = Math.toIntExact(decoder.shapes().get(name).get(1));
            double difference =
                topSingularValue(decoder.read(name), columns)
                    - topSingularValue(foundation.read(name), columns);
            values[side] += 1.5 / 2 * difference * difference;
          }
        }
      }
      assertThat((values[1] - values[0]) / (2 * step))
          .isCloseTo(Math.sqrt(length), within(0.01 * Math.sqrt(length)));
    }
  }

  /** Power iteration in plain Java. */
  private static double topSingularValue(float[] matrix, int columns) {
    int rows = matrix.length / columns;
    double[] v = new double[columns];
    Arrays.fill(v, 1);
    v[0] = 2;
    double norm = 0;
    for (int iteration = 0; iteration < 3000; iteration++) {
      double[] w = new double[rows];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          w[r] += matrix[r * columns + c] * v[c];
        }
      }
      norm = Math.sqrt(Arrays.stream(w).map(x -> x * x).sum());
      double[] next = new double[columns];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          next[c] += matrix[r * columns + c] * w[r] / norm;
        }
      }
      double size = Math.sqrt(Arrays.stream(next).map(x -> x * x).sum());
      v = Arrays.stream(next).map(x -> x / size).toArray();
    }
    return norm;
  }

  @Test
  void anOrthogonalAdapterLeavesTheEarlierDirections() {
    LoraConfig config = LoraConfig.of(new Recipe.Lora(2, 4, List.of("q_proj")));
    try (Decoder decoder = Small.decoder();
        LoraAdapter earlier = LoraAdapter.random(decoder.config(), config, 1);
        LoraAdapter adapter = LoraAdapter.random(decoder.config(), config, 2);
        Trainable trainable = Trainable.of(decoder, adapter);
        Orthogonality pull = Orthogonality.to(earlier, trainable, 1)) {
      // A step of half the gradient takes out exactly what lies in the earlier directions.
      double[] gradient = gradient(pull, trainable, read(trainable.weights()));
      float[] moved = read(trainable.weights());
      double before = 0;
      double after = 0;
      for (int i = 0; i < moved.length; i++) {
        moved[i] -= (float) (gradient[i] / 2);
      }
      String name = adapter.shapes().firstKey();
      before = overlap(adapter.read(name), earlier.read(name));
      write(trainable.weights(), moved);
      after = overlap(adapter.read(name), earlier.read(name));
      assertThat(before).isGreaterThan(1e-3);
      assertThat(after).isLessThan(1e-10);
    }
  }

  /** Σ of squared scalar products of rows of width 16. */
  private static double overlap(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i += 16) {
      for (int j = 0; j < b.length; j += 16) {
        double product = 0;
        for (int k = 0; k < 16; k++) {
          product += a[i + k] * b[j + k];
        }
        sum += product * product;
      }
    }
    return sum;
  }

  @Test
  void stackedAdaptersActAsTheirSum() {
    LoraConfig one = LoraConfig.of(new Recipe.Lora(2, 4, List.of("q_proj", "down_proj")));
    LoraConfig two = LoraConfig.of(new Recipe.Lora(3, 9, List.of("q_proj", "down_proj")));
    try (Decoder decoder = Small.decoder();
        Decoder merged = decoder.copy();
        LoraAdapter first = noise(decoder, one, 1);
        LoraAdapter second = noise(decoder, two, 2);
        LoraAdapter both = LoraAdapter.stack(first, second)) {
      merged.merge(first);
      merged.merge(second);
      decoder.attach(both);
      try (Logits a = decoder.logits(ROWS, POSITIONS);
          Logits b = merged.logits(ROWS, POSITIONS)) {
        for (int i = 0; i < a.count(); i++) {
          for (int v = 0; v < Small.VOCABULARY; v++) {
            assertThat((double) a.line(i)[v]).isCloseTo(b.line(i)[v], within(1e-4));
          }
        }
      }
      decoder.detach();
    }
  }

  private static LoraAdapter noise(Decoder decoder, LoraConfig config, long seed) {
    LoraAdapter adapter = LoraAdapter.random(decoder.config(), config, seed);
    SplitMix64 random = new SplitMix64(seed);
    for (String name : adapter.shapes().keySet()) {
      float[] values = adapter.read(name);
      random.fillNormal(values, 0.2);
      adapter.write(name, values);
    }
    return adapter;
  }

  // ---- the rest ----

  @Test
  void aRewarmedRateKnowsNoHorizon() {
    Recipe recipe = Small.recipe(20, 8, 1).withProtection(only("rewarm"));
    LearningRate shorter = new LearningRate(recipe);
    LearningRate longer = new LearningRate(recipe.withSteps(2000));
    double peak = recipe.learningRate();
    for (int step = 0; step < 20; step++) {
      assertThat(shorter.at(step)).isEqualTo(longer.at(step));
    }
    assertThat(shorter.at(0)).isCloseTo(peak / 4, within(1e-12));
    assertThat(shorter.at(3)).isCloseTo(peak, within(1e-12));
    assertThat(shorter.at(7)).isCloseTo(peak * 0.65, within(1e-12)); // half way down to 0.3
    assertThat(longer.at(11)).isCloseTo(peak * 0.3, within(1e-12));
    assertThat(longer.at(1999)).isCloseTo(peak * 0.3, within(1e-12));
  }

  @Test
  void interpolationGoesPartOfTheWay() {
    Recipe recipe = Small.recipe(5, 8, 1);
    try (Decoder start = Small.decoder();
        Decoder full = Small.decoder();
        Decoder part = Small.decoder()) {
      trainer(recipe).build().train(full, MIX);
      trainer(recipe.withProtection(only("interpolate"))).build().train(part, MIX);
      for (String name : start.shapes().keySet()) {
        float[] s = start.read(name);
        float[] f = full.read(name);
        float[] p = part.read(name);
        for (int i = 0; i < s.length; i++) {
          assertThat((double) p[i]).isCloseTo(s[i] + 0.6 * (f[i] - s[i]), within(1e-6));
        }
      }
    }
  }

  @Test
  void weightsShrinkAndArePerturbedBeforeTheFirstStep() {
    try (Decoder start = Small.decoder();
        Decoder decoder = Small.decoder();
        Trainable trainable = Trainable.of(decoder);
        Guards guards =
            new Guards(
                only("shrink-perturb"),
                Regularizer.NONE,
                trainable,
                decoder,
                Guards.Inputs.NONE,
                3)) {
      guards.begin();
      long draw = SplitMix64.named(3, "perturb").nextLong();
      try (Decoder fresh = Decoder.random(Small.config(), draw)) {
        for (String name : start.shapes().keySet()) {
          float[] s = start.read(name);
          float[] f = fresh.read(name);
          float[] d = decoder.read(name);
          for (int i = 0; i < s.length; i++) {
            assertThat((double) d[i]).isCloseTo(0.8 * s[i] + 0.5 * f[i], within(1e-6));
          }
        }
      }
    }
  }

  @Test
  void aDormantUnitIsMadeAnewAndForgottenByTheOptimizer() {
    Protection protection = only("reset-dormant");
    String layer = "model.layers.1.mlp.";
    try (Decoder decoder = Small.decoder()) {
      float[] up = decoder.read(layer + "up_proj.weight");
      Arrays.fill(up, 5 * 16, 6 * 16, 0); // unit 5 never acts
      decoder.write(layer + "up_proj.weight", up);
      float[] gateBefore = decoder.read(layer + "gate_proj.weight");
      try (Trainable trainable = Trainable.of(decoder);
          AdamW optimizer = new AdamW(trainable.weights(), trainable.matrixEnd(), 0);
          Guards guards =
              new Guards(
                  Protection.NONE.withResetDormant(new Protection.ResetDormant(4, 0.001)),
                  Regularizer.NONE,
                  trainable,
                  decoder,
                  Guards.Inputs.NONE,
                  3)) {
        assertThat(guards.listen(2)).isEmpty();
        Dormancy dormancy = guards.listen(3).orElseThrow();
        trainable.observe(dormancy);
        trainable.zeroGradients();
        trainable.accumulate(ROWS, POSITIONS, TARGETS, Objective.NEXT_TOKEN, 1);
        optimizer.update(trainable.gradients(), 0, 1); // moments only: the rate is 0
        assertThat(dormancy.scores(1)[5]).isZero();
        assertThat(guards.reset(dormancy, optimizer, 3)).isEqualTo(1);
        Trainable.Matrix down = trainable.matrices().get(layer + "down_proj.weight");
        Trainable.Matrix gate = trainable.matrices().get(layer + "gate_proj.weight");
        float[] mean = read(optimizer.mean());
        float[] square = read(optimizer.square());
        for (int row = 0; row < 16; row++) {
          int at = (int) (down.offset() + row * 24 + 5);
          assertThat(read(trainable.weights())[at]).isZero();
          assertThat(mean[at]).isZero();
          assertThat(square[at]).isZero();
          assertThat(mean[(int) (down.offset() + row * 24 + 6)]).isNotZero();
          assertThat(mean[(int) (gate.offset() + 5 * 16 + row)]).isZero();
        }
      }
      float[] gate = decoder.read(layer + "gate_proj.weight");
      assertThat(Arrays.copyOfRange(gate, 5 * 16, 6 * 16))
          .isNotEqualTo(Arrays.copyOfRange(gateBefore, 5 * 16, 6 * 16));
      assertThat(Arrays.copyOfRange(gate, 6 * 16, 24 * 16))
          .isEqualTo(Arrays.copyOfRange(gateBefore, 6 * 16, 24 * 16));
      assertThat(decoder.read(layer + "up_proj.weight")[5 * 16]).isNotZero();
    }
    assertThat(protection.resetDormant()).isNotNull();
  }

  @Test
  void whatDoesNotFitTheMethodIsRefused() {
    Recipe.Lora shape = new Recipe.Lora(3, 6, List.of("q_proj"));
    assertThatThrownBy(() -> Small.lora(5, shape).withProtection(only("spectral")))
        .hasMessage("protect: spectral: goes with method full");
    assertThatThrownBy(() -> Small.recipe(5, 8, 1).withProtection(only("orthogonal")))
        .hasMessage("protect: orthogonal: goes with method lora");
    assertThatThrownBy(() -> Protection.NONE.withKl(-1.0))
        .hasMessage("protect: kl must be positive: -1.0");
    assertThatThrownBy(() -> Protection.NONE.withInterpolate(1.0))
        .hasMessage("protect: interpolate must be in (0, 1): 1.0");
  }
}
