package dev.cambium.loop.declaration;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.governor.Condition;
import dev.cambium.loop.governor.Governor;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Rule;
import dev.cambium.model.Protection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads the governor: its budget and its rules. */
final class GovernorReader {

  private static final List<String> GOVERNOR = List.of("budget", "rules");
  private static final List<String> BUDGET = Written.fields(Governor.Budget.class);
  private static final List<String> RULE = Written.fields(Rule.class);

  private final Problems problems;
  private final ProtectionReader protections;

  GovernorReader(Problems problems) {
    this.problems = problems;
    this.protections = new ProtectionReader(problems);
  }

  /** The governor, the usual one where the declaration is silent. */
  Governor read(Node.@Nullable Mapping mapping) {
    Governor usual = Governor.DEFAULT;
    if (mapping == null) {
      return usual;
    }
    Fields fields = new Fields(mapping, "governor", GOVERNOR, problems);
    Governor.Budget budget = usual.budget();
    Node.Mapping limits = fields.mapping("budget");
    if (limits != null) {
      Fields own = new Fields(limits, "governor, budget", BUDGET, problems);
      budget =
          new Governor.Budget(
              own.has("steps") ? own.integer("steps", 1, 1, 1_000_000_000_000L) : null,
              own.number("seconds", s -> s > 0, "above 0"));
    }
    if (!fields.has("rules")) {
      return new Governor(usual.rules(), budget);
    }
    List<Rule> rules = new ArrayList<>();
    int number = 1;
    for (Node.Mapping rule : fields.mappingsOf("rules")) {
      Rule read = rule(rule, "governor, rule " + number++);
      if (read != null) {
        rules.add(read);
      }
    }
    return new Governor(rules, budget);
  }

  private @Nullable Rule rule(Node.Mapping mapping, String what) {
    int before = problems.errors();
    Fields fields = new Fields(mapping, what, RULE, problems);
    Map<Condition, Double> when = new TreeMap<>();
    Node.Mapping conditions = fields.mapping("when");
    if (conditions != null) {
      Fields own = new Fields(conditions, what + ", when", Condition.labels(), problems);
      for (String label : Condition.labels()) {
        Double bound = own.number(label, b -> b >= 0 && Double.isFinite(b), "of at least 0");
        if (bound != null) {
          when.put(Condition.parse(label), bound);
        }
      }
    }
    if (when.isEmpty() && problems.errors() == before) {
      fields.missing("when", "what must hold, such as when: { headroom-below: 0.9 }");
    }
    Mode mode = Mode.PLAIN;
    String label = fields.text("mode");
    if (!fields.has("mode")) {
      fields.missing("mode", "one of " + String.join(", ", Mode.labels()));
    } else if (label != null && Mode.labels().contains(label)) {
      mode = Mode.parse(label);
    } else if (label != null) {
      problems.add(
          fields.at("mode"),
          what + ": no mode '" + label + "'" + Suggestion.among(label, Mode.labels(), "modes"));
    }
    Protection protect = null;
    Node.Mapping protection = fields.mapping("protect");
    if (protection != null) {
      protections.check(what, protection);
      if (problems.errors() == before) {
        protect =
            Written.read(
                (ObjectNode) protection.json(),
                Protection.class,
                protection.position(),
                what + ", protect",
                problems);
      }
    } else if (mode == Mode.PROTECT || mode == Mode.REPAIR) {
      fields.missing(
          "protect",
          mode == Mode.PROTECT
              ? "what the recipe gets in addition, such as protect: { kl: 0.1 }"
              : "how, such as protect: { shrink-perturb: { shrink: 0.9, noise: 0.05 } }");
    }
    String because = fields.text("because");
    if (problems.errors() > before) {
      return null;
    }
    return new Rule(when, mode, protect, because == null ? "" : because);
  }
}
