package dev.cambium.loop.governor;

import org.jspecify.annotations.Nullable;

/**
 * What is known of a line when its next update is planned. Whatever was not measured is absent, and
 * no rule that asks for it applies.
 *
 * @param headroom how well its stable version learns, relative to its foundation; where an update
 *     of it came to less, how well that one does
 * @param rank effective rank of its weights, relative to what it was when the line began
 * @param growth norm of its weights, likewise
 * @param dormant share of its feed-forward units that hardly act
 * @param overlap share of the last update's main directions that an earlier update had used, beyond
 *     chance; near 1 they write over each other
 * @param room how far the weakest contracted capability is above what it may fall to, in points of
 *     its mean score (0.05 is five points)
 * @param weakest the name of that capability
 * @param stack adapter's rank relative to its recipe's: how many adapters lie on one another
 * @param updates trainings since the line began anew
 * @param steps optimizer steps of all trainings of the line
 * @param seconds wall time of all trainings of the line
 */
public record Readings(
    @Nullable Estimate headroom,
    @Nullable Double rank,
    @Nullable Double growth,
    @Nullable Double dormant,
    @Nullable Double overlap,
    @Nullable Double room,
    @Nullable String weakest,
    @Nullable Double stack,
    int updates,
    long steps,
    double seconds) {

  /** Nothing is known, and nothing was ever trained. */
  public static final Readings NONE =
      new Readings(null, null, null, null, null, null, null, null, 0, 0, 0);

  /**
   * A measured ratio with its interval.
   *
   * @param of the version that it was measured on, for people
   */
  public record Estimate(double point, double lower, double upper, String of) {}

  /** The same with a headroom. */
  public Readings withHeadroom(@Nullable Estimate other) {
    return new Readings(
        other, rank, growth, dormant, overlap, room, weakest, stack, updates, steps, seconds);
  }
}
