package dev.cambium.bench.fire;

/** The simulated process is gone. An error, so that nothing on the way takes it for a failure. */
final class Killed extends Error {
  private static final long serialVersionUID = 1L;

  Killed() {
    super("killed by the simulation", null, false, false);
  }
}
