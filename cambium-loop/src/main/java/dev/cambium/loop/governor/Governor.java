package dev.cambium.loop.governor;

import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The policy by which the mode of a line's next update is chosen.
 *
 * <p><b>How it chooses.</b> Of all rules that apply, the one whose {@link Mode} does most decides,
 * whatever their order; what the others want protected is protected, too, the earlier rule before
 * the later. Conditions only ask whether something is worse than a bound. So for every set of
 * rules: when a reading gets worse and all else stays, never less is done.
 *
 * <p><b>What stands in its way.</b> A line may not have a way of its own for a mode (a foundation
 * has nothing to begin anew from), and the budget may not reach for it. Then the next mode that
 * does more is taken, and if there is none, the one that does most. Neither depends on how things
 * are, so this keeps the order, too. Plain training is always possible: whether to train at all was
 * decided by whoever sent the data.
 *
 * @param rules in the order of the declaration
 * @param budget what the trainings of a line may take
 */
public record Governor(List<Rule> rules, Budget budget) {

  /**
   * What all trainings of a line may take together, from its beginning.
   *
   * @param steps optimizer steps; no bound if none
   * @param seconds wall time; no bound if none
   */
  public record Budget(@Nullable Long steps, @Nullable Double seconds) {
    /** No bound. */
    public static final Budget NONE = new Budget(null, null);

    /** The larger of the shares that are spent; none without a bound. */
    @Nullable Double spent(Readings readings) {
      Double spent = null;
      if (steps != null) {
        spent = readings.steps() / (double) steps;
      }
      if (seconds != null) {
        double share = readings.seconds() / seconds;
        spent = spent == null ? share : Math.max(spent, share);
      }
      return spent;
    }

    /** Whether some more steps are left. */
    boolean reaches(Readings readings, double more) {
      double perStep = readings.steps() == 0 ? 0 : readings.seconds() / readings.steps();
      return (steps == null || readings.steps() + more <= steps)
          && (seconds == null || readings.seconds() + more * perStep <= seconds);
    }
  }

  /**
   * What holds where nothing is declared. A headroom of 0.95 is within the noise of a probe, at
   * 0.85 an update takes about a sixth more steps than a foundation needs, and at 0.7 nearly half
   * more. Shrinking and perturbing the weights, which networks that are trained from scratch gain
   * from, made language models learn worse (measured on a stream of forty updates), so no rule asks
   * for it. Telemetry alone never takes anything out of the weights: dormant units and lost rank
   * are signs, and only a probe shows what they cost.
   */
  public static final Governor DEFAULT =
      new Governor(
          List.of(
              rule(
                  Map.of(Condition.HEADROOM_SURELY_BELOW, 0.8),
                  Mode.REBASE,
                  null,
                  "it surely learns worse than its foundation, so it begins anew from there"),
              rule(
                  Map.of(Condition.HEADROOM_BELOW, 0.7),
                  Mode.REBASE,
                  null,
                  "so much is lost that repairing it is not enough"),
              rule(
                  Map.of(Condition.HEADROOM_BELOW, 0.85),
                  Mode.REPAIR,
                  Protection.NONE
                      .withResetDormant(new Protection.ResetDormant(50, 0.025))
                      .withL2Init(0.001)
                      .withSpectral(0.01),
                  "units that do not act begin anew, and small changes keep it learning"),
              rule(
                  Map.of(Condition.HEADROOM_BELOW, 0.95, Condition.DORMANT_ABOVE, 0.3),
                  Mode.REPAIR,
                  Protection.NONE.withResetDormant(new Protection.ResetDormant(50, 0.025)),
                  "units that do not act can be given something to do"),
              rule(
                  Map.of(Condition.STACK_ABOVE, 4.0),
                  Mode.CONSOLIDATE,
                  null,
                  "every adapter on another makes the next one dearer"),
              rule(
                  Map.of(Condition.HEADROOM_BELOW, 0.95),
                  Mode.PROTECT,
                  Protection.NONE.withL2Init(0.001).withSpectral(0.01),
                  "small changes keep it learning"),
              rule(
                  Map.of(Condition.RANK_BELOW, 0.8),
                  Mode.PROTECT,
                  Protection.NONE.withSpectral(0.01),
                  "weights that use few directions have few left"),
              rule(
                  Map.of(Condition.GROWTH_ABOVE, 1.25),
                  Mode.PROTECT,
                  Protection.NONE.withL2Init(0.001),
                  "large weights change slowly"),
              rule(
                  Map.of(Condition.ROOM_BELOW, 0.02),
                  Mode.PROTECT,
                  Protection.NONE.withKl(0.1),
                  "what is promised has hardly any room left")),
          Budget.NONE);

  private static Rule rule(
      Map<Condition, Double> when, Mode mode, @Nullable Protection protect, String because) {
    return new Rule(when, mode, protect, because);
  }

  public Governor {
    rules = List.copyOf(rules);
  }

  /**
   * Chooses.
   *
   * @param ways the modes that the line can take, plain among them, with the optimizer steps that
   *     each is expected to need
   * @param method of the line's recipe; protection that does not go with it is left out
   */
  public Choice choose(Readings readings, Map<Mode, Double> ways, Recipe.Method method) {
    List<Rule> applying = rules.stream().filter(rule -> rule.applies(readings, this)).toList();
    Mode asked =
        applying.stream()
            .map(Rule::mode)
            .reduce(Mode.PLAIN, (a, b) -> b.ordinal() > a.ordinal() ? b : a);
    List<String> reasons = new ArrayList<>();
    applying.stream()
        .sorted((a, b) -> b.mode().compareTo(a.mode()))
        .forEach(rule -> reasons.add(rule.reason(readings, this)));
    if (applying.isEmpty()) {
      reasons.add(
          readings.headroom() == null
              ? "plain, because no rule applies; headroom was not measured"
              : "plain, because no rule applies");
    }
    NavigableMap<Mode, Double> open = new TreeMap<>(ways);
    open.entrySet()
        .removeIf(way -> way.getKey() != Mode.PLAIN && !budget.reaches(readings, way.getValue()));
    Mode mode = open.ceilingKey(asked);
    if (mode == null) {
      mode = open.lastKey();
    }
    if (mode != asked) {
      reasons.add(
          String.format(
              Locale.ROOT,
              "%s instead of %s, %s",
              mode.label(),
              asked.label(),
              ways.containsKey(asked)
                  ? String.format(
                      Locale.ROOT,
                      "for which the budget does not reach: about %.0f more steps after %d",
                      ways.getOrDefault(asked, 0.0),
                      readings.steps())
                  : "for which this line has no way"));
    }
    return new Choice(mode, asked, protection(applying, mode, method), reasons, readings, null);
  }

  /** Of all rules that apply and do no more than the mode. */
  private static @Nullable Protection protection(
      List<Rule> applying, Mode mode, Recipe.Method method) {
    Protection all = Protection.NONE;
    for (Rule rule : applying) {
      if (rule.protect() != null && rule.mode().compareTo(mode) <= 0) {
        all = all.or(rule.protect());
      }
    }
    Protection fitting = all.fitting(method);
    return fitting.equals(Protection.NONE) ? null : fitting;
  }

  /**
   * A choice with a person's mode in place of the rules'. What the rules want protected stays
   * protected, and the mode does what the rules that have it say.
   *
   * @param ways as for {@link #choose}
   * @throws IllegalArgumentException if the line has no way for the mode, or there is no reason
   */
  public Choice overrule(
      Choice choice, Wish wish, String actor, Map<Mode, Double> ways, Recipe.Method method) {
    if (!ways.containsKey(wish.mode())) {
      throw new IllegalArgumentException(
          wish.line()
              + " has no way to "
              + wish.mode().label()
              + "; it can take "
              + ways.keySet().stream().sorted().map(Mode::label).collect(Collectors.joining(", ")));
    }
    Protection protect = choice.protect() == null ? Protection.NONE : choice.protect();
    for (Rule rule : rules) {
      if (rule.mode() == wish.mode() && rule.protect() != null) {
        protect = protect.or(rule.protect());
      }
    }
    Protection fitting = protect.fitting(method);
    List<String> reasons = new ArrayList<>(choice.reasons());
    reasons.add(
        wish.mode().label()
            + " instead of "
            + choice.mode().label()
            + ", because "
            + actor
            + " said so: "
            + wish.reason());
    return new Choice(
        wish.mode(),
        choice.asked(),
        wish.mode() == Mode.PLAIN || fitting.equals(Protection.NONE) ? null : fitting,
        reasons,
        choice.readings(),
        new Choice.Overruled(actor, wish.reason(), choice.mode()));
  }
}
