package dev.cambium.loop.governor;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How an update is made. In this order each does more to a line than the one before, and costs more
 * of what the line has: time, or what it knows.
 */
public enum Mode {
  /** The line's recipe as it is declared. */
  @JsonProperty("plain")
  PLAIN,
  /** The recipe with more protection: of what the line can do, or of how well it learns. */
  @JsonProperty("protect")
  PROTECT,
  /** What adapters hold goes into one of the recipe's rank, so that the next one has room. */
  @JsonProperty("consolidate")
  CONSOLIDATE,
  /** Something is taken out of the weights so that they learn better, and then it is trained. */
  @JsonProperty("repair")
  REPAIR,
  /** The line begins anew from what it is built on, and learns all that still holds again. */
  @JsonProperty("re-base")
  REBASE;

  /** The written form. */
  public String label() {
    return this == REBASE ? "re-base" : name().toLowerCase(Locale.ROOT);
  }

  /** All written forms. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Mode::label).toList();
  }

  /**
   * The mode of a written form.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Mode parse(String label) {
    return Arrays.stream(values())
        .filter(mode -> mode.label().equals(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no mode '" + label + "': " + String.join(", ", labels())));
  }
}
