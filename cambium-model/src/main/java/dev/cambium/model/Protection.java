package dev.cambium.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a training does so that the version keeps what it can do, and how well it learns. Everything
 * is optional and can be combined; {@code ecosystem.yaml} has it under a recipe's {@code protect}.
 *
 * @param kl strength × KL(released parent ‖ model), in nats, at every supervised token (Hinton et
 *     al., 2015; Li and Hoiem, 2016)
 * @param l2Init strength / 2 × the squared distance to the weights that the training starts from
 *     (L2-SP; Li et al., 2018)
 * @param ewc strength / 2 × the squared distance to them, each weight by its Fisher information on
 *     the line's earlier data (elastic weight consolidation; Kirkpatrick et al., 2017)
 * @param orthogonal strength × the squared overlap of a new adapter's input directions with those
 *     of the adapter before it, which stays as it is (O-LoRA; Wang et al., 2023); for method lora.
 *     The ranks of the two add up
 * @param spectral strength / 2 × the squared difference of every layer matrix' top singular value
 *     from the foundation's (after Lewandowski et al., 2024); for method full
 * @param interpolate at the end the weights become start + interpolate × (trained − start)
 *     (WiSE-FT; Wortsman et al., 2022); in (0, 1)
 * @param rewarm a learning rate without a horizon, in place of warmup-share and schedule
 * @param resetDormant units that hardly act are made anew; for method full
 * @param shrinkPerturb what is done to the weights before the first step; for method full
 * @param balanceBy tag whose values get equal shares of the replay; none for shares by row count
 * @param rehearse passes over the earlier rows that still hold, as replay in steps of their own on
 *     top of the recipe's: so the effort of keeping grows with what there is to be kept, and what
 *     is new gets as much as ever. In place of the recipe's replay-share
 * @param interpolateSearch shares to try in place of a fixed {@code interpolate}, each in (0, 1]:
 *     taken is the end that gains most on new rows held out and passes every gate
 * @param onPolicy replay of the released version's own answers; none for recorded rows only
 */
public record Protection(
    @Nullable Double kl,
    @Nullable Double l2Init,
    @Nullable Double ewc,
    @Nullable Double orthogonal,
    @Nullable Double spectral,
    @Nullable Double interpolate,
    @Nullable Rewarm rewarm,
    @Nullable ResetDormant resetDormant,
    @Nullable ShrinkPerturb shrinkPerturb,
    @Nullable String balanceBy,
    @Nullable Double rehearse,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Double> interpolateSearch,
    @Nullable OnPolicy onPolicy) {

  /** Nothing; what is wanted is said by the {@code with} methods. */
  public static final Protection NONE =
      new Protection(
          null, null, null, null, null, null, null, null, null, null, null, List.of(), null);

  /**
   * The released version answers questions of the line's earlier data, a scorer keeps what is
   * right, and that joins the mix: what a model says itself it forgets least by (Shenfeld et al.,
   * 2025), and a few percent of earlier data are enough (Ibrahim et al., 2024).
   *
   * @param share of each batch, in [0.01, 0.1]
   * @param temperature of the draws, in [0, 1]; 0 takes the likeliest token always
   */
  public record OnPolicy(double share, double temperature) {
    public OnPolicy {
      require(share >= 0.01 && share <= 0.1, "on-policy: share must be in [0.01, 0.1]: " + share);
      require(
          temperature >= 0 && temperature <= 1,
          "on-policy: temperature must be in [0, 1]: " + temperature);
    }

    /**
     * How many questions to ask for a training: twice as many as it will draw of their answers,
     * since not every answer is right.
     *
     * @param rows that the training draws in all
     */
    public int questions(long rows) {
      return (int) Math.min(Integer.MAX_VALUE, Math.ceil(2 * share * rows));
    }
  }

  /**
   * An infinite schedule (after Ibrahim et al., 2024): the rate rises linearly, cools down along
   * half a cosine and then stays, so that a longer run has the same beginning.
   *
   * @param warmup steps of rise
   * @param cooldown steps of fall
   * @param floor where it stays, relative to the peak, in (0, 1]
   */
  public record Rewarm(int warmup, int cooldown, double floor) {
    public Rewarm {
      require(warmup >= 0, "rewarm: warmup must not be negative: " + warmup);
      require(cooldown >= 0, "rewarm: cooldown must not be negative: " + cooldown);
      require(floor > 0 && floor <= 1, "rewarm: floor must be in (0, 1]: " + floor);
    }
  }

  /**
   * Feed-forward units whose mean activation is at most threshold × the layer's mean get fresh
   * incoming weights, no outgoing ones, and an optimizer that has forgotten them (ReDo; Sokar et
   * al., 2023).
   *
   * @param every steps between looks
   * @param threshold in [0, 1)
   */
  public record ResetDormant(int every, double threshold) {
    public ResetDormant {
      require(every >= 1, "reset-dormant: every must be at least 1: " + every);
      require(
          threshold >= 0 && threshold < 1,
          "reset-dormant: threshold must be in [0, 1): " + threshold);
    }
  }

  /**
   * Weights become shrink × weights + noise × fresh ones (Ash and Adams, 2020).
   *
   * @param shrink in (0, 1]
   * @param noise in [0, 1]
   */
  public record ShrinkPerturb(double shrink, double noise) {
    public ShrinkPerturb {
      require(shrink > 0 && shrink <= 1, "shrink-perturb: shrink must be in (0, 1]: " + shrink);
      require(noise >= 0 && noise <= 1, "shrink-perturb: noise must be in [0, 1]: " + noise);
    }
  }

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Protection {
    interpolateSearch = interpolateSearch == null ? List.of() : List.copyOf(interpolateSearch);
    positive("kl", kl);
    positive("l2-init", l2Init);
    positive("ewc", ewc);
    positive("orthogonal", orthogonal);
    positive("spectral", spectral);
    require(
        interpolate == null || (interpolate > 0 && interpolate < 1),
        "interpolate must be in (0, 1): " + interpolate);
    positive("rehearse", rehearse);
    require(balanceBy == null || !balanceBy.isBlank(), "balance-by must name a tag");
    for (double share : interpolateSearch) {
      require(share > 0 && share <= 1, "interpolate-search: shares must be in (0, 1]: " + share);
    }
    require(
        interpolateSearch.isEmpty() || interpolate == null,
        "interpolate or interpolate-search, not both");
    require(
        interpolateSearch.isEmpty() || orthogonal == null,
        "interpolate-search: not with orthogonal, whose adapters have other ranks than before");
  }

  /**
   * What a training itself needs to know: without what only decides which rows it gets and what is
   * done with its end.
   */
  public Protection withinTraining() {
    return withInterpolateSearch(List.of()).withOnPolicy(null).withRehearse(null);
  }

  /** The same with another {@link #kl}. */
  public Protection withKl(@Nullable Double strength) {
    return with(draft -> draft.kl = strength);
  }

  /** The same with another {@link #l2Init}. */
  public Protection withL2Init(@Nullable Double strength) {
    return with(draft -> draft.l2Init = strength);
  }

  /** The same with another {@link #ewc}. */
  public Protection withEwc(@Nullable Double strength) {
    return with(draft -> draft.ewc = strength);
  }

  /** The same with another {@link #orthogonal}. */
  public Protection withOrthogonal(@Nullable Double strength) {
    return with(draft -> draft.orthogonal = strength);
  }

  /** The same with another {@link #spectral}. */
  public Protection withSpectral(@Nullable Double strength) {
    return with(draft -> draft.spectral = strength);
  }

  /** The same with another {@link #interpolate}. */
  public Protection withInterpolate(@Nullable Double share) {
    return with(draft -> draft.interpolate = share);
  }

  /** The same with another {@link #rewarm}. */
  public Protection withRewarm(@Nullable Rewarm how) {
    return with(draft -> draft.rewarm = how);
  }

  /** The same with another {@link #resetDormant}. */
  public Protection withResetDormant(@Nullable ResetDormant how) {
    return with(draft -> draft.resetDormant = how);
  }

  /** The same with another {@link #shrinkPerturb}. */
  public Protection withShrinkPerturb(@Nullable ShrinkPerturb how) {
    return with(draft -> draft.shrinkPerturb = how);
  }

  /** The same with another {@link #balanceBy}. */
  public Protection withBalanceBy(@Nullable String tag) {
    return with(draft -> draft.balanceBy = tag);
  }

  /** The same with another {@link #rehearse}. */
  public Protection withRehearse(@Nullable Double passes) {
    return with(draft -> draft.rehearse = passes);
  }

  /** The same with another {@link #interpolateSearch}. */
  public Protection withInterpolateSearch(List<Double> shares) {
    return with(draft -> draft.interpolateSearch = shares);
  }

  /** The same with another {@link #onPolicy}. */
  public Protection withOnPolicy(@Nullable OnPolicy how) {
    return with(draft -> draft.onPolicy = how);
  }

  private Protection with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.done();
  }

  /** A protection in the making. */
  private static final class Draft {
    private @Nullable Double kl;
    private @Nullable Double l2Init;
    private @Nullable Double ewc;
    private @Nullable Double orthogonal;
    private @Nullable Double spectral;
    private @Nullable Double interpolate;
    private @Nullable Rewarm rewarm;
    private @Nullable ResetDormant resetDormant;
    private @Nullable ShrinkPerturb shrinkPerturb;
    private @Nullable String balanceBy;
    private @Nullable Double rehearse;
    private List<Double> interpolateSearch;
    private @Nullable OnPolicy onPolicy;

    Draft(Protection from) {
      kl = from.kl;
      l2Init = from.l2Init;
      ewc = from.ewc;
      orthogonal = from.orthogonal;
      spectral = from.spectral;
      interpolate = from.interpolate;
      rewarm = from.rewarm;
      resetDormant = from.resetDormant;
      shrinkPerturb = from.shrinkPerturb;
      balanceBy = from.balanceBy;
      rehearse = from.rehearse;
      interpolateSearch = from.interpolateSearch;
      onPolicy = from.onPolicy;
    }

    Protection done() {
      return new Protection(
          kl,
          l2Init,
          ewc,
          orthogonal,
          spectral,
          interpolate,
          rewarm,
          resetDormant,
          shrinkPerturb,
          balanceBy,
          rehearse,
          interpolateSearch,
          onPolicy);
    }
  }

  private static void positive(String name, @Nullable Double value) {
    require(
        value == null || (value > 0 && !Double.isInfinite(value)),
        name + " must be positive: " + value);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException("protect: " + message);
    }
  }

  /**
   * What this says and, where it is silent, what another says, unless that does not go with what
   * this says.
   */
  public Protection or(Protection other) {
    boolean searches = !interpolateSearch.isEmpty();
    Double both = orthogonal != null || searches ? orthogonal : other.orthogonal;
    Double end = interpolate != null || searches ? interpolate : other.interpolate;
    return new Protection(
        kl != null ? kl : other.kl,
        l2Init != null ? l2Init : other.l2Init,
        ewc != null ? ewc : other.ewc,
        both,
        spectral != null ? spectral : other.spectral,
        end,
        rewarm != null ? rewarm : other.rewarm,
        resetDormant != null ? resetDormant : other.resetDormant,
        shrinkPerturb != null ? shrinkPerturb : other.shrinkPerturb,
        balanceBy != null ? balanceBy : other.balanceBy,
        rehearse != null ? rehearse : other.rehearse,
        searches
            ? interpolateSearch
            : end != null || both != null ? List.of() : other.interpolateSearch,
        onPolicy != null ? onPolicy : other.onPolicy);
  }

  /** The same without what does not go with a method. */
  public Protection fitting(Recipe.Method method) {
    return method == Recipe.Method.FULL
        ? withOrthogonal(null)
        : withSpectral(null).withResetDormant(null).withShrinkPerturb(null);
  }

  /** Refuses what does not go with a method. */
  void requireFits(Recipe.Method method) {
    boolean full = method == Recipe.Method.FULL;
    require(full || spectral == null, "spectral: goes with method full");
    require(full || resetDormant == null, "reset-dormant: goes with method full");
    require(full || shrinkPerturb == null, "shrink-perturb: goes with method full");
    require(!full || orthogonal == null, "orthogonal: goes with method lora");
  }
}
