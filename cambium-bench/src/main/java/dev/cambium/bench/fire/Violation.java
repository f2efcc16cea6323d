package dev.cambium.bench.fire;

/** An invariant that did not hold. */
record Violation(Invariant invariant, String what) {}
