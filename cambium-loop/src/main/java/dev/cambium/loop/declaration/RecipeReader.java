package dev.cambium.loop.declaration;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.loop.data.Suggestion;
import dev.cambium.model.Distillation;
import dev.cambium.model.Json;
import dev.cambium.model.Recipe;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads a recipe: how a line is trained, with its adapter's shape and how it distills. */
final class RecipeReader {

  private static final List<String> RECIPE = Written.fields(Recipe.class);
  private static final List<String> LORA = Written.fields(Recipe.Lora.class);
  private static final List<String> DISTILLATION = Written.fields(Distillation.class);

  /** What a recipe says where the declaration is silent. */
  private static final Map<String, Double> DEFAULTS =
      Map.of("warmup-share", 0.05, "weight-decay", 0.01, "clip-norm", 1.0, "replay-share", 0.0);

  private final Problems problems;
  private final ProtectionReader protections;

  RecipeReader(Problems problems) {
    this.problems = problems;
    this.protections = new ProtectionReader(problems);
  }

  /** The recipe, its defaults filled in; null, and its problems noted, where something is wrong. */
  @Nullable Recipe read(String name, Node.Mapping mapping) {
    int before = problems.errors();
    String what = "recipe '" + name + "'";
    Fields fields = new Fields(mapping, what, RECIPE, problems);
    ObjectNode json = (ObjectNode) mapping.json();
    choice(fields, json, what, "method", Recipe.Method.values());
    choice(fields, json, what, "schedule", Recipe.Schedule.values());
    choice(fields, json, what, "precision", Recipe.Precision.values());
    fields.number("epochs", e -> e > 0 && e <= 1e6, "above 0: passes over the new rows");
    if (fields.has("epochs") && !fields.has("steps")) {
      json.put("steps", 1); // it takes at least one
    }
    for (String required : List.of("method", "steps", "batch-rows", "max-tokens")) {
      if (!fields.has(required) && !json.has(required)) {
        fields.missing(
            required,
            switch (required) {
              case "method" -> "full, or lora for an adapter";
              case "steps" -> "a whole number, or epochs: passes over the new rows";
              default -> "a whole number";
            });
      }
    }
    if (!fields.has("learning-rate")) {
      fields.missing("learning-rate", "its peak, such as 0.001");
    }
    for (String whole : List.of("steps", "batch-rows", "accumulation", "max-tokens")) {
      fields.integer(whole, 1, 1, 1_000_000_000);
    }
    for (String number :
        List.of("learning-rate", "warmup-share", "weight-decay", "clip-norm", "replay-share")) {
      fields.number(number, Double::isFinite, "");
    }
    Node.Mapping lora = fields.mapping("lora");
    if (lora != null) {
      lora(what, lora);
    }
    Node.Mapping protect = fields.mapping("protect");
    if (protect != null) {
      protections.check(what, protect);
    }
    Node.Mapping distill = fields.mapping("distill");
    if (distill != null) {
      distillation(what, distill, (ObjectNode) json.path("distill"));
    }
    if (problems.errors() > before) {
      return null;
    }
    json.properties().removeIf(field -> field.getValue().isNull());
    DEFAULTS.forEach(
        (field, value) -> {
          if (!json.has(field)) {
            json.put(field, value);
          }
        });
    if (!json.has("accumulation")) {
      json.put("accumulation", 1);
    }
    return Written.read(json, Recipe.class, mapping.position(), what, problems);
  }

  /** Checks the shape of an adapter. */
  private void lora(String recipe, Node.Mapping mapping) {
    String what = recipe + ", lora";
    Fields fields = new Fields(mapping, what, LORA, problems);
    for (String required : List.of("rank", "alpha")) {
      if (!fields.has(required)) {
        fields.missing(required, "such as lora: { rank: 8, alpha: 16 }");
      }
    }
    fields.integer("rank", 1, 1, 65_536);
    fields.number("alpha", a -> a > 0, "above 0");
    fields.truth("rank-stabilized", false);
    fields.truth("dora", false);
    for (String pattern : List.of("rank-pattern", "alpha-pattern")) {
      Node.Mapping values = fields.mapping(pattern);
      if (values != null) {
        Fields entries =
            new Fields(
                values, what + ", " + pattern, List.copyOf(values.fields().keySet()), problems);
        for (String modules : values.fields().keySet()) {
          if (pattern.equals("rank-pattern")) {
            entries.integer(modules, 1, 1, 65_536);
          } else {
            entries.number(modules, a -> a > 0, "above 0");
          }
        }
      }
    }
    fields
        .texts("saved-modules")
        .forEach(
            (module, place) -> {
              if (!Recipe.Lora.SAVABLE.contains(module)) {
                problems.add(
                    place,
                    recipe
                        + ": no module '"
                        + module
                        + "' to save whole"
                        + Suggestion.among(module, Recipe.Lora.SAVABLE, "modules"));
              }
            });
    fields
        .texts("targets")
        .forEach(
            (target, place) -> {
              if (!Recipe.Lora.ALL_PROJECTIONS.contains(target)) {
                problems.add(
                    place,
                    recipe
                        + ": no target '"
                        + target
                        + "'"
                        + Suggestion.among(target, Recipe.Lora.ALL_PROJECTIONS, "targets"));
              }
            });
  }

  /** Checks how a recipe distills, and fills in what it leaves out. */
  private void distillation(String recipe, Node.Mapping mapping, ObjectNode json) {
    String what = recipe + ", distill";
    Fields fields = new Fields(mapping, what, DISTILLATION, problems);
    choice(fields, json, what, "divergence", Distillation.Divergence.values());
    fields.number("steps", v -> v > 0 && v <= 1000, "above 0 and at most 1000");
    fields.number("labels", v -> v >= 0 && v <= 1, "from 0 to 1");
    fields.number("on-policy", v -> v >= 0 && v <= 1, "from 0 to 1");
    fields.number("mixture", v -> v > 0 && v < 1, "above 0 and below 1");
    fields.number("temperature", v -> v > 0 && v <= 100, "above 0 and at most 100");
    fields.number("rows", v -> v > 0 && v <= 1, "above 0 and at most 1");
    fields.number("rate", v -> v > 0 && v <= 100, "above 0 and at most 100");
    ObjectNode usual = Json.mapper().valueToTree(Distillation.DEFAULT);
    usual
        .properties()
        .forEach(
            field -> {
              if (!json.has(field.getKey())) {
                json.set(field.getKey(), field.getValue());
              }
            });
  }

  /** Notes a text that is none of an enumeration's written forms. */
  private void choice(Fields fields, ObjectNode json, String what, String field, Enum<?>[] values) {
    String given = fields.text(field);
    if (given != null) {
      List<String> known = Written.labels(values);
      if (!known.contains(given)) {
        problems.add(
            fields.at(field),
            what
                + ": no "
                + field
                + " '"
                + given
                + "'"
                + Suggestion.among(given, known, field + "s"));
        json.remove(field);
      }
    }
  }
}
