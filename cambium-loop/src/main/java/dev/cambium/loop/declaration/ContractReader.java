package dev.cambium.loop.declaration;

import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.declaration.Node.Position;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads what a line promises: its capabilities, its budgets and its headroom. */
final class ContractReader {

  private static final List<String> CONTRACT =
      List.of("inherit", "capabilities", "budgets", "headroom");
  private static final List<String> BUDGETS = List.of("max-size-mb", "max-ms-per-item");
  private static final List<String> HEADROOM = Written.fields(HeadroomPolicy.class);

  private final Set<String> namedCapabilities;
  private final Problems problems;

  /**
   * Reads contracts over these capabilities.
   *
   * @param namedCapabilities the names of all capabilities, also of those with problems
   */
  ContractReader(Set<String> namedCapabilities, Problems problems) {
    this.namedCapabilities = namedCapabilities;
    this.problems = problems;
  }

  /**
   * The contract; where the declaration is silent, one that only inherits.
   *
   * @param what makes it, for messages, such as {@code line 'cards'}
   */
  Contract read(String what, Node.@Nullable Mapping mapping) {
    if (mapping == null) {
      return new Contract(true, List.of(), Budgets.NONE, null);
    }
    Fields fields = new Fields(mapping, what + ", contract", CONTRACT, problems);
    Map<String, Position> capabilities = fields.texts("capabilities");
    capabilities.forEach(
        (name, place) -> {
          if (!namedCapabilities.contains(name)) {
            problems.add(
                place,
                what
                    + ": no capability '"
                    + name
                    + "'"
                    + Suggestion.among(name, namedCapabilities, "capabilities"));
          }
        });
    Budgets budgets = Budgets.NONE;
    Node.Mapping limits = fields.mapping("budgets");
    if (limits != null) {
      Fields own = new Fields(limits, what + ", budgets", BUDGETS, problems);
      budgets =
          new Budgets(
              own.number("max-size-mb", v -> v > 0, "above 0"),
              own.number("max-ms-per-item", v -> v > 0, "above 0"));
    }
    return new Contract(
        fields.truth("inherit", true),
        List.copyOf(capabilities.keySet()),
        budgets,
        headroom(what, fields));
  }

  /** A mapping, perhaps an empty one, or false. */
  private @Nullable HeadroomPolicy headroom(String what, Fields contract) {
    if (!contract.has("headroom")) {
      return null;
    }
    if (contract.isFalse("headroom")) {
      return HeadroomPolicy.OFF;
    }
    Node.Mapping mapping = contract.mapping("headroom");
    if (mapping == null) {
      return null;
    }
    HeadroomPolicy usual = HeadroomPolicy.DEFAULT;
    Fields fields = new Fields(mapping, what + ", headroom", HEADROOM, problems);
    return new HeadroomPolicy(
        fields.number("floor", usual.floor(), f -> f >= 0 && f <= 1, "from 0 to 1"),
        (int) fields.integer("tasks", usual.tasks(), 1, 100),
        (int) fields.integer("seeds", usual.seeds(), 3, 100),
        (int) fields.integer("steps", usual.steps(), 4, 10_000),
        fields.number(
            "learning-rate", usual.learningRate(), r -> r > 0 && r < 10, "above 0 and below 10"));
  }
}
