package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * All that determines a training action besides its inputs.
 *
 * @param method which weights move
 * @param lora the adapter's shape, for {@link Method#LORA}
 * @param steps optimizer steps; with epochs, at least so many
 * @param batchRows rows per step, over all accumulation passes
 * @param accumulation passes that a step is split into; changes memory, never the result's meaning
 * @param maxTokens longest row; longer ones are cut at the end and counted
 * @param learningRate peak
 * @param warmupShare share of the steps in which the rate rises linearly from 0
 * @param schedule how the rate falls afterwards
 * @param weightDecay decoupled (AdamW; Loshchilov and Hutter, 2019), on matrices only
 * @param clipNorm the global gradient norm is clipped to this; 0 for never
 * @param replayShare share of each batch drawn from the line's earlier data, in [0, 1); see {@link
 *     Protection#rehearse} for a share that grows with those data
 * @param precision of the matrix products
 * @param protect what keeps old capabilities and the ability to learn; none for plain training
 * @param distill how an earlier version teaches; none where nothing is distilled
 * @param epochs passes over the rows that are new, which steps are taken for; none for a fixed
 *     number of steps. Recipes of recorded trainings have the number that came of it
 */
public record Recipe(
    Method method,
    @Nullable Lora lora,
    int steps,
    int batchRows,
    int accumulation,
    int maxTokens,
    double learningRate,
    double warmupShare,
    Schedule schedule,
    double weightDecay,
    double clipNorm,
    double replayShare,
    Precision precision,
    @Nullable Protection protect,
    @Nullable Distillation distill,
    @Nullable Double epochs) {

  /** Which weights move. */
  public enum Method {
    /** All of them. */
    @JsonProperty("full")
    FULL,
    /** A low-rank adapter (Hu et al., 2021). */
    @JsonProperty("lora")
    LORA
  }

  /** How the learning rate falls after the warm-up. */
  public enum Schedule {
    /** Half a cosine to a tenth of the peak at the last step. */
    @JsonProperty("cosine")
    COSINE,
    /** Constant: no horizon, so a run can be made longer without changing its beginning. */
    @JsonProperty("constant")
    CONSTANT
  }

  /**
   * Of matrix products in training. Weights, gradients, the optimizer's state and everything else
   * are fp32 either way (mixed precision; Micikevicius et al., 2018).
   */
  public enum Precision {
    /** Exact to fp32. */
    @JsonProperty("fp32")
    FP32,
    /** Two to four times faster where the processor multiplies bf16, slower elsewhere. */
    @JsonProperty("bf16")
    BF16
  }

  /**
   * A low-rank adapter's shape.
   *
   * @param rank of the update
   * @param alpha the update is scaled by alpha / rank
   * @param targets names of the linear modules, such as {@code q_proj}
   * @param rankStabilized whether the update is scaled by alpha / √rank (Kalajdzievski, 2023)
   * @param dora whether every row of an adapted matrix gets a learned length (Liu et al., 2024)
   * @param rankPattern another rank for modules whose name ends with what the regular expression
   *     matches, such as {@code layers\\.0\\.self_attn\\.q_proj}; the first in alphabetical order
   *     counts
   * @param alphaPattern another alpha, likewise
   * @param savedModules modules trained and stored whole beside the updates: {@code embed_tokens},
   *     {@code lm_head}, {@code norm}
   */
  public record Lora(
      int rank,
      double alpha,
      List<String> targets,
      boolean rankStabilized,
      boolean dora,
      SortedMap<String, Integer> rankPattern,
      SortedMap<String, Double> alphaPattern,
      List<String> savedModules) {

    /** The seven projections of a Llama layer. */
    public static final List<String> ALL_PROJECTIONS =
        List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

    /** What an adapter can store whole. {@code norm} is every norm of the model. */
    public static final List<String> SAVABLE =
        List.of(
            "embed_tokens",
            "lm_head",
            "norm",
            "model.norm",
            "input_layernorm",
            "post_attention_layernorm");

    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Lora {
      targets = targets == null || targets.isEmpty() ? ALL_PROJECTIONS : List.copyOf(targets);
      rankPattern = unmodifiable(rankPattern);
      alphaPattern = unmodifiable(alphaPattern);
      savedModules = savedModules == null ? List.of() : List.copyOf(savedModules);
      if (rank < 1 || !(alpha > 0)) {
        throw new IllegalArgumentException(
            "lora: rank >= 1 and alpha > 0, not " + rank + ", " + alpha);
      }
      rankPattern.keySet().forEach(Pattern::compile);
      alphaPattern.keySet().forEach(Pattern::compile);
    }

    private static <T> SortedMap<String, T> unmodifiable(@Nullable SortedMap<String, T> map) {
      return Collections.unmodifiableSortedMap(map == null ? new TreeMap<>() : new TreeMap<>(map));
    }

    /** From JSON, where the further options may be absent. */
    @JsonCreator
    static Lora read(
        @JsonProperty("rank") int rank,
        @JsonProperty("alpha") double alpha,
        @JsonProperty("targets") @Nullable List<String> targets,
        @JsonProperty("rank-stabilized") @Nullable Boolean rankStabilized,
        @JsonProperty("dora") @Nullable Boolean dora,
        @JsonProperty("rank-pattern") @Nullable SortedMap<String, Integer> rankPattern,
        @JsonProperty("alpha-pattern") @Nullable SortedMap<String, Double> alphaPattern,
        @JsonProperty("saved-modules") @Nullable List<String> savedModules) {
      return new Lora(
          rank,
          alpha,
          targets == null ? List.of() : targets,
          Boolean.TRUE.equals(rankStabilized),
          Boolean.TRUE.equals(dora),
          rankPattern == null ? new TreeMap<>() : rankPattern,
          alphaPattern == null ? new TreeMap<>() : alphaPattern,
          savedModules == null ? List.of() : savedModules);
    }

    /** An adapter without any of the further options. */
    public Lora(int rank, double alpha, List<String> targets) {
      this(rank, alpha, targets, false, false, new TreeMap<>(), new TreeMap<>(), List.of());
    }
  }

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Recipe {
    schedule = schedule == null ? Schedule.COSINE : schedule;
    precision = precision == null ? Precision.FP32 : precision;
    protect = Protection.NONE.equals(protect) ? null : protect;
    accumulation = accumulation == 0 ? 1 : accumulation;
    require(
        (method == Method.LORA) == (lora != null), "lora: goes with method lora, and only there");
    require(steps >= 1, "steps must be at least 1: " + steps);
    require(batchRows >= 1, "batch-rows must be at least 1: " + batchRows);
    require(accumulation >= 1 && accumulation <= batchRows, "accumulation must be 1 to batch-rows");
    require(maxTokens >= 2, "max-tokens must be at least 2: " + maxTokens);
    require(
        learningRate > 0 && learningRate < 10, "learning-rate must be in (0, 10): " + learningRate);
    require(warmupShare >= 0 && warmupShare < 1, "warmup-share must be in [0, 1): " + warmupShare);
    require(weightDecay >= 0, "weight-decay must not be negative: " + weightDecay);
    require(clipNorm >= 0, "clip-norm must not be negative: " + clipNorm);
    require(replayShare >= 0 && replayShare < 1, "replay-share must be in [0, 1): " + replayShare);
    require(
        epochs == null || (epochs > 0 && epochs <= 1e6), "epochs must be in (0, 1e6]: " + epochs);
    if (protect != null) {
      protect.requireFits(method);
      require(
          protect.rehearse() == null || replayShare == 0,
          "replay-share or protect: { rehearse: … }, not both: each says how much is replayed");
    }
  }

  /** A recipe that does not distill. */
  public Recipe(
      Method method,
      @Nullable Lora lora,
      int steps,
      int batchRows,
      int accumulation,
      int maxTokens,
      double learningRate,
      double warmupShare,
      Schedule schedule,
      double weightDecay,
      double clipNorm,
      double replayShare,
      Precision precision,
      @Nullable Protection protect) {
    this(
        method,
        lora,
        steps,
        batchRows,
        accumulation,
        maxTokens,
        learningRate,
        warmupShare,
        schedule,
        weightDecay,
        clipNorm,
        replayShare,
        precision,
        protect,
        null,
        null);
  }

  /** A recipe in fp32, without protection. */
  public Recipe(
      Method method,
      @Nullable Lora lora,
      int steps,
      int batchRows,
      int accumulation,
      int maxTokens,
      double learningRate,
      double warmupShare,
      Schedule schedule,
      double weightDecay,
      double clipNorm,
      double replayShare) {
    this(
        method,
        lora,
        steps,
        batchRows,
        accumulation,
        maxTokens,
        learningRate,
        warmupShare,
        schedule,
        weightDecay,
        clipNorm,
        replayShare,
        Precision.FP32,
        null);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException("recipe: " + message);
    }
  }

  /** The same recipe with another number of steps. */
  public Recipe withSteps(int count) {
    return with(draft -> draft.steps = count);
  }

  /** The same recipe with matrix products in another precision. */
  public Recipe withPrecision(Precision other) {
    return with(draft -> draft.precision = other);
  }

  /** The same recipe with other protection; none for plain training. */
  public Recipe withProtection(@Nullable Protection other) {
    return with(draft -> draft.protect = other);
  }

  /** The same recipe with another number of rows in a step. */
  public Recipe withBatchRows(int rows) {
    return with(draft -> draft.batchRows = rows);
  }

  /** The same recipe with another way of distilling; none for training on data alone. */
  public Recipe withDistillation(@Nullable Distillation other) {
    return with(draft -> draft.distill = other);
  }

  /** The same recipe with other epochs; none for a fixed number of steps. */
  public Recipe withEpochs(@Nullable Double passes) {
    return with(draft -> draft.epochs = passes);
  }

  /**
   * The recipe for an update on some rows, all of its steps counted: those that its {@link #epochs}
   * take and, for earlier data to {@linkplain Protection#rehearse rehearse}, more, which makes the
   * share of replay.
   *
   * @param fresh rows that are new
   * @param held earlier rows that still hold
   */
  public Recipe updating(long fresh, long held) {
    int own = own(fresh);
    int more = rehearse() == null ? 0 : stepsFor(rehearse() * held);
    double share = more == 0 ? replayShare : more / ((double) own + more);
    return counted(own + more, share);
  }

  /**
   * The recipe for learning everything from the beginning, all of its steps counted.
   *
   * @param rows of all that holds
   */
  public Recipe anew(long rows) {
    int more = rehearse() == null || epochs != null ? 0 : stepsFor(rehearse() * rows);
    return counted(own(rows) + more, replayShare);
  }

  /** Whether how many steps are taken depends on the data. */
  public boolean counts() {
    return epochs != null || rehearse() != null;
  }

  private @Nullable Double rehearse() {
    return protect == null ? null : protect.rehearse();
  }

  private int own(long rows) {
    return epochs == null ? steps : Math.max(steps, stepsFor(epochs * rows / (1 - replayShare)));
  }

  private int stepsFor(double rows) {
    return (int) Math.min(Integer.MAX_VALUE / 4, Math.ceil(rows / batchRows));
  }

  private Recipe counted(int all, double share) {
    return counts()
        ? with(
            draft -> {
              draft.steps = all;
              draft.replayShare = share;
              draft.protect = protect == null ? null : protect.withRehearse(null);
              draft.epochs = null;
            })
        : this;
  }

  /**
   * The same recipe for distilling: its share of the steps and of their rows, its learning rate,
   * and the usual way where it declares none.
   */
  public Recipe distilling() {
    Distillation how = distill == null ? Distillation.DEFAULT : distill;
    return with(
        draft -> {
          draft.steps = (int) Math.max(1, Math.round(how.steps() * steps));
          draft.batchRows = (int) Math.max(1, Math.round(how.rows() * batchRows));
          draft.accumulation = Math.min(accumulation, draft.batchRows);
          draft.learningRate = how.rate() * learningRate;
          draft.distill = how;
        });
  }

  private Recipe with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.done();
  }

  /** A recipe in the making. */
  private static final class Draft {
    private Method method;
    private @Nullable Lora lora;
    private int steps;
    private int batchRows;
    private int accumulation;
    private int maxTokens;
    private double learningRate;
    private double warmupShare;
    private Schedule schedule;
    private double weightDecay;
    private double clipNorm;
    private double replayShare;
    private Precision precision;
    private @Nullable Protection protect;
    private @Nullable Distillation distill;
    private @Nullable Double epochs;

    Draft(Recipe from) {
      method = from.method;
      lora = from.lora;
      steps = from.steps;
      batchRows = from.batchRows;
      accumulation = from.accumulation;
      maxTokens = from.maxTokens;
      learningRate = from.learningRate;
      warmupShare = from.warmupShare;
      schedule = from.schedule;
      weightDecay = from.weightDecay;
      clipNorm = from.clipNorm;
      replayShare = from.replayShare;
      precision = from.precision;
      protect = from.protect;
      distill = from.distill;
      epochs = from.epochs;
    }

    Recipe done() {
      return new Recipe(
          method,
          lora,
          steps,
          batchRows,
          accumulation,
          maxTokens,
          learningRate,
          warmupShare,
          schedule,
          weightDecay,
          clipNorm,
          replayShare,
          precision,
          protect,
          distill,
          epochs);
    }
  }
}
