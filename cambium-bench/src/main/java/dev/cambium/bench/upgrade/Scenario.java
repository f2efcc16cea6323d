package dev.cambium.bench.upgrade;

import java.util.Arrays;
import java.util.Locale;

/** The kinds of new foundation, and what is aimed at with each. */
enum Scenario {
  A("trained on", 0.99, 0.05, 0.01),
  B("wider and deeper, from scratch, same tokenizer", 0.98, 0.25, 0.02),
  C("another family: bytes to BPE, other shapes", 0.97, 0.30, 0.02),
  D("permuted", Double.NaN, Double.NaN, Double.NaN),
  E("worse: a contracted skill lost", Double.NaN, Double.NaN, Double.NaN),
  F("a fleet of 50 lines on three levels, trained on", Double.NaN, 0.15, 0.01),
  G_GENTLE("SmolLM2-135M, trained on gently", 0.98, 0.25, 0.02),
  G_HARSH("SmolLM2-135M, trained on until copied adapters break", 0.98, 0.25, 0.02);

  private final String title;
  private final double kept;
  private final double compute;
  private final double flips;

  Scenario(String title, double kept, double compute, double flips) {
    this.title = title;
    this.kept = kept;
    this.compute = compute;
    this.flips = flips;
  }

  /** As on the command line. */
  String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  String title() {
    return title;
  }

  /** Goal: at least this share of what retraining reaches; not a number where there is none. */
  double kept() {
    return kept;
  }

  /** Goal: at most this share of what retraining computes. */
  double compute() {
    return compute;
  }

  /** Goal: at most this share of items right before and wrong after. */
  double flips() {
    return flips;
  }

  static Scenario of(String id) {
    return Arrays.stream(values())
        .filter(s -> s.id().equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no scenario '"
                        + id
                        + "'; there are "
                        + Arrays.stream(values()).map(Scenario::id).toList()));
  }
}
