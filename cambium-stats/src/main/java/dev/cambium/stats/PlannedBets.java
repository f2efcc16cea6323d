package dev.cambium.stats;

/**
 * Bets for a test with a planned number of items. Nine tenths of the capital is played for the
 * plan: before each item, its share is set so that the remaining log-wealth to the target would
 * just be won over the remaining items, if the truth favoured it just enough (target-recalculating
 * bets; Voráček and Orabona, "STaR-Bets", 2025).
 *
 * <p>With r = ln(target/wealth) still to win over k items whose gains have mean square v, a
 * constant share s wins about s·μ − s²·v/2 an item; for the smallest drift μ that still reaches the
 * target in k items, s = √(2r/(k·v)) is optimal. Early losses raise the share, and the last items
 * are played boldly: wealth short of the target is worth nothing at the plan's end.
 *
 * <p>v is estimated from the gains so far and a few pseudo-observations. The prior is deliberately
 * wide: taking the first quiet items for the truth makes bets that one discordant item ruins.
 *
 * <p>Such bets take their time even where the answer is obvious. The last tenth of the capital is
 * therefore played by {@link MixedBets}, which find a collapse in half the items and cost the rest
 * a thirtieth of the target's logarithm. Past the plan, or once its target is won, all of it is:
 * further items go on adding evidence.
 */
final class PlannedBets implements Bets {

  private static final double FOR_THE_PLAN = 0.9;
  private static final double PRIOR_ITEMS = 6;

  /** Below 1: no single item may ruin the process. */
  private static final double BOLDEST = 0.98;

  private final int planned;
  private final double logTarget;
  private final MixedBets mixed = new MixedBets();
  private double logPlanned = Math.log(FOR_THE_PLAN);

  /** The part of all the wealth that is played for the plan. */
  private double part = FOR_THE_PLAN;

  private double squares;
  private int seen;

  /**
   * @param planned items planned, at least 1
   * @param logTarget natural logarithm of the wealth that decides
   * @param gainSquare prior guess of a gain's mean square, positive
   */
  PlannedBets(int planned, double logTarget, double gainSquare) {
    this.planned = planned;
    this.logTarget = logTarget;
    this.squares = PRIOR_ITEMS * gainSquare;
  }

  @Override
  public double share() {
    return part * plannedShare() + (1 - part) * mixed.share();
  }

  private double plannedShare() {
    if (seen >= planned || logPlanned >= logTarget) {
      return mixed.share();
    }
    double toWin = logTarget - logPlanned;
    double meanSquare = squares / (seen + PRIOR_ITEMS);
    return Math.min(BOLDEST, Math.sqrt(2 * toWin / ((planned - seen) * meanSquare)));
  }

  @Override
  public void observe(double gain) {
    double forThePlan = 1 + plannedShare() * gain;
    double forTheMixture = 1 + mixed.share() * gain;
    logPlanned += Math.log(forThePlan);
    part *= forThePlan / (part * forThePlan + (1 - part) * forTheMixture);
    mixed.observe(gain);
    squares += gain * gain;
    seen++;
  }
}
