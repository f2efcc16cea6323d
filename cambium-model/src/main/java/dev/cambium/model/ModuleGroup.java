package dev.cambium.model;

import java.util.Arrays;
import java.util.Locale;

/** Weights that a share of a change can be taken of by themselves. */
public enum ModuleGroup {
  /** Query, key, value and output projections. */
  ATTENTION,
  /** Gate, up and down projections. */
  FEED_FORWARD,
  /** Embedding, head and norms. */
  OTHER;

  /** The written form. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The group of a written form. */
  public static ModuleGroup of(String label) {
    return Arrays.stream(values())
        .filter(group -> group.label().equals(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no module group '"
                        + label
                        + "'; there are "
                        + Arrays.stream(values()).map(ModuleGroup::label).toList()));
  }

  /** The group that a weight belongs to, by its name in a model's or an adapter's file. */
  public static ModuleGroup ofWeight(String name) {
    if (name.contains(".self_attn.")) {
      return ATTENTION;
    }
    return name.contains(".mlp.") ? FEED_FORWARD : OTHER;
  }
}
