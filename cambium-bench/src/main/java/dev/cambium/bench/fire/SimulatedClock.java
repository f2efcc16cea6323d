package dev.cambium.bench.fire;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that goes a second further each time it is read, and jumps when it is told to. */
final class SimulatedClock implements InstantSource {

  private Instant now = Instant.parse("2030-01-01T00:00:00Z");

  @Override
  public Instant instant() {
    now = now.plusSeconds(1);
    return now;
  }

  void jump(Duration by) {
    now = now.plus(by);
  }
}
