package dev.cambium.engine.training;

import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Trainable;
import dev.cambium.model.Digest;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The training loop.
 *
 * <p>The result is a function of the starting weights, the recipe, the data mix, the seed, the
 * objective, the regularizer and the engine's fingerprint: two runs give the same bytes, and so
 * does a run that was killed at any point and started again with the same snapshot directory.
 *
 * <p>The loss of a step is the mean over all supervised tokens of its whole batch, so splitting a
 * batch into accumulation passes changes memory, and rounding, but not what is minimised.
 */
public final class Trainer {

  private static final Logger log = LoggerFactory.getLogger(Trainer.class);

  private final Recipe recipe;
  private final long seed;
  private final Objective objective;
  private final Regularizer regularizer;
  private final Practice practice;
  private final Guards.Inputs inputs;
  private final Progress progress;
  private final IntConsumer afterStep;
  private final String task;
  private final @Nullable Path snapshotDirectory;
  private final int snapshotInterval;
  private final boolean telemetry;

  private Trainer(Builder builder) {
    this.recipe = builder.recipe;
    this.seed = builder.seed;
    this.objective = builder.objective;
    this.regularizer = builder.regularizer;
    this.practice = builder.practice;
    this.inputs =
        new Guards.Inputs(
            builder.earlier,
            Optional.ofNullable(builder.foundation),
            Optional.ofNullable(builder.released));
    this.progress = builder.progress;
    this.afterStep = builder.afterStep;
    this.task = builder.task;
    this.snapshotDirectory = builder.snapshotDirectory;
    this.snapshotInterval = builder.snapshotInterval;
    this.telemetry = builder.telemetry;
  }

  /** Starts a trainer with that recipe. */
  public static Builder builder(Recipe recipe) {
    return new Builder(recipe);
  }

  /**
   * Moves all weights of a decoder, in place. For recipes of method {@code full}.
   *
   * @throws DivergenceException if the loss or the gradient is not finite; the decoder's weights
   *     are then those before that step
   * @throws IllegalStateException if the snapshot directory holds another run
   */
  public TrainingReport train(Decoder decoder, DataMix mix) {
    if (recipe.method() != Recipe.Method.FULL) {
      throw new IllegalArgumentException("the recipe trains an adapter: give one");
    }
    try (Trainable trainable = Trainable.of(decoder)) {
      return run(trainable, decoder, mix);
    }
  }

  /**
   * Moves an adapter's weights, in place; the decoder's stay as they are. For recipes of method
   * {@code lora}.
   *
   * @see #train(Decoder, DataMix)
   */
  public TrainingReport train(Decoder decoder, LoraAdapter adapter, DataMix mix) {
    if (recipe.lora() == null) {
      throw new IllegalArgumentException("the recipe trains all weights, not an adapter");
    }
    LoraConfig asked = LoraConfig.of(recipe.lora());
    if (!adapter.isShapedAs(asked)) {
      throw new IllegalArgumentException(
          "the recipe's adapter is " + asked + ", the one given " + adapter.config());
    }
    try (Trainable trainable = Trainable.of(decoder, adapter)) {
      return run(trainable, decoder, mix);
    }
  }

  private TrainingReport run(Trainable trainable, Decoder decoder, DataMix given) {
    trainable.mixedPrecision(recipe.precision() == Recipe.Precision.BF16);
    Prepared prepared = prepare(given, decoder.config().vocabularySize());
    DataMix mix = prepared.mix;
    LearningRate rates = new LearningRate(recipe);
    String began = snapshotDirectory == null ? "" : weightsDigest(trainable.weights()).toString();
    try (AdamW optimizer =
            new AdamW(trainable.weights(), trainable.matrixEnd(), recipe.weightDecay());
        Guards guards =
            new Guards(
                recipe.protect() == null ? Protection.NONE : recipe.protect(),
                regularizer,
                trainable,
                decoder,
                earlierRows(inputs),
                seed);
        Start start = new Start(trainable.weights(), guards.needsStart());
        @Nullable Gauge gauge =
            telemetry ? new Gauge(trainable, decoder, mix, recipe.steps(), seed) : null) {
      if (gauge != null) {
        gauge.look(0);
      }
      guards.begin();
      Map<String, Tensor> state = new LinkedHashMap<>();
      state.put("weights", trainable.weights());
      state.put("mean", optimizer.mean());
      state.put("square", optimizer.square());
      state.putAll(guards.regularizer().state());
      @Nullable Snapshots snapshots =
          snapshotDirectory == null
              ? null
              : new Snapshots(
                  snapshotDirectory, identity(guards.regularizer(), began, decoder, mix));
      float[] losses = new float[recipe.steps()];
      float[] norms = new float[recipe.steps()];
      int first = 0;
      if (snapshots != null) {
        Optional<Snapshots.Position> position = snapshots.restore(state);
        if (position.isPresent()) {
          first = position.get().step();
          System.arraycopy(position.get().losses(), 0, losses, 0, first);
          System.arraycopy(position.get().norms(), 0, norms, 0, first);
          if (gauge != null) {
            gauge.restore(position.get().telemetry());
          }
          log.info("training continues from the snapshot of step {} of {}", first, recipe.steps());
        }
      }
      DataMix.Cursor skipped = mix.new Cursor(seed, recipe.batchRows(), 0);
      long tokens = 0;
      long supervised = 0;
      for (int step = 0; step < recipe.steps(); step++) {
        List<DataMix.Drawn> batch = skipped.next();
        int batchSupervised =
            batch.stream().mapToInt(d -> d.row().supervised().cardinality()).sum();
        tokens += batch.stream().mapToInt(d -> d.row().length()).sum();
        supervised += batchSupervised;
        if (step < first) {
          continue;
        }
        double rate = rates.at(step);
        Optional<Dormancy> dormancy = guards.listen(step);
        List<TokenRow> rows =
            practice.rows(step, batch.stream().map(DataMix.Drawn::row).toList(), decoder);
        trainable.observe(dormancy.orElse(null));
        losses[step] = (float) gradients(trainable, rows, batch, step, rate);
        norms[step] = (float) clip(guards, trainable, start, batch, step, rate);
        optimizer.update(trainable.gradients(), rate, step + 1L);
        if (dormancy.isPresent()) {
          int reset = guards.reset(dormancy.get(), optimizer, step);
          log.info("step {}: {} dormant units made anew", step + 1, reset);
        }
        int done = step + 1;
        afterStep.accept(done);
        if (gauge != null && done < recipe.steps()) {
          gauge.look(done);
        }
        if (snapshots != null && done % snapshotInterval == 0 && done < recipe.steps()) {
          snapshots.write(
              new Snapshots.Position(
                  done,
                  Arrays.copyOf(losses, done),
                  Arrays.copyOf(norms, done),
                  gauge == null ? "" : gauge.state()),
              state);
        }
        progress.at(
            task, done, recipe.steps(), String.format(Locale.ROOT, "loss %.3f", losses[step]));
      }
      guards.end(start.weights);
      Gauge.@Nullable Reading reading = gauge == null ? null : gauge.end(norms);
      return new TrainingReport(
          losses,
          norms,
          tokens,
          supervised,
          prepared.cut,
          prepared.dropped,
          first,
          reading == null ? null : reading.telemetry(),
          reading == null ? null : reading.subspace());
    }
  }

  /** Earlier rows as training would read them: cut, and with something supervised. */
  private Guards.Inputs earlierRows(Guards.Inputs given) {
    return new Guards.Inputs(
        given.earlier().stream()
            .map(row -> row.cut(recipe.maxTokens()))
            .filter(row -> !row.supervised().isEmpty())
            .toList(),
        given.foundation(),
        given.released());
  }

  /** A copy of the weights before the first step, where a regularizer wants it. */
  private static final class Start implements AutoCloseable {
    final Tensor weights;

    Start(Tensor now, boolean wanted) {
      try (NoGradGuard guard = new NoGradGuard()) {
        weights = wanted ? now.clone() : torch.empty(0);
      }
      weights.retainReference();
    }

    @Override
    public void close() {
      weights.close();
    }
  }

  private record Prepared(DataMix mix, int cut, int dropped) {}

  /** Cuts rows to the recipe's limit and leaves out those with nothing left to learn. */
  private Prepared prepare(DataMix given, int vocabulary) {
    int cut = 0;
    int dropped = 0;
    List<DataMix.Source> sources = new ArrayList<>();
    for (DataMix.Source source : given.sources()) {
      List<TokenRow> rows = new ArrayList<>();
      for (int i = 0; i < source.rows().size(); i++) {
        TokenRow row = source.rows().get(i);
        for (int token : row.tokens()) {
          if (token < 0 || token >= vocabulary) {
            throw new IllegalArgumentException(
                source.name()
                    + "#"
                    + i
                    + ": token "
                    + token
                    + " is outside the vocabulary of "
                    + vocabulary);
          }
        }
        TokenRow fitting = row.cut(recipe.maxTokens());
        if (fitting.supervised().isEmpty()) {
          dropped++;
        } else {
          rows.add(fitting);
          cut += fitting == row ? 0 : 1;
        }
      }
      if (rows.isEmpty()) {
        throw new IllegalArgumentException(
            "source '"
                + source.name()
                + "': none of its "
                + source.rows().size()
                + " rows has a supervised token within "
                + recipe.maxTokens()
                + " tokens");
      }
      sources.add(new DataMix.Source(source.name(), source.weight(), rows));
    }
    if (cut + dropped > 0) {
      log.warn(
          "{} rows longer than {} tokens were cut, {} left out for want of supervised tokens",
          cut,
          recipe.maxTokens(),
          dropped);
    }
    return new Prepared(new DataMix(sources), cut, dropped);
  }

  /** Gradient of the batch's mean loss; returns that loss. */
  private double gradients(
      Trainable trainable,
      List<TokenRow> learnt,
      List<DataMix.Drawn> batch,
      int step,
      double rate) {
    trainable.zeroGradients();
    int supervised = learnt.stream().mapToInt(row -> row.supervised().cardinality()).sum();
    // Rows of like length share a pass: the rectangle of attention then has little padding.
    List<TokenRow> rows =
        learnt.stream().sorted(Comparator.comparingInt(TokenRow::length)).toList();
    double sum = 0;
    int passes = recipe.accumulation();
    for (int pass = 0; pass < passes; pass++) {
      List<TokenRow> part =
          rows.subList(rows.size() * pass / passes, rows.size() * (pass + 1) / passes);
      sum +=
          trainable.accumulate(
              part.stream().map(TokenRow::inputs).toArray(int[][]::new),
              part.stream().map(TokenRow::predicting).toArray(int[][]::new),
              part.stream().map(TokenRow::targets).toArray(int[][]::new),
              objective,
              1.0 / supervised);
    }
    double loss = sum / supervised;
    requireFinite("the loss", loss, batch, step, rate);
    return loss;
  }

  /** Adds the regularizer, checks and clips the gradient; returns its norm before clipping. */
  private double clip(
      Guards guards,
      Trainable trainable,
      Start start,
      List<DataMix.Drawn> batch,
      int step,
      double rate) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor gradients = trainable.gradients();
      guards.regularizer().add(trainable.weights(), start.weights, gradients);
      double norm = torch.linalg_vector_norm(gradients).item_float();
      requireFinite("the gradient's norm", norm, batch, step, rate);
      if (recipe.clipNorm() > 0 && norm > recipe.clipNorm()) {
        gradients.mul_(new Scalar(recipe.clipNorm() / norm));
      }
      return norm;
    }
  }

  private static void requireFinite(
      String what, double value, List<DataMix.Drawn> batch, int step, double rate) {
    if (!Double.isFinite(value)) {
      throw new DivergenceException(
          what, value, step, rate, batch.stream().map(DataMix.Drawn::toString).toList());
    }
  }

  /** All that determines the result, by name. */
  private SortedMap<String, String> identity(
      Regularizer pulls, String began, Decoder decoder, DataMix mix) {
    SortedMap<String, String> parts = new TreeMap<>();
    parts.put("recipe", Json.digest(recipe).toString());
    parts.put("seed", Long.toString(seed));
    parts.put("objective", objective.name());
    if (practice != Practice.NONE) {
      parts.put("practice", practice.name());
    }
    parts.put("regularizer", pulls.name());
    parts.put("engine", Backend.instance().fingerprint());
    parts.put("shape", Digest.ofText(decoder.config().toString()).toString());
    parts.put("data", mix.digest().toString());
    parts.put("starting weights", began);
    return parts;
  }

  private static Digest weightsDigest(Tensor weights) {
    MessageDigest digest = Digest.sha256();
    long bytes = weights.numel() * Float.BYTES;
    long step = 1L << 30;
    try (PointerScope scope = new PointerScope()) {
      Tensor host = Backend.instance().toHost(weights);
      for (long start = 0; start < bytes; start += step) {
        BytePointer pointer = new BytePointer(host.data_ptr());
        pointer.limit(Math.min(bytes, start + step)).position(start);
        digest.update(pointer.asByteBuffer());
      }
    }
    return Digest.ofRaw(digest.digest());
  }

  /** Builds a trainer. */
  public static final class Builder {
    private final Recipe recipe;
    private long seed;
    private Objective objective = Objective.NEXT_TOKEN;
    private Regularizer regularizer = Regularizer.NONE;
    private Practice practice = Practice.NONE;
    private List<TokenRow> earlier = List.of();
    private @Nullable Decoder foundation;
    private @Nullable LoraAdapter released;
    private Progress progress = Progress.NONE;
    private IntConsumer afterStep = done -> {};
    private String task = "training";
    private @Nullable Path snapshotDirectory;
    private int snapshotInterval = 50;
    private boolean telemetry = true;

    private Builder(Recipe recipe) {
      this.recipe = recipe;
    }

    /** Decides the order of the rows. Default 0. */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /** What to minimise. Default {@link Objective#NEXT_TOKEN}. */
    public Builder objective(Objective value) {
      objective = value;
      return this;
    }

    /** What else pulls the weights. Default nothing. */
    public Builder regularizer(Regularizer value) {
      regularizer = value;
      return this;
    }

    /** What a step learns from in place of rows drawn. Default the rows. */
    public Builder practice(Practice value) {
      practice = value;
      return this;
    }

    /** What was learnt before, for elastic weight consolidation. Default nothing. */
    public Builder earlier(List<TokenRow> rows) {
      earlier = List.copyOf(rows);
      return this;
    }

    /** Whose spectrum to stay near; stays the caller's to close. Default the start itself. */
    public Builder foundation(Decoder value) {
      foundation = value;
      return this;
    }

    /** The adapter whose directions a new one avoids; stays the caller's. Default none. */
    public Builder released(LoraAdapter value) {
      released = value;
      return this;
    }

    /** Hears of every step, under that name. */
    public Builder progress(String name, Progress value) {
      task = name;
      progress = value;
      return this;
    }

    /**
     * Hears the number of steps done after each of them, on the training thread: it may look at the
     * decoder, whose weights are those after the step, and must not change it. Default nobody.
     */
    public Builder afterStep(IntConsumer listener) {
      afterStep = listener;
      return this;
    }

    /**
     * Where the run's state is kept, for this run only, and every how many steps. A run that finds
     * its own snapshot there continues from it. Default nowhere.
     */
    public Builder snapshots(Path directory, int interval) {
      if (interval < 1) {
        throw new IllegalArgumentException("snapshot interval must be at least 1: " + interval);
      }
      snapshotDirectory = directory;
      snapshotInterval = interval;
      return this;
    }

    /** Whether to take telemetry, which changes nothing of the result. Default yes. */
    public Builder telemetry(boolean value) {
      telemetry = value;
      return this;
    }

    /** The trainer. */
    public Trainer build() {
      return new Trainer(this);
    }
  }
}
