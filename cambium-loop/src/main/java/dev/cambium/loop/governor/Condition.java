package dev.cambium.loop.governor;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a rule can ask. Each condition holds when something is worse than a bound, so that a rule
 * which applies still applies when things get worse; {@link Governor} rests on that. A condition on
 * what was not measured does not hold.
 */
public enum Condition {
  /** The measured headroom is below. */
  HEADROOM_BELOW(true, "headroom", (r, g) -> r.headroom() == null ? null : r.headroom().point()),
  /** The whole interval of the headroom is below. */
  HEADROOM_SURELY_BELOW(
      true,
      "upper end of the headroom",
      (r, g) -> r.headroom() == null ? null : r.headroom().upper()),
  /** Some of the interval of the headroom is below. */
  HEADROOM_POSSIBLY_BELOW(
      true,
      "lower end of the headroom",
      (r, g) -> r.headroom() == null ? null : r.headroom().lower()),
  /** See {@link Readings#rank}. */
  RANK_BELOW(true, "effective rank of the weights against the beginning", (r, g) -> r.rank()),
  /** See {@link Readings#growth}. */
  GROWTH_ABOVE(false, "norm of the weights against the beginning", (r, g) -> r.growth()),
  /** See {@link Readings#dormant}. */
  DORMANT_ABOVE(false, "share of dormant units", (r, g) -> r.dormant()),
  /** See {@link Readings#overlap}. */
  OVERLAP_ABOVE(false, "overlap of the last update with an earlier one", (r, g) -> r.overlap()),
  /** See {@link Readings#room}. */
  ROOM_BELOW(true, "room of the weakest capability", (r, g) -> r.room()),
  /** See {@link Readings#stack}. */
  STACK_ABOVE(false, "adapters on one another", (r, g) -> r.stack()),
  /** See {@link Readings#updates}. */
  UPDATES_ABOVE(false, "trainings since the line began", (r, g) -> (double) r.updates()),
  /** The share of the budget that is spent; nothing without a budget. */
  BUDGET_ABOVE(false, "spent of the budget", (r, g) -> g.budget().spent(r));

  private final boolean below;
  private final String what;
  private final BiFunction<Readings, Governor, @Nullable Double> reading;

  Condition(boolean below, String what, BiFunction<Readings, Governor, @Nullable Double> reading) {
    this.below = below;
    this.what = what;
    this.reading = reading;
  }

  /** The written form, such as {@code headroom-below}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** All written forms. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Condition::label).toList();
  }

  /** The condition of a written form that is known to be one. */
  public static Condition parse(String label) {
    return valueOf(label.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  boolean holds(Readings readings, Governor governor, double bound) {
    Double found = reading.apply(readings, governor);
    return found != null && !found.isNaN() && (below ? found < bound : found > bound);
  }

  /** Of one that holds, for people. */
  String found(Readings readings, Governor governor, double bound) {
    Double found = reading.apply(readings, governor);
    return String.format(
        Locale.ROOT,
        "%s %s is %s %s%s",
        what,
        brief(found == null ? Double.NaN : found),
        below ? "below" : "above",
        brief(bound),
        this == ROOM_BELOW && readings.weakest() != null
            ? " (" + readings.weakest() + ")"
            : what.contains("headroom") && readings.headroom() != null
                ? " (" + readings.headroom().of() + ")"
                : "");
  }

  private static String brief(double value) {
    return Double.isFinite(value)
        ? BigDecimal.valueOf(value).round(new MathContext(3)).stripTrailingZeros().toPlainString()
        : Double.toString(value);
  }
}
