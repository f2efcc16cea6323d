package dev.cambium.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ProtectionTest {

  private static final Map<String, Object> VALUES =
      Map.ofEntries(
          Map.entry("kl", 0.1),
          Map.entry("l2Init", 0.2),
          Map.entry("ewc", 0.3),
          Map.entry("orthogonal", 0.4),
          Map.entry("spectral", 0.5),
          Map.entry("interpolate", 0.6),
          Map.entry("rewarm", new Protection.Rewarm(1, 2, 0.7)),
          Map.entry("resetDormant", new Protection.ResetDormant(8, 0.8)),
          Map.entry("shrinkPerturb", new Protection.ShrinkPerturb(0.9, 0.1)),
          Map.entry("balanceBy", "intent"),
          Map.entry("rehearse", 0.85),
          Map.entry("interpolateSearch", List.of(0.5, 1.0)),
          Map.entry("onPolicy", new Protection.OnPolicy(0.05, 1)));

  private static final List<RecordComponent> PARTS =
      Arrays.asList(Protection.class.getRecordComponents());

  static List<RecordComponent> parts() {
    return PARTS;
  }

  @ParameterizedTest
  @MethodSource("parts")
  void eachPartIsSetAloneAndTakenBackAlone(RecordComponent part) throws Exception {
    Object value = VALUES.get(part.getName());
    Protection others = Protection.NONE;
    for (RecordComponent other : parts()) {
      if (!other.equals(part) && !excluded(part, other)) {
        others = with(others, other, VALUES.get(other.getName()));
      }
    }
    Protection all = with(others, part, value);
    for (RecordComponent other : parts()) {
      assertThat(read(all, other))
          .as(other.getName())
          .isEqualTo(other.equals(part) ? value : read(others, other));
    }
    assertThat(with(all, part, read(Protection.NONE, part))).isEqualTo(others);
  }

  /** A search for an end does not go with some others. */
  private static boolean excluded(RecordComponent part, RecordComponent other) {
    return other.getName().equals("interpolateSearch")
        || (part.getName().equals("interpolateSearch")
            && List.of("interpolate", "orthogonal").contains(other.getName()));
  }

  private static Protection with(Protection start, RecordComponent part, Object value)
      throws Exception {
    String name = part.getName();
    Method wither =
        Protection.class.getMethod(
            "with" + Character.toUpperCase(name.charAt(0)) + name.substring(1), part.getType());
    return (Protection) wither.invoke(start, value);
  }

  private static Object read(Protection protection, RecordComponent part) throws Exception {
    return part.getAccessor().invoke(protection);
  }
}
