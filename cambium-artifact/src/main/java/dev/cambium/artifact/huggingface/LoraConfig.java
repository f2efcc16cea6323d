package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.cambium.model.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The shape of a low-rank adapter (Hu et al., 2021), as {@code adapter_config.json} of the PEFT
 * layout tells it. Which modules a configuration reaches, and with which rank and scale, is told by
 * {@link #plan}, by PEFT's own rules of matching.
 *
 * @param rank of the update, where no pattern says otherwise
 * @param alpha numerator of the update's scale, where no pattern says otherwise
 * @param rankStabilized whether the scale is alpha / √rank (Kalajdzievski, 2023), not alpha / rank
 * @param dora whether every row of an adapted matrix has a learned length (Liu et al., 2024)
 * @param targets modules that get an update
 * @param excluded modules that do not, though they are targets
 * @param layers the layers that targets given by a list of names are looked for in; empty for all
 * @param layersPattern names of the lists of layers that {@code layers} counts in; empty for any
 * @param rankPattern rank by a regular expression of the end of a module's name; the first counts
 * @param alphaPattern alpha, likewise
 * @param savedModules ends of the names of modules that are trained and stored whole
 * @param baseModel what the file names as the base; for people only
 */
public record LoraConfig(
    int rank,
    double alpha,
    boolean rankStabilized,
    boolean dora,
    Modules targets,
    Modules excluded,
    List<Integer> layers,
    List<String> layersPattern,
    Map<String, Integer> rankPattern,
    Map<String, Double> alphaPattern,
    List<String> savedModules,
    @Nullable String baseModel) {

  static final String FILE = "adapter_config.json";
  private static final String ALL_LINEAR = "all-linear";
  private static final int MAX_LENGTH = 2_000;
  private static final int MAX_COPIES = 1_000;
  private static final Pattern COUNT = Pattern.compile("\\{(?:\\d*,)?(\\d{1,5})(?:,\\d*)?}");
  private static final Pattern AROUND = Pattern.compile("\\(\\?<?[=!]|\\\\[1-9]|\\(\\?P=");
  private static final int MAX_RANK = 1 << 20;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Fields whose every other value would change the computation, with the values that do not. */
  private static final Map<String, Set<String>> NEUTRAL =
      Map.ofEntries(
          Map.entry("task_type", Set.of("\"CAUSAL_LM\"")),
          Map.entry("bias", Set.of("\"none\"")),
          Map.entry("fan_in_fan_out", Set.of("false")),
          Map.entry("layer_replication", Set.of("[]")),
          Map.entry("lora_bias", Set.of("false")),
          Map.entry("use_qalora", Set.of("false")),
          Map.entry("use_bdlora", Set.of("false")),
          Map.entry("alora_invocation_tokens", Set.of("[]")),
          Map.entry("target_parameters", Set.of("[]")),
          Map.entry("trainable_token_indices", Set.of("[]", "{}")),
          Map.entry("arrow_config", Set.of()),
          Map.entry("kasa_config", Set.of()),
          Map.entry("monteclora_config", Set.of()),
          Map.entry("velora_config", Set.of()));

  /**
   * A choice of modules.
   *
   * @param names whole names, or ends of names from a dot on
   * @param pattern a regular expression of whole names, or {@code all-linear}; in place of names
   */
  public record Modules(List<String> names, @Nullable String pattern) {

    /** No module. */
    public static final Modules NONE = new Modules(List.of(), null);

    public Modules {
      names = List.copyOf(new LinkedHashSet<>(names));
    }

    boolean isAllLinear() {
      return ALL_LINEAR.equalsIgnoreCase(pattern);
    }

    boolean isEmpty() {
      return names.isEmpty() && pattern == null;
    }

    boolean matches(String module) {
      if (pattern != null) {
        return LoraConfig.pattern(pattern).matcher(module).matches();
      }
      return names.contains(module) || names.stream().anyMatch(n -> module.endsWith("." + n));
    }

    JsonNode toJson() {
      if (pattern != null) {
        return JSON.getNodeFactory().textNode(pattern);
      }
      var array = JSON.createArrayNode();
      names.forEach(array::add);
      return array;
    }
  }

  /**
   * What an adapter does to one linear module.
   *
   * @param rank of its update
   * @param scale factor of its update
   */
  public record Target(int rank, double scale) {}

  /**
   * What a configuration comes to on a base.
   *
   * @param targets the modules with an update, by name, in the order of the base's weights
   * @param saved the modules that are stored whole, by name
   * @param unsupported matched modules that cannot be adapted, each with the field that matched it
   * @param unmatched entries of {@code target_modules} and {@code modules_to_save} that match
   *     nothing
   */
  public record Plan(
      Map<String, Target> targets,
      SortedSet<String> saved,
      SortedMap<String, String> unsupported,
      List<String> unmatched) {}

  public LoraConfig {
    if (rank < 1 || !(alpha > 0)) {
      throw new IllegalArgumentException(
          "lora: rank >= 1 and alpha > 0, not " + rank + ", " + alpha);
    }
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("lora: no target modules");
    }
    layers = List.copyOf(layers);
    layersPattern = List.copyOf(layersPattern);
    rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
    alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
    savedModules = List.copyOf(savedModules);
  }

  /**
   * The shape a recipe asks for.
   *
   * @throws IllegalArgumentException naming a pattern that cannot be used
   */
  public static LoraConfig of(Recipe.Lora lora) {
    for (Set<String> patterns :
        List.of(lora.rankPattern().keySet(), lora.alphaPattern().keySet())) {
      for (String one : patterns) {
        try {
          pattern(one);
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "lora: the pattern '" + one + "': " + e.getMessage(), e);
        }
      }
    }
    return new LoraConfig(
        lora.rank(),
        lora.alpha(),
        lora.rankStabilized(),
        lora.dora(),
        new Modules(lora.targets(), null),
        Modules.NONE,
        List.of(),
        List.of(),
        lora.rankPattern(),
        lora.alphaPattern(),
        lora.savedModules(),
        null);
  }

  /** The same shape, naming another base. */
  public LoraConfig withBaseModel(@Nullable String name) {
    return new LoraConfig(
        rank,
        alpha,
        rankStabilized,
        dora,
        targets,
        excluded,
        layers,
        layersPattern,
        rankPattern,
        alphaPattern,
        savedModules,
        name);
  }

  /**
   * Which modules of a base it reaches.
   *
   * @param weights names of the base's weights, such as {@code model.norm.weight}
   */
  public Plan plan(Collection<String> weights) {
    Set<String> modules = new LinkedHashSet<>();
    for (String weight : weights) {
      if (weight.endsWith(".weight")) {
        modules.add(weight.substring(0, weight.length() - ".weight".length()));
      }
    }
    modules.add("lm_head"); // a module of its own even where its weight is the embedding's
    Set<String> containers = new TreeSet<>();
    for (String module : modules) {
      for (int dot = module.indexOf('.'); dot > 0; dot = module.indexOf('.', dot + 1)) {
        containers.add(module.substring(0, dot));
      }
    }
    Map<String, Target> adapted = new LinkedHashMap<>();
    SortedSet<String> saved = new TreeSet<>();
    SortedMap<String, String> unsupported = new TreeMap<>();
    for (String module : modules) {
      boolean projection = isProjection(module);
      if (savedModules.stream().anyMatch(module::endsWith)) {
        if (projection) {
          unsupported.put(module, "modules_to_save");
        } else {
          saved.add(module);
        }
      }
      if (isTarget(module, projection)) {
        if (projection) {
          adapted.put(module, targetOf(module));
        } else {
          unsupported.put(module, "target_modules");
        }
      }
    }
    for (String container : containers) {
      if (savedModules.stream().anyMatch(container::endsWith)) {
        unsupported.put(container, "modules_to_save");
      }
    }
    List<String> unmatched = new ArrayList<>();
    for (String name : targets.names) {
      if (modules.stream().noneMatch(m -> m.equals(name) || m.endsWith("." + name))) {
        unmatched.add(name);
      }
    }
    for (String name : savedModules) {
      if (modules.stream().noneMatch(m -> m.endsWith(name))
          && containers.stream().noneMatch(m -> m.endsWith(name))) {
        unmatched.add(name);
      }
    }
    return new Plan(
        Collections.unmodifiableMap(adapted),
        Collections.unmodifiableSortedSet(saved),
        Collections.unmodifiableSortedMap(unsupported),
        List.copyOf(unmatched));
  }

  private static boolean isProjection(String module) {
    return Projection.ofLabel(module.substring(module.lastIndexOf('.') + 1)).isPresent();
  }

  private boolean isTarget(String module, boolean projection) {
    if (excluded.matches(module)
        || savedModules.stream()
            .anyMatch(s -> pattern("(^|.*\\.)" + s + "($|\\..*)").matcher(module).lookingAt())) {
      return false;
    }
    if (targets.isAllLinear()) {
      return projection;
    }
    if (targets.pattern != null || targets.names.contains(module)) {
      return targets.matches(module);
    }
    return targets.matches(module) && (layers.isEmpty() || layers.contains(layerOf(module)));
  }

  private int layerOf(String module) {
    List<Pattern> patterns =
        layersPattern.isEmpty()
            ? List.of(Pattern.compile(".*?\\.[^.]*\\.(\\d{1,5})\\."))
            : layersPattern.stream()
                .map(p -> pattern("(?:^|.*?\\.)(?:" + p + ")\\.(?P<idx>\\d{1,5})\\."))
                .toList();
    for (Pattern pattern : patterns) {
      Matcher matcher = pattern.matcher(module);
      if (matcher.lookingAt()) {
        return Integer.parseInt(layersPattern.isEmpty() ? matcher.group(1) : matcher.group("idx"));
      }
    }
    return -1;
  }

  private Target targetOf(String module) {
    int r = firstMatch(rankPattern, module).orElse(rank);
    double a = firstMatch(alphaPattern, module).orElse(alpha);
    return new Target(r, a / (rankStabilized ? Math.sqrt(r) : r));
  }

  private static <T> Optional<T> firstMatch(Map<String, T> patterns, String module) {
    return patterns.entrySet().stream()
        .filter(e -> pattern("(.*\\.)?(" + e.getKey() + ")$").matcher(module).lookingAt())
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /**
   * A pattern as Python writes it. Configurations come from anywhere, so it is matched in time that
   * grows with the name only, which leaves out what looks around or back.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  private static Pattern pattern(String python) {
    long copies = 1;
    for (Matcher count = COUNT.matcher(python); count.find(); ) {
      copies *= Math.max(1, Integer.parseInt(count.group(1)));
      if (copies > MAX_COPIES) {
        throw new IllegalArgumentException("it repeats more than " + MAX_COPIES + " times");
      }
    }
    if (python.length() > MAX_LENGTH) {
      throw new IllegalArgumentException("it has more than " + MAX_LENGTH + " characters");
    }
    try {
      return Pattern.compile(python.replace("\\Z", "\\z"));
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          e.getDescription()
              + (AROUND.matcher(python).find()
                  ? "; what looks ahead, behind or back is not supported: list the modules' names"
                  : ""),
          e);
    }
  }

  /**
   * Reads {@code adapter_config.json} of a PEFT directory.
   *
   * @throws IllegalArgumentException naming every field that is wrong, or changes the computation
   *     in a way not known here
   */
  public static LoraConfig read(Path directory) {
    Findings findings = new Findings();
    Folder folder = new Folder(directory, findings);
    Optional<LoraConfig> config =
        folder.has(FILE)
            ? JsonFile.read(folder, FILE, findings).flatMap(file -> read(file, findings))
            : Optional.empty();
    List<Problem> refused =
        findings.result("", Inspection.Kind.ADAPTER, List.of()).problems().stream()
            .filter(p -> p.severity() == Problem.Severity.REFUSED)
            .toList();
    if (config.isEmpty() || !refused.isEmpty()) {
      throw new IllegalArgumentException(
          directory
              + ": "
              + (refused.isEmpty()
                  ? "no " + FILE
                  : refused.stream().map(Problem::line).collect(Collectors.joining("; "))));
    }
    return config.get();
  }

  /** Reads a configuration; empty, with problems, if it cannot be told what it asks for. */
  static Optional<LoraConfig> read(JsonFile file, Findings findings) {
    String type = file.text("peft_type").orElse("");
    findings.architecture(type);
    if (!type.equals("LORA")) {
      findings.refuse(
          file.name(),
          "peft_type",
          JsonFile.shown(file.tree().path("peft_type")),
          "\"LORA\"",
          "This version supports no other kind of adapter.");
      return Optional.empty();
    }
    NEUTRAL.forEach(file::onlyNeutral);
    JsonNode mapping = file.tree().path("auto_mapping");
    if (mapping.isObject() && !mapping.path("base_model_class").asText().endsWith("ForCausalLM")) {
      file.refuse("auto_mapping", JsonFile.shown(mapping), "a base class …ForCausalLM");
    }
    int rank = file.positive("r", 0, MAX_RANK);
    double alpha = file.positiveNumber(file.tree(), "lora_alpha", "lora_alpha", null);
    boolean rankStabilized = file.flag("use_rslora");
    boolean dora = file.flag("use_dora");
    Optional<Modules> targets = modules(file, "target_modules");
    Optional<Modules> excluded = modules(file, "exclude_modules");
    if (targets.isPresent() && targets.get().isEmpty()) {
      file.refuse(
          "target_modules",
          JsonFile.shown(file.tree().path("target_modules")),
          "names of modules, a regular expression, or \"all-linear\"");
      targets = Optional.empty();
    }
    List<Integer> layers = new ArrayList<>();
    JsonNode only = file.tree().path("layers_to_transform");
    for (JsonNode layer : only.isArray() ? only : List.of(only)) {
      if (layer.isInt() && layer.asInt() >= 0) {
        layers.add(layer.asInt());
      } else if (!layer.isNull() && !layer.isMissingNode()) {
        file.refuse("layers_to_transform", JsonFile.shown(only), "numbers of layers");
        break;
      }
    }
    List<String> layersPattern = texts(file, "layers_pattern", true);
    boolean readable = true;
    for (String pattern : layersPattern) {
      readable &= checkPattern(file, "layers_pattern", pattern);
    }
    List<String> saved = texts(file, "modules_to_save", false);
    for (String pattern : saved) {
      readable &= checkPattern(file, "modules_to_save", pattern);
    }
    Map<String, Integer> ranks = new LinkedHashMap<>();
    patterns(file, "rank_pattern")
        .forEach(
            (pattern, value) -> {
              if (value.isInt() && value.asInt() >= 1 && value.asInt() <= MAX_RANK) {
                ranks.put(pattern, value.asInt());
              } else {
                file.refuse("rank_pattern." + pattern, JsonFile.shown(value), "a whole number > 0");
              }
            });
    Map<String, Double> alphas = new LinkedHashMap<>();
    patterns(file, "alpha_pattern")
        .forEach(
            (pattern, value) -> {
              if (value.isNumber() && value.asDouble() > 0) {
                alphas.put(pattern, value.asDouble());
              } else {
                file.refuse("alpha_pattern." + pattern, JsonFile.shown(value), "a number above 0");
              }
            });
    if (!readable || rank == 0 || Double.isNaN(alpha) || targets.isEmpty() || excluded.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new LoraConfig(
            rank,
            alpha,
            rankStabilized,
            dora,
            targets.get(),
            excluded.get(),
            layers,
            layersPattern,
            ranks,
            alphas,
            saved,
            file.text("base_model_name_or_path").orElse(null)));
  }

  private static Optional<Modules> modules(JsonFile file, String key) {
    JsonNode value = file.tree().path(key);
    if (value.isTextual() && !value.asText().isEmpty()) {
      boolean fine =
          value.asText().equalsIgnoreCase(ALL_LINEAR) || checkPattern(file, key, value.asText());
      return fine ? Optional.of(new Modules(List.of(), value.asText())) : Optional.empty();
    }
    return Optional.of(new Modules(texts(file, key, false), null));
  }

  private static List<String> texts(JsonFile file, String key, boolean orOne) {
    JsonNode value = file.tree().path(key);
    if (orOne && value.isTextual()) {
      return value.asText().isEmpty() ? List.of() : List.of(value.asText());
    }
    List<String> texts = new ArrayList<>();
    if (value.isArray() && IntStream.range(0, value.size()).allMatch(i -> isName(value.get(i)))) {
      value.forEach(v -> texts.add(v.asText()));
    } else if (!value.isMissingNode() && !value.isNull()) {
      file.refuse(key, JsonFile.shown(value), "a list of names");
    }
    return texts;
  }

  private static boolean isName(JsonNode value) {
    return value.isTextual() && !value.asText().isBlank();
  }

  private static Map<String, JsonNode> patterns(JsonFile file, String key) {
    JsonNode value = file.tree().path(key);
    Map<String, JsonNode> patterns = new LinkedHashMap<>();
    if (value.isObject()) {
      value
          .properties()
          .forEach(
              e -> {
                if (checkPattern(file, key, e.getKey())) {
                  patterns.put(e.getKey(), e.getValue());
                }
              });
    } else if (!value.isMissingNode() && !value.isNull()) {
      file.refuse(key, JsonFile.shown(value), "an object of numbers by module");
    }
    return patterns;
  }

  private static boolean checkPattern(JsonFile file, String key, String pattern) {
    try {
      pattern("(" + pattern + ")");
      return true;
    } catch (IllegalArgumentException e) {
      file.refuse(key, pattern, "a regular expression; " + e.getMessage());
      return false;
    }
  }

  /** As {@code adapter_config.json} has it. */
  public String toJson() {
    ObjectNode tree = JSON.createObjectNode();
    ObjectNode alphas = JSON.createObjectNode();
    alphaPattern.forEach((pattern, value) -> putNumber(alphas, pattern, value));
    tree.set("alpha_pattern", alphas);
    tree.put("base_model_name_or_path", baseModel);
    tree.put("bias", "none");
    if (!excluded.isEmpty()) {
      tree.set("exclude_modules", excluded.toJson());
    }
    tree.put("fan_in_fan_out", false);
    tree.put("inference_mode", true);
    tree.put("init_lora_weights", true);
    if (!layersPattern.isEmpty()) {
      layersPattern.forEach(tree.putArray("layers_pattern")::add);
    }
    if (!layers.isEmpty()) {
      layers.forEach(tree.putArray("layers_to_transform")::add);
    }
    putNumber(tree, "lora_alpha", alpha);
    tree.put("lora_dropout", 0.0);
    if (!savedModules.isEmpty()) {
      savedModules.forEach(tree.putArray("modules_to_save")::add);
    }
    tree.put("peft_type", "LORA");
    tree.put("r", rank);
    rankPattern.forEach(tree.putObject("rank_pattern")::put);
    tree.set("target_modules", targets.toJson());
    tree.put("task_type", "CAUSAL_LM");
    tree.put("use_dora", dora);
    tree.put("use_rslora", rankStabilized);
    return tree.toPrettyString() + "\n";
  }

  private static void putNumber(ObjectNode tree, String key, double value) {
    if (value == Math.rint(value)) {
      tree.put(key, (long) value);
    } else {
      tree.put(key, value);
    }
  }
}
