package dev.cambium.bench.stream;

import java.util.Arrays;
import java.util.List;

/** The ways to learn a stream. */
enum Method {
  NAIVE_FULL("naive, full weights", "each task on top of the one before, all weights"),
  NAIVE_LORA("naive, LoRA", "one adapter, trained on task by task"),
  REPLAY("replay 5 %", "naive, with 5 % of each batch from all earlier tasks"),
  EWC("EWC", "naive, full weights, with elastic weight consolidation (Kirkpatrick et al., 2017)"),
  ORTHOGONAL(
      "O-LoRA", "an adapter for each task, orthogonal to the ones before (Wang et al., 2023)"),
  CAMBIUM("Cambium", "a line of an ecosystem: signals, campaigns, gates, releases"),
  JOINT("joint", "everything at once from the foundation: the ceiling"),
  FRESH("fresh fork", "each task from the foundation: how well a model learns that learnt nothing");

  private final String title;
  private final String explanation;

  Method(String title, String explanation) {
    this.title = title;
    this.explanation = explanation;
  }

  /** As on the command line. */
  String id() {
    return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }

  String title() {
    return title;
  }

  String explanation() {
    return explanation;
  }

  /** Whether one model learns all tasks in turn. */
  boolean sequential() {
    return this != JOINT && this != FRESH;
  }

  /** Whether it makes no sense with adapters. */
  boolean needsAllWeights() {
    return this == NAIVE_FULL || this == EWC;
  }

  static Method of(String id) {
    return Arrays.stream(values())
        .filter(m -> m.id().equals(id))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("no method '" + id + "'; there are " + ids()));
  }

  static List<String> ids() {
    return Arrays.stream(values()).map(Method::id).toList();
  }
}
