package dev.cambium.report;

import dev.cambium.model.Fact;

/** How a line came out of what a graph shows. */
public enum LineState {
  /** A new version became stable. */
  RELEASED("released", "good"),
  /** The same files on a new parent; nothing was trained. */
  KEPT("kept", "calm"),
  /** Not even evaluated: nothing above it changed what it depends on. */
  CUT_OFF("cut off", "quiet"),
  /** The gate failed every candidate. */
  REJECTED("rejected", "bad"),
  /** The evidence did not suffice. */
  HELD("held", "warn"),
  /** Not touched, because its parent was rejected or held. */
  BLOCKED("blocked", "warn"),
  /** Put back to an earlier version. */
  ROLLED_BACK("rolled back", "warn"),
  /** Its records or files do not fit. */
  BROKEN("does not verify", "bad"),
  /** Not part of what happened. */
  UNCHANGED("unchanged", "quiet");

  private final String label;
  private final String tone;

  LineState(String label, String tone) {
    this.label = label;
    this.tone = tone;
  }

  /** For people. */
  public String label() {
    return label;
  }

  String tone() {
    return tone;
  }

  /** The state that a campaign left a line in. */
  public static LineState of(Fact.Settlement settlement) {
    return valueOf(settlement.name());
  }
}
