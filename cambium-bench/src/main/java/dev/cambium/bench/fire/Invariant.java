package dev.cambium.bench.fire;

/** What must hold after every history. */
enum Invariant {
  ONE_STABLE_VERSION("a line has one stable version: the one that its last move went to"),
  NO_RELEASE_WITHOUT_PASS("no version becomes stable by release without a recorded PASS on it"),
  PARENT_PINNED("every version's parent is recorded before it and is the one its manifest names"),
  ROLLED_BACK_STAYS("a version that was rolled back never returns by itself"),
  ARTIFACTS_THERE("no artifact that a record can reach is missing or damaged"),
  PROJECTIONS_REPLAY("replaying the log gives the projections, and the log is as it was signed"),
  COMMANDS_ONCE("what a command was told is done is in the log exactly once"),
  ONLY_DOCUMENTED_ERRORS("a command ends, or fails with an exception that its documentation names"),
  RESUMABLE("an interrupted campaign ends when it is run again in peace");

  final String words;

  Invariant(String words) {
    this.words = words;
  }
}
