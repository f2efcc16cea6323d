package dev.cambium.loop.declaration;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.ArtifactAddress;
import dev.cambium.ledger.StoreAddress;
import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.loop.declaration.Policy.DecisionPoint;
import dev.cambium.loop.governor.Condition;
import dev.cambium.loop.governor.Governor;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Rule;
import dev.cambium.model.Application;
import dev.cambium.model.Channel;
import dev.cambium.model.Distillation;
import dev.cambium.model.Json;
import dev.cambium.model.MergeMethod;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Turns the text of a declaration into a {@link Declaration}, or into all that is wrong with it.
 */
final class DeclarationReader {

  private static final List<String> TOP =
      List.of(
          "name", "store", "artifacts", "policy", "governor", "recipes", "capabilities", "lines");
  private static final List<String> POLICY = List.of("alpha", "chunk", "seed", "stages", "approve");
  private static final List<String> GOVERNOR = List.of("budget", "rules");
  private static final List<String> GOVERNOR_BUDGET = components(Governor.Budget.class);
  private static final List<String> RULE = components(Rule.class);
  private static final List<String> RECIPE = components(Recipe.class);
  private static final List<String> LORA = components(Recipe.Lora.class);
  private static final List<String> PROTECTION = components(Protection.class);
  private static final List<String> DISTILLATION = components(Distillation.class);
  private static final List<String> CAPABILITY =
      List.of("owner", "suite", "scorer", "max-new-tokens", "schema", "margin", "floor", "slices");
  private static final List<String> SLICES = List.of("by", "margin", "min-items");
  private static final List<String> LINE =
      List.of("tier", "parent", "recipe", "merge", "application", "contract");
  private static final List<String> CONTRACT =
      List.of("inherit", "capabilities", "budgets", "headroom");
  private static final List<String> BUDGETS = List.of("max-size-mb", "max-ms-per-item");
  private static final List<String> HEADROOM = components(HeadroomPolicy.class);
  private static final List<String> APPLICATION = components(Application.class);

  /** What a recipe says where the declaration is silent. */
  private static final Map<String, Double> RECIPE_DEFAULTS =
      Map.of("warmup-share", 0.05, "weight-decay", 0.01, "clip-norm", 1.0, "replay-share", 0.0);

  private final String file;
  private final Path directory;
  private final Problems problems;

  DeclarationReader(String file, Path directory) {
    this.file = file;
    this.directory = directory;
    this.problems = new Problems(file);
  }

  private static List<String> components(Class<?> type) {
    return Arrays.stream(type.getRecordComponents())
        .map(
            c ->
                ((PropertyNamingStrategies.KebabCaseStrategy) PropertyNamingStrategies.KEBAB_CASE)
                    .translate(c.getName()))
        .toList();
  }

  Declaration read(String yaml) {
    Node node = YamlReader.read(yaml, problems);
    if (node == null) {
      problems.raise();
    }
    if (!(node instanceof Node.Mapping mapping)) {
      problems.add(
          node == null ? null : node.position(),
          "must be a mapping with the fields " + String.join(", ", TOP));
      problems.raise();
      throw new AssertionError("raised above");
    }
    Fields top = new Fields(mapping, "ecosystem", TOP, problems);
    String name = top.text("name");
    if (name == null) {
      if (!top.has("name")) {
        top.missing("name", "write, for example, name: bank-help-desk");
      }
    } else {
      checkName(name, top.at("name"), "name");
    }
    String store = top.text("store");
    if (store != null) {
      try {
        StoreAddress.of(store, Map.of());
      } catch (IllegalArgumentException e) {
        problems.add(top.at("store"), "store: " + e.getMessage());
      }
    }
    String artifacts = top.text("artifacts");
    if (artifacts != null) {
      try {
        ArtifactAddress.check(artifacts);
      } catch (IllegalArgumentException e) {
        problems.add(top.at("artifacts"), "artifacts: " + e.getMessage());
      }
    }
    Policy policy = policy(top.mapping("policy"));
    Governor governor = governor(top.mapping("governor"));
    Map<String, Recipe> recipes = new TreeMap<>();
    Set<String> namedRecipes = new LinkedHashSet<>();
    for (Map.Entry<String, Node.Mapping> entry : top.mappings("recipes")) {
      namedRecipes.add(entry.getKey());
      checkName(entry.getKey(), top.key("recipes", entry.getKey()), "recipe");
      Recipe recipe = recipe(entry.getKey(), entry.getValue());
      if (recipe != null) {
        recipes.put(entry.getKey(), recipe);
      }
    }
    Map<String, CapabilityDeclaration> capabilities = new TreeMap<>();
    Set<String> namedCapabilities = new LinkedHashSet<>();
    for (Map.Entry<String, Node.Mapping> entry : top.mappings("capabilities")) {
      namedCapabilities.add(entry.getKey());
      checkName(entry.getKey(), top.key("capabilities", entry.getKey()), "capability");
      CapabilityDeclaration capability =
          capability(entry.getKey(), entry.getValue(), top.key("capabilities", entry.getKey()));
      if (capability != null) {
        capabilities.put(entry.getKey(), capability);
      }
    }
    Map<String, Line> lines = new LinkedHashMap<>();
    Map<String, Fields> sources = new LinkedHashMap<>();
    Map<String, Position> places = new LinkedHashMap<>();
    for (Map.Entry<String, Node.Mapping> entry : top.mappings("lines")) {
      Position place = top.key("lines", entry.getKey());
      places.put(entry.getKey(), place);
      checkName(entry.getKey(), place, "line");
      Fields fields = new Fields(entry.getValue(), "line '" + entry.getKey() + "'", LINE, problems);
      sources.put(entry.getKey(), fields);
      Line line = line(entry.getKey(), fields, namedRecipes, recipes, namedCapabilities);
      if (line != null) {
        lines.put(entry.getKey(), line);
      }
    }
    if (!top.has("lines") || (places.isEmpty() && problems.errors() == 0)) {
      top.missing("lines", "an ecosystem has at least one, such as base: { tier: foundation }");
    }
    parents(lines, sources, places);
    merges(lines, sources, places);
    List<Line> order = order(lines, sources);
    problems.raise();
    Declaration declaration =
        new Declaration(
            String.valueOf(name),
            policy,
            governor,
            new TreeMap<>(recipes),
            new TreeMap<>(capabilities),
            order.stream()
                .collect(Collectors.toMap(Line::name, l -> l, (a, b) -> a, LinkedHashMap::new)),
            List.of());
    warn(declaration, top, places);
    return new Declaration(
        declaration.name(),
        policy,
        governor,
        declaration.recipes(),
        declaration.capabilities(),
        declaration.lines(),
        problems.warnings());
  }

  private void checkName(String name, Position place, String what) {
    try {
      VersionRef.checkLine(name);
    } catch (IllegalArgumentException e) {
      problems.add(
          place,
          "'"
              + name
              + "' cannot be the name of a "
              + what
              + ": lower-case letters, digits, '.', '_' and '-', at most 63, the first a letter"
              + " or a digit");
    }
  }

  // ---- policy ----

  private Policy policy(Node.@Nullable Mapping mapping) {
    Policy usual = Policy.DEFAULT;
    if (mapping == null) {
      return usual;
    }
    Fields fields = new Fields(mapping, "policy", POLICY, problems);
    double alpha =
        fields.number("alpha", usual.alpha(), a -> a > 0 && a <= 0.5, "above 0 and at most 0.5");
    int chunk = (int) fields.integer("chunk", usual.chunk(), 1, 100_000);
    long seed = fields.integer("seed", usual.seed(), Long.MIN_VALUE, Long.MAX_VALUE);
    List<Channel> stages = new ArrayList<>();
    fields
        .texts("stages")
        .forEach(
            (label, place) -> {
              List<String> known = Arrays.stream(Channel.values()).map(Channel::label).toList();
              if (known.contains(label)) {
                stages.add(Channel.parse(label));
              } else {
                problems.add(
                    place,
                    "policy: no stage '" + label + "'" + Suggestion.among(label, known, "stages"));
              }
            });
    boolean sorted = stages.equals(stages.stream().sorted().toList());
    if (fields.has("stages")
        && (stages.isEmpty() || stages.get(stages.size() - 1) != Channel.STABLE || !sorted)) {
      problems.add(
          fields.at("stages"),
          "policy: stages must be in the order candidate, canary, stable and end with stable");
    }
    Set<DecisionPoint> approve = new LinkedHashSet<>();
    fields
        .texts("approve")
        .forEach(
            (label, place) -> {
              List<String> known =
                  Arrays.stream(DecisionPoint.values()).map(DecisionPoint::label).toList();
              if (known.contains(label)) {
                approve.add(DecisionPoint.values()[known.indexOf(label)]);
              } else {
                problems.add(
                    place,
                    "policy: no decision point '"
                        + label
                        + "'"
                        + Suggestion.among(label, known, "decision points"));
              }
            });
    return new Policy(alpha, chunk, seed, fields.has("stages") ? stages : usual.stages(), approve);
  }

  // ---- governor ----

  private Governor governor(Node.@Nullable Mapping mapping) {
    Governor usual = Governor.DEFAULT;
    if (mapping == null) {
      return usual;
    }
    Fields fields = new Fields(mapping, "governor", GOVERNOR, problems);
    Governor.Budget budget = usual.budget();
    Node.Mapping limits = fields.mapping("budget");
    if (limits != null) {
      Fields own = new Fields(limits, "governor, budget", GOVERNOR_BUDGET, problems);
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
      protection(what, protection);
      if (problems.errors() == before) {
        protect =
            convert(
                (ObjectNode) protection.json(),
                Protection.class,
                protection.position(),
                what + ", protect");
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

  // ---- recipes ----

  private @Nullable Recipe recipe(String name, Node.Mapping mapping) {
    int before = problems.errors();
    String what = "recipe '" + name + "'";
    Fields fields = new Fields(mapping, what, RECIPE, problems);
    ObjectNode json = (ObjectNode) mapping.json();
    choice(fields, json, what, "method", Recipe.Method.values());
    choice(fields, json, what, "schedule", Recipe.Schedule.values());
    choice(fields, json, what, "precision", Recipe.Precision.values());
    for (String required : List.of("method", "steps", "batch-rows", "max-tokens")) {
      if (!fields.has(required)) {
        fields.missing(
            required,
            required.equals("method") ? "full, or lora for an adapter" : "a whole number");
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
      Fields shape = new Fields(lora, what + ", lora", LORA, problems);
      for (String required : List.of("rank", "alpha")) {
        if (!shape.has(required)) {
          shape.missing(required, "such as lora: { rank: 8, alpha: 16 }");
        }
      }
      shape.integer("rank", 1, 1, 65_536);
      shape.number("alpha", a -> a > 0, "above 0");
      shape.truth("rank-stabilized", false);
      shape.truth("dora", false);
      for (String pattern : List.of("rank-pattern", "alpha-pattern")) {
        Node.Mapping values = shape.mapping(pattern);
        if (values != null) {
          Fields entries =
              new Fields(
                  values,
                  what + ", lora, " + pattern,
                  List.copyOf(values.fields().keySet()),
                  problems);
          for (String modules : values.fields().keySet()) {
            if (pattern.equals("rank-pattern")) {
              entries.integer(modules, 1, 1, 65_536);
            } else {
              entries.number(modules, a -> a > 0, "above 0");
            }
          }
        }
      }
      shape
          .texts("saved-modules")
          .forEach(
              (module, place) -> {
                if (!Recipe.Lora.SAVABLE.contains(module)) {
                  problems.add(
                      place,
                      what
                          + ": no module '"
                          + module
                          + "' to save whole"
                          + Suggestion.among(module, Recipe.Lora.SAVABLE, "modules"));
                }
              });
      shape
          .texts("targets")
          .forEach(
              (target, place) -> {
                if (!Recipe.Lora.ALL_PROJECTIONS.contains(target)) {
                  problems.add(
                      place,
                      what
                          + ": no target '"
                          + target
                          + "'"
                          + Suggestion.among(target, Recipe.Lora.ALL_PROJECTIONS, "targets"));
                }
              });
    }
    Node.Mapping protect = fields.mapping("protect");
    if (protect != null) {
      protection(what, protect);
    }
    Node.Mapping distill = fields.mapping("distill");
    if (distill != null) {
      distillation(what, distill, (ObjectNode) json.path("distill"));
    }
    if (problems.errors() > before) {
      return null;
    }
    json.properties().removeIf(field -> field.getValue().isNull());
    RECIPE_DEFAULTS.forEach(
        (field, value) -> {
          if (!json.has(field)) {
            json.put(field, value);
          }
        });
    if (!json.has("accumulation")) {
      json.put("accumulation", 1);
    }
    return convert(json, Recipe.class, mapping.position(), what);
  }

  private void protection(String recipe, Node.Mapping mapping) {
    String what = recipe + ", protect";
    Fields fields = new Fields(mapping, what, PROTECTION, problems);
    for (String strength : List.of("kl", "l2-init", "ewc", "orthogonal", "spectral")) {
      fields.number(strength, s -> s > 0 && Double.isFinite(s), "above 0");
    }
    fields.number("interpolate", a -> a > 0 && a < 1, "above 0 and below 1");
    fields.text("balance-by");
    fields.numbers("interpolate-search", a -> a > 0 && a <= 1, "above 0 and at most 1");
    Node.Mapping onPolicy = fields.mapping("on-policy");
    if (onPolicy != null) {
      whole(
          onPolicy,
          what + ", on-policy",
          components(Protection.OnPolicy.class),
          List.of(),
          "such as on-policy: { share: 0.05, temperature: 1 }");
    }
    whole(
        fields.mapping("rewarm"),
        what + ", rewarm",
        components(Protection.Rewarm.class),
        List.of("warmup", "cooldown"),
        "such as rewarm: { warmup: 20, cooldown: 100, floor: 0.3 }");
    whole(
        fields.mapping("reset-dormant"),
        what + ", reset-dormant",
        components(Protection.ResetDormant.class),
        List.of("every"),
        "such as reset-dormant: { every: 100, threshold: 0.025 }");
    whole(
        fields.mapping("shrink-perturb"),
        what + ", shrink-perturb",
        components(Protection.ShrinkPerturb.class),
        List.of(),
        "such as shrink-perturb: { shrink: 0.9, noise: 0.1 }");
  }

  /** Checks how a recipe distills, and fills in what it leaves out. */
  private void distillation(String recipe, Node.Mapping mapping, ObjectNode json) {
    String what = recipe + ", distill";
    Fields fields = new Fields(mapping, what, DISTILLATION, problems);
    choice(fields, json, what, "divergence", Distillation.Divergence.values());
    fields.number("steps", v -> v > 0 && v <= 1, "above 0 and at most 1");
    fields.number("on-policy", v -> v >= 0 && v <= 1, "from 0 to 1");
    fields.number("mixture", v -> v > 0 && v < 1, "above 0 and below 1");
    fields.number("temperature", v -> v > 0 && v <= 100, "above 0 and at most 100");
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

  /** A mapping in which every field is required; those named are whole numbers. */
  private void whole(
      Node.@Nullable Mapping mapping,
      String what,
      List<String> required,
      List<String> integers,
      String example) {
    if (mapping == null) {
      return;
    }
    Fields fields = new Fields(mapping, what, required, problems);
    for (String field : required) {
      if (!fields.has(field)) {
        fields.missing(field, example);
      } else if (integers.contains(field)) {
        fields.integer(field, 0, 0, 1_000_000_000);
      } else {
        fields.number(field, v -> v >= 0 && v <= 1, "from 0 to 1");
      }
    }
  }

  /** Notes a text that is none of an enumeration's written forms. */
  private void choice(Fields fields, ObjectNode json, String what, String field, Enum<?>[] values) {
    String given = fields.text(field);
    if (given != null) {
      List<String> known = labels(values);
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

  private static List<String> labels(Enum<?>[] values) {
    return Arrays.stream(values).map(DeclarationReader::label).toList();
  }

  static String label(Enum<?> value) {
    try {
      JsonProperty written =
          value.getDeclaringClass().getField(value.name()).getAnnotation(JsonProperty.class);
      return written == null ? value.name() : written.value();
    } catch (NoSuchFieldException e) {
      throw new AssertionError("an enumeration has its own constants", e);
    }
  }

  private <T> @Nullable T convert(JsonNode json, Class<T> type, Position place, String what) {
    try {
      return Json.mapper().treeToValue(json, type);
    } catch (JsonProcessingException e) {
      Throwable cause = e;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      String message =
          cause instanceof JsonProcessingException json1
              ? json1.getOriginalMessage()
              : String.valueOf(cause.getMessage());
      problems.add(place, what + ": " + message);
      return null;
    }
  }

  // ---- capabilities ----

  private @Nullable CapabilityDeclaration capability(
      String name, Node.Mapping mapping, Position place) {
    int before = problems.errors();
    String what = "capability '" + name + "'";
    Fields fields = new Fields(mapping, what, CAPABILITY, problems);
    String owner = fields.text("owner");
    if (!fields.has("owner")) {
      fields.missing("owner", "who is told when it breaks, such as owner: cards-team");
    }
    String suite = fields.text("suite");
    if (!fields.has("suite")) {
      fields.missing("suite", "the file of its items, such as suite: suites/" + name + ".jsonl");
    }
    if (suite != null) {
      file(suite, fields.at("suite"), what + ": suite");
    }
    ScorerKind kind = null;
    String scorer = fields.text("scorer");
    List<String> scorers = labels(ScorerKind.values());
    if (!fields.has("scorer")) {
      fields.missing("scorer", "one of " + String.join(", ", scorers));
    } else if (scorer != null) {
      if (scorers.contains(scorer)) {
        kind = ScorerKind.values()[scorers.indexOf(scorer)];
      } else {
        problems.add(
            fields.at("scorer"),
            what + ": no scorer '" + scorer + "'" + Suggestion.among(scorer, scorers, "scorers"));
      }
    }
    int maxNewTokens =
        (int) fields.integer("max-new-tokens", Scorer.DEFAULT_MAX_NEW_TOKENS, 1, 100_000);
    String schemaFile = fields.text("schema");
    JsonNode schema = null;
    if (schemaFile != null) {
      if (kind != null && kind != ScorerKind.JSON) {
        problems.add(
            fields.at("schema"), what + ": a schema goes with scorer json, not " + label(kind));
      }
      schema = schema(schemaFile, fields.at("schema"), what);
    }
    double margin =
        fields.number(
            "margin",
            CapabilityDeclaration.DEFAULT_MARGIN,
            m -> m > 0 && m < 1,
            "above 0 and below 1");
    double floor = fields.number("floor", 0, f -> f >= 0 && f <= 1, "from 0 to 1");
    if (!fields.has("floor")) {
      problems.warn(
          place,
          what
              + ": has no floor, so the first release of it can only be inconclusive; write, for"
              + " example, floor: 0.5");
    }
    SlicePolicy slices = null;
    Node.Mapping sliced = fields.mapping("slices");
    if (sliced != null) {
      slices = slices(what, sliced);
    }
    if (problems.errors() > before || owner == null || suite == null || kind == null) {
      return null;
    }
    return new CapabilityDeclaration(
        name,
        owner,
        suite,
        new Scorer(kind, maxNewTokens, schema),
        schemaFile,
        margin,
        floor,
        slices);
  }

  private SlicePolicy slices(String what, Node.Mapping mapping) {
    Fields fields = new Fields(mapping, what + ", slices", SLICES, problems);
    List<String> by = List.copyOf(fields.texts("by").keySet());
    if (!fields.has("by")) {
      fields.missing("by", "the tags that make slices, such as by: [intent]");
    }
    double margin =
        fields.number(
            "margin", SlicePolicy.DEFAULT_MARGIN, m -> m > 0 && m < 1, "above 0 and below 1");
    int minItems = (int) fields.integer("min-items", SlicePolicy.DEFAULT_MIN_ITEMS, 1, 1_000_000);
    return new SlicePolicy(by, margin, minItems);
  }

  private @Nullable JsonNode schema(String name, Position place, String what) {
    Path path = file(name, place, what + ": schema");
    if (path == null) {
      return null;
    }
    try {
      JsonNode schema = Json.mapper().readTree(Files.readAllBytes(path));
      if (!schema.isObject() && !schema.isBoolean()) {
        problems.add(place, what + ": " + name + " is not a JSON Schema, which is an object");
      }
      return schema;
    } catch (JsonProcessingException e) {
      problems.add(
          place,
          what
              + ": "
              + name
              + (e.getLocation() == null
                  ? ""
                  : ":" + e.getLocation().getLineNr() + ":" + e.getLocation().getColumnNr())
              + ": not JSON: "
              + e.getOriginalMessage().lines().findFirst().orElse(""));
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": cannot be read", e);
    }
  }

  /** The path of a file that the declaration names, if it is there. */
  private @Nullable Path file(String name, Position place, String what) {
    Path path;
    try {
      path = Path.of(name);
    } catch (InvalidPathException e) {
      problems.add(place, what + ": not a path: '" + name + "'");
      return null;
    }
    if (path.isAbsolute() || path.normalize().startsWith("..")) {
      problems.add(
          place,
          what
              + ": '"
              + name
              + "' leaves the ecosystem's directory; name a file in it, with a relative path");
      return null;
    }
    Path resolved = directory.resolve(path);
    if (!Files.exists(resolved)) {
      problems.add(place, what + ": no such file: " + resolved);
      return null;
    }
    if (!Files.isRegularFile(resolved)) {
      problems.add(place, what + ": not a file: " + resolved);
      return null;
    }
    return resolved;
  }

  // ---- lines ----

  private @Nullable Line line(
      String name,
      Fields fields,
      Set<String> namedRecipes,
      Map<String, Recipe> recipes,
      Set<String> namedCapabilities) {
    String what = "line '" + name + "'";
    Tier tier = null;
    String label = fields.text("tier");
    List<String> tiers = Arrays.stream(Tier.values()).map(Tier::label).toList();
    if (!fields.has("tier")) {
      fields.missing("tier", "one of " + String.join(", ", tiers));
    } else if (label != null) {
      if (tiers.contains(label)) {
        tier = Tier.parse(label);
      } else {
        problems.add(
            fields.at("tier"),
            what + ": no tier '" + label + "'" + Suggestion.among(label, tiers, "tiers"));
      }
    }
    String recipe = fields.text("recipe");
    if (recipe != null && !namedRecipes.contains(recipe)) {
      problems.add(
          fields.at("recipe"),
          what
              + ": no recipe '"
              + recipe
              + "'"
              + Suggestion.among(recipe, namedRecipes, "recipes"));
    }
    if (recipe != null && tier != null) {
      method(what, tier, recipe, recipes.get(recipe), fields.at("recipe"));
    }
    String applicationFile = fields.text("application");
    Application application = null;
    if (tier == Tier.APPLICATION && !fields.has("application")) {
      fields.missing(
          "application", "an application has a file, such as application: apps/" + name + ".yaml");
    }
    if (applicationFile != null) {
      if (tier != null && tier != Tier.APPLICATION) {
        problems.add(
            fields.at("application"),
            what + ": only a line of tier application has an application file, this is " + label);
      } else {
        application = application(applicationFile, fields.at("application"), what);
      }
    }
    Contract contract = contract(what, fields.mapping("contract"), namedCapabilities);
    Node.Mapping merged = fields.mapping("merge");
    Merging merge = merged == null ? null : merge(what, merged);
    if (merged != null && fields.has("recipe")) {
      problems.add(
          fields.at("recipe"),
          what + ": a line that is made by merging is not trained; remove the recipe or the merge");
    }
    if (merged != null && (tier == Tier.FOUNDATION || tier == Tier.APPLICATION)) {
      problems.add(
          fields.at("merge"),
          what
              + ": of tier "
              + label
              + ", which is not made by merging; industrial and application-model are");
    }
    if (tier == null) {
      return null;
    }
    return new Line(
        name, tier, fields.text("parent"), recipe, merge, applicationFile, application, contract);
  }

  // ---- merging ----

  /** Which fields each method has beside {@code from} and {@code method}. */
  private static final Map<String, List<String>> MERGE_METHODS =
      Map.of(
          "linear", List.of("weights"),
          "slerp", List.of("share"),
          "task", List.of("weights"),
          "ties", List.of("weights", "density", "scale"),
          "dare", List.of("weights", "density", "seed"),
          "regmean", List.of("weights", "off-diagonal", "tokens"));

  private static final List<String> MERGE =
      List.of(
          "from",
          "method",
          "weights",
          "share",
          "density",
          "scale",
          "seed",
          "off-diagonal",
          "tokens");

  private @Nullable Merging merge(String what, Node.Mapping mapping) {
    int before = problems.errors();
    Fields fields = new Fields(mapping, what + ", merge", MERGE, problems);
    List<String> from = List.copyOf(fields.texts("from").keySet());
    if (!fields.has("from")) {
      fields.missing("from", "the lines to merge, such as from: [cards, payments]");
    }
    String method = fields.text("method");
    List<String> methods = MERGE_METHODS.keySet().stream().sorted().toList();
    if (!fields.has("method")) {
      fields.missing("method", "one of " + String.join(", ", methods));
    }
    List<String> own = method == null ? null : MERGE_METHODS.get(method);
    if (method != null && own == null) {
      problems.add(
          fields.at("method"),
          what
              + ", merge: no method '"
              + method
              + "'"
              + Suggestion.among(method, methods, "methods"));
    }
    if (own != null) {
      for (String field : MERGE.subList(2, MERGE.size())) {
        if (fields.has(field) && !own.contains(field)) {
          problems.add(
              fields.at(field),
              what
                  + ", merge: method "
                  + method
                  + " has no '"
                  + field
                  + "'; it has "
                  + String.join(", ", own));
        }
      }
    }
    List<Double> weights = weights(what, fields.mapping("weights"), from);
    double share = fields.number("share", 0.5, s -> s >= 0 && s <= 1, "from 0 to 1");
    double density = fields.number("density", 0.5, d -> d > 0 && d <= 1, "above 0 and at most 1");
    double scale = fields.number("scale", 1, Double::isFinite, "");
    long seed = fields.integer("seed", 1, 0, 1L << 53); // canonical JSON holds numbers as doubles
    double offDiagonal =
        fields.number(
            "off-diagonal",
            MergeMethod.RegMean.DEFAULT_OFF_DIAGONAL,
            d -> d >= 0 && d <= 1,
            "from 0 to 1");
    int tokens =
        (int) fields.integer("tokens", MergeMethod.RegMean.DEFAULT_TOKENS, 1, 1_000_000_000);
    if (fields.has("from") && (from.size() < 2 || ("slerp".equals(method) && from.size() != 2))) {
      problems.add(
          fields.at("from"),
          what
              + ", merge: "
              + ("slerp".equals(method) ? "slerp is of two lines" : "names fewer than two lines"));
    }
    if (method == null || own == null || problems.errors() > before) {
      return null;
    }
    try {
      return new Merging(
          from,
          switch (method) {
            case "linear" -> new MergeMethod.Linear(weights);
            case "slerp" -> new MergeMethod.Slerp(share);
            case "task" -> new MergeMethod.TaskArithmetic(weights);
            case "ties" -> new MergeMethod.Ties(weights, density, scale);
            case "dare" -> new MergeMethod.Dare(weights, density, seed);
            default -> new MergeMethod.RegMean(weights, offDiagonal, tokens);
          });
    } catch (IllegalArgumentException e) {
      problems.add(fields.at("weights"), what + ", merge: " + e.getMessage());
      return null;
    }
  }

  /** One for each line; 1 where none is said. */
  private List<Double> weights(String what, Node.@Nullable Mapping mapping, List<String> from) {
    if (mapping == null) {
      return java.util.Collections.nCopies(from.size(), 1.0);
    }
    Fields fields = new Fields(mapping, what + ", merge, weights", from, problems);
    return from.stream().map(line -> fields.number(line, 1, Double::isFinite, "")).toList();
  }

  /** What a line is merged from must be there, and must have come from the same model. */
  private void merges(
      Map<String, Line> lines, Map<String, Fields> sources, Map<String, Position> places) {
    for (Line line : lines.values()) {
      Fields fields = sources.get(line.name());
      Node.Mapping mapping = fields == null ? null : fields.mapping("merge");
      if (mapping == null) {
        continue;
      }
      String what = "line '" + line.name() + "', merge";
      Map<String, Position> from =
          new Fields(mapping, what, MERGE, new Problems(file)).texts("from");
      from.forEach(
          (name, place) -> {
            Line source = lines.get(name);
            if (!places.containsKey(name)) {
              problems.add(
                  place,
                  what
                      + ": no line '"
                      + name
                      + "'"
                      + Suggestion.among(name, places.keySet(), "lines"));
            } else if (name.equals(line.name())) {
              problems.add(place, what + ": a line cannot be merged from itself");
            } else if (source != null && source.tier() == Tier.APPLICATION) {
              problems.add(place, what + ": '" + name + "' is an application, not a model");
            } else if (source != null && !Objects.equals(source.parent(), line.parent())) {
              problems.add(
                  place,
                  what
                      + ": '"
                      + name
                      + "' is built on "
                      + (source.parent() == null ? "nothing" : "'" + source.parent() + "'")
                      + ", this line on '"
                      + line.parent()
                      + "'; what is merged must have come from the same model");
            }
          });
    }
  }

  private void method(
      String what, Tier tier, String name, @Nullable Recipe recipe, Position place) {
    if (tier == Tier.APPLICATION) {
      problems.add(
          place, what + ": an application is not trained, so it has no recipe; remove the field");
    } else if (recipe != null
        && recipe.method() == Recipe.Method.LORA
        && tier != Tier.APPLICATION_MODEL) {
      problems.add(
          place,
          what
              + ": recipe '"
              + name
              + "' has method lora, which makes adapters, and other lines are built on a line of"
              + " tier "
              + tier.label()
              + "; give it a recipe with method full");
    }
  }

  private @Nullable Application application(String name, Position place, String what) {
    Path path = file(name, place, what + ": application");
    if (path == null) {
      return null;
    }
    Problems own = new Problems(path.toString());
    try {
      Node node = YamlReader.read(Declaration.text(path), own);
      if (node instanceof Node.Mapping mapping) {
        Fields fields = new Fields(mapping, "application", APPLICATION, own);
        fields.text("system");
        fields.text("prompt");
        ObjectNode json = (ObjectNode) mapping.json();
        json.put(
            "max-new-tokens",
            fields.integer("max-new-tokens", Scorer.DEFAULT_MAX_NEW_TOKENS, 1, 100_000));
        json.put(
            "temperature", fields.number("temperature", 0, t -> t >= 0 && t <= 10, "from 0 to 10"));
        if (own.errors() == 0) {
          int before = problems.errors();
          Application read = convert(json, Application.class, place, what + ": " + name);
          return problems.errors() == before ? read : null;
        }
      } else if (node != null) {
        own.add(
            node.position(), "must be a mapping with the fields " + String.join(", ", APPLICATION));
      }
    } catch (DeclarationException e) {
      e.problems().forEach(p -> own.add(null, p.message()));
    }
    problems.addAll(own);
    return null;
  }

  private Contract contract(
      String what, Node.@Nullable Mapping mapping, Set<String> namedCapabilities) {
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

  // ---- the tree ----

  private void parents(
      Map<String, Line> lines, Map<String, Fields> sources, Map<String, Position> places) {
    for (Line line : lines.values()) {
      Fields fields = sources.get(line.name());
      if (fields == null) {
        continue;
      }
      String what = "line '" + line.name() + "'";
      String parent = line.parent();
      if (parent == null) {
        if (line.tier() != Tier.FOUNDATION && !fields.has("parent")) {
          fields.missing("parent", "every line but a foundation is built on another");
        }
        continue;
      }
      if (line.tier() == Tier.FOUNDATION) {
        problems.add(
            fields.at("parent"),
            what + ": a foundation is built on nothing; remove the parent, or change the tier");
        continue;
      }
      if (!places.containsKey(parent)) {
        problems.add(
            fields.at("parent"),
            what
                + ": no line '"
                + parent
                + "' to be its parent"
                + Suggestion.among(parent, places.keySet(), "lines"));
        continue;
      }
      Line above = lines.get(parent);
      if (above == null || parent.equals(line.name())) {
        continue;
      }
      boolean stacked = above.tier() == Tier.INDUSTRIAL && line.tier() == Tier.INDUSTRIAL;
      if (above.tier().compareTo(line.tier()) >= 0 && !stacked) {
        problems.add(
            fields.at("parent"),
            what
                + ": of tier "
                + line.tier().label()
                + " cannot be built on '"
                + parent
                + "' of tier "
                + above.tier().label()
                + "; the order is foundation, industrial, application-model, application");
      }
    }
  }

  /**
   * What a line is made from before it, otherwise in the file's order; notes each cycle once. Goes
   * without recursion: a chain of lines may be long.
   */
  private List<Line> order(Map<String, Line> lines, Map<String, Fields> sources) {
    Set<String> order = new LinkedHashSet<>();
    Set<String> inCycle = new LinkedHashSet<>();
    for (String first : lines.keySet()) {
      List<String> path = new ArrayList<>(List.of(first));
      List<Iterator<String>> above = new ArrayList<>(List.of(above(lines, first)));
      while (!path.isEmpty()) {
        Iterator<String> next = above.get(above.size() - 1);
        if (order.contains(path.get(path.size() - 1)) || !next.hasNext()) {
          above.remove(above.size() - 1);
          order.add(path.remove(path.size() - 1));
          continue;
        }
        String up = next.next();
        int seen = path.indexOf(up);
        if (seen >= 0) {
          circle(path.subList(seen, path.size()), inCycle, sources);
        } else if (lines.containsKey(up)) {
          path.add(up);
          above.add(above(lines, up));
        }
      }
    }
    return order.stream().map(name -> Objects.requireNonNull(lines.get(name))).toList();
  }

  private static Iterator<String> above(Map<String, Line> lines, String name) {
    return Objects.requireNonNull(lines.get(name)).above().iterator();
  }

  private void circle(List<String> cycle, Set<String> inCycle, Map<String, Fields> sources) {
    String at = cycle.get(0);
    Fields fields = sources.get(at);
    if (inCycle.addAll(cycle) && fields != null) {
      problems.add(
          fields.at("parent"),
          "these lines are built on each other in a circle: "
              + String.join(" -> ", cycle)
              + " -> "
              + at
              + "; one of them needs another parent");
    }
  }

  private void warn(Declaration declaration, Fields top, Map<String, Position> places) {
    Set<String> used = new LinkedHashSet<>();
    for (Line line : declaration.lines().values()) {
      Position place = places.get(line.name());
      Contract contract = declaration.contract(line.name());
      used.addAll(contract.capabilities());
      if (contract.capabilities().isEmpty()) {
        problems.warn(
            place,
            "line '"
                + line.name()
                + "': its contract names no capability, so no release of it can be judged");
      }
      if (line.recipe() == null && line.merge() == null && line.tier() == Tier.APPLICATION_MODEL) {
        problems.warn(
            place,
            "line '"
                + line.name()
                + "': has no recipe, so it can be kept or transplanted, never retrained");
      }
    }
    for (String capability : declaration.capabilities().keySet()) {
      if (!used.contains(capability)) {
        problems.warn(
            top.key("capabilities", capability),
            "capability '" + capability + "': no contract names it, so nothing is measured by it");
      }
    }
  }
}
