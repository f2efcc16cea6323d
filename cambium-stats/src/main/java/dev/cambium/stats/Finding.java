package dev.cambium.stats;

/** What a sequential test has found out about its requirement so far. */
public enum Finding {
  /** The requirement holds: its violation is rejected at the test's level. */
  HOLDS,
  /** The requirement is broken: its holding is rejected at the test's level. */
  BROKEN,
  /** Neither is rejected yet. Never a pass. */
  UNDECIDED
}
