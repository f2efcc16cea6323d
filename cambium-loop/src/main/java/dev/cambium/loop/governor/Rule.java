package dev.cambium.loop.governor;

import dev.cambium.model.Protection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One rule of a governor: where all its conditions hold, an update is made at least by its mode.
 *
 * @param when conditions with their bounds, at least one
 * @param mode how to make the update
 * @param protect what the recipe gets in addition; what it says itself stays. None adds nothing
 * @param because why, for people
 */
public record Rule(
    Map<Condition, Double> when, Mode mode, @Nullable Protection protect, String because) {

  public Rule {
    if (when.isEmpty()) {
      throw new IllegalArgumentException("a rule needs a condition");
    }
    when = Collections.unmodifiableMap(new EnumMap<>(when));
  }

  boolean applies(Readings readings, Governor governor) {
    return when.entrySet().stream()
        .allMatch(c -> c.getKey().holds(readings, governor, c.getValue()));
  }

  /** Why it applies, for people. */
  String reason(Readings readings, Governor governor) {
    return mode.label()
        + ", because "
        + when.entrySet().stream()
            .map(c -> c.getKey().found(readings, governor, c.getValue()))
            .collect(Collectors.joining(" and "))
        + (because.isEmpty() ? "" : ": " + because);
  }
}
