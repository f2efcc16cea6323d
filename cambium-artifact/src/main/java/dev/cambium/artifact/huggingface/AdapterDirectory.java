package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A PEFT adapter directory: {@code adapter_config.json} and {@code adapter_model.safetensors}. */
public final class AdapterDirectory {

  static final String CONFIG = "adapter_config.json";
  static final String WEIGHTS = "adapter_model.safetensors";

  private static final String PREFIX = "base_model.model.model.layers.";
  private static final Pattern LAYER = Pattern.compile(Pattern.quote(PREFIX) + "(\\d{1,5})\\..*");
  private static final int MAX_RANK = 1 << 20;

  /** Fields whose every other value would change the computation, with the values that do not. */
  private static final Map<String, Set<String>> NEUTRAL =
      Map.ofEntries(
          Map.entry("task_type", Set.of("\"CAUSAL_LM\"")),
          Map.entry("bias", Set.of("\"none\"")),
          Map.entry("use_dora", Set.of("false")),
          Map.entry("fan_in_fan_out", Set.of("false")),
          Map.entry("modules_to_save", Set.of("[]")),
          Map.entry("layers_to_transform", Set.of("[]")),
          Map.entry("layers_pattern", Set.of("[]")),
          Map.entry("layer_replication", Set.of("[]")),
          Map.entry("exclude_modules", Set.of("[]")),
          Map.entry("rank_pattern", Set.of("{}")),
          Map.entry("alpha_pattern", Set.of("{}")),
          Map.entry("lora_bias", Set.of("false")),
          Map.entry("use_qalora", Set.of("false")),
          Map.entry("use_bdlora", Set.of("false")),
          Map.entry("alora_invocation_tokens", Set.of("[]")),
          Map.entry("target_parameters", Set.of("[]")),
          Map.entry("trainable_token_indices", Set.of("[]", "{}")),
          Map.entry("auto_mapping", Set.of()));

  private AdapterDirectory() {}

  /**
   * Looks at an adapter without its base: shapes are checked only for agreeing with each other, and
   * the number of layers is taken from the tensors.
   *
   * @throws java.io.UncheckedIOException if the directory cannot be read
   */
  public static Inspection inspect(Path path) {
    return inspect(path, Optional.empty());
  }

  /**
   * Looks at an adapter that is to go on a base: every layer's targets must be there, with the
   * shapes of the base, and nothing else.
   *
   * @param base the base's Hugging Face model directory
   * @throws java.io.UncheckedIOException if a directory cannot be read
   */
  public static Inspection inspect(Path path, Path base) {
    return inspect(path, Optional.of(base));
  }

  private static Inspection inspect(Path path, Optional<Path> base) {
    Findings findings = new Findings();
    Folder folder = new Folder(path, findings);
    Optional<DecoderConfig> shape = base.flatMap(b -> shapeOf(b, findings));
    findings.fact("checked against", base.map(Path::toString).orElse("no base"));
    boolean isAdapter = folder.has(CONFIG);
    Optional<Lora> lora = Optional.empty();
    if (isAdapter) {
      folder.take(CONFIG);
      lora = JsonFile.read(folder, CONFIG, findings).flatMap(c -> Lora.read(c, findings));
    } else {
      findings.refuse(
          CONFIG,
          "",
          "no such file",
          "the configuration of a PEFT adapter",
          "Give the directory that holds it.");
    }
    if (folder.has(WEIGHTS)) {
      folder.take(WEIGHTS);
      checkWeights(folder, lora, shape, findings);
    } else {
      List<String> pickles = folder.files().stream().filter(Folder::isPickle).toList();
      findings.refuse(
          WEIGHTS,
          "",
          pickles.isEmpty() ? "no such file" : "no such file, only pickles: " + pickles,
          "the adapter's weights",
          pickles.isEmpty()
              ? "Add the weights."
              : "Pickle can run code and is never read. Save the adapter as safetensors.");
    }
    folder.namePickles();
    base.ifPresent(b -> checkTokenizer(folder, b, findings));
    if (folder.has("README.md")) {
      folder.take("README.md");
    }
    return findings.result(
        path.toString(),
        isAdapter ? Inspection.Kind.ADAPTER : Inspection.Kind.UNKNOWN,
        folder.ignored());
  }

  /** What of the configuration the weights depend on. */
  private record Lora(int rank, EnumSet<Projection> targets) {

    static Optional<Lora> read(JsonFile config, Findings findings) {
      String type = config.text("peft_type").orElse("");
      findings.architecture(type);
      if (!type.equals("LORA")) {
        findings.refuse(
            config.name(),
            "peft_type",
            JsonFile.shown(config.tree().path("peft_type")),
            "\"LORA\"",
            "This version supports no other kind of adapter.");
        return Optional.empty();
      }
      NEUTRAL.forEach(config::onlyNeutral);
      int rank = config.positive("r", 0, MAX_RANK);
      double alpha = config.positiveNumber(config.tree(), "lora_alpha", "lora_alpha", null);
      boolean rankStabilized = config.flag("use_rslora");
      EnumSet<Projection> targets = targets(config, findings);
      findings.fact("rank", rank);
      findings.fact("alpha", alpha);
      findings.fact("scale", alpha / (rankStabilized ? Math.sqrt(rank) : rank));
      findings.fact("targets", targets.stream().map(Projection::label).toList());
      config.text("base_model_name_or_path").ifPresent(b -> findings.fact("made for", b));
      return rank == 0 || targets.isEmpty()
          ? Optional.empty()
          : Optional.of(new Lora(rank, targets));
    }

    private static EnumSet<Projection> targets(JsonFile config, Findings findings) {
      EnumSet<Projection> targets = EnumSet.noneOf(Projection.class);
      JsonNode modules = config.tree().path("target_modules");
      if (modules.asText().equals("all-linear")) {
        return EnumSet.allOf(Projection.class);
      }
      if (!modules.isArray() || modules.isEmpty()) {
        config.refuse(
            "target_modules", JsonFile.shown(modules), "a list of projections, or \"all-linear\"");
        return targets;
      }
      List<String> others = new ArrayList<>();
      for (JsonNode module : modules) {
        Optional<Projection> projection = Projection.ofLabel(module.asText());
        if (projection.isEmpty() || !targets.add(projection.get())) {
          others.add(projection.map(p -> p.label() + " twice").orElse(module.asText()));
        }
      }
      if (!others.isEmpty()) {
        findings.refuse(
            config.name(),
            "target_modules",
            String.join(", ", others),
            "each of "
                + Arrays.stream(Projection.values()).map(Projection::label).toList()
                + " at most once",
            "Name the projections alone, without their layers: they are adapted in every layer.");
        targets.clear();
      }
      return targets;
    }
  }

  /** A base's shape; without problems of its own, which its own inspection names. */
  private static Optional<DecoderConfig> shapeOf(Path base, Findings findings) {
    Findings ofBase = new Findings();
    Folder folder = new Folder(base, ofBase);
    Optional<DecoderConfig> shape =
        folder.has(ModelDirectory.CONFIG)
            ? JsonFile.read(folder, ModelDirectory.CONFIG, ofBase)
                .flatMap(config -> DecoderConfig.read(config, ofBase))
            : Optional.empty();
    if (shape.isEmpty()) {
      findings.refuse(
          ".",
          "base",
          base + ", which is not a supported model",
          "the model that the adapter goes on",
          "Inspect the base itself: it says what is wrong there.");
    }
    return shape;
  }

  private static void checkWeights(
      Folder folder, Optional<Lora> lora, Optional<DecoderConfig> shape, Findings findings) {
    try (Weights weights = new Weights(findings)) {
      if (!weights.add(WEIGHTS, folder.file(WEIGHTS))) {
        return;
      }
      lora.ifPresent(
          l ->
              weights.checkCoverage(
                  expected(l, shape, weights),
                  WEIGHTS,
                  shape.isPresent() ? CONFIG + " and the base" : CONFIG,
                  "An adapter fits only the base that it was trained on; another base needs a"
                      + " transfer."));
      weights.checkTypes();
      weights.scan();
      checkEffect(weights, findings);
    }
  }

  private static SortedMap<String, List<Long>> expected(
      Lora lora, Optional<DecoderConfig> shape, Weights weights) {
    int layers = shape.map(DecoderConfig::layers).orElseGet(() -> layersIn(weights));
    long rank = lora.rank();
    SortedMap<String, List<Long>> expected = new TreeMap<>();
    for (Projection target : lora.targets()) {
      for (int layer = 0; layer < layers; layer++) {
        String module = PREFIX + layer + "." + target.path();
        String down = module + ".lora_A.weight";
        String up = module + ".lora_B.weight";
        // Without a base, the first layer's inputs and outputs are what the others must have.
        String first = PREFIX + "0." + target.path();
        long outputs =
            shape
                .map(s -> s.shapeOf(target).get(0))
                .orElseGet(() -> sizeOf(weights, first + ".lora_B.weight", 0));
        long inputs =
            shape
                .map(s -> s.shapeOf(target).get(1))
                .orElseGet(() -> sizeOf(weights, first + ".lora_A.weight", 1));
        expected.put(down, List.of(rank, inputs));
        expected.put(up, List.of(outputs, rank));
      }
    }
    return expected;
  }

  private static long sizeOf(Weights weights, String tensor, int dimension) {
    return weights
        .shapeOf(tensor)
        .filter(shape -> shape.size() == 2)
        .map(shape -> shape.get(dimension))
        .orElse(0L);
  }

  private static int layersIn(Weights weights) {
    int layers = 1;
    for (String name : weights.names()) {
      Matcher matcher = LAYER.matcher(name);
      if (matcher.matches()) {
        layers = Math.max(layers, Integer.parseInt(matcher.group(1)) + 1);
      }
    }
    return layers;
  }

  /** B starts as zero (Hu et al., 2021): an adapter whose every B is still so changes nothing. */
  private static void checkEffect(Weights weights, Findings findings) {
    List<String> ups =
        weights.names().stream().filter(name -> name.endsWith(".lora_B.weight")).toList();
    List<String> zero = new ArrayList<>(ups.stream().filter(weights::isZero).toList());
    if (zero.isEmpty()) {
      return;
    }
    if (zero.size() == ups.size()) {
      findings.refuse(
          WEIGHTS,
          "lora_B",
          "only zeros in all " + ups.size() + " of them",
          "an adapter that changes its base",
          "It was saved before it was trained; save the trained one.");
    } else {
      findings.warn(
          WEIGHTS,
          zero.get(0),
          "only zeros" + (zero.size() > 1 ? ", as in " + (zero.size() - 1) + " more" : ""),
          "trained weights",
          "These modules are as in the base; check that training reached them.");
    }
  }

  private static void checkTokenizer(Folder folder, Path base, Findings findings) {
    Folder ofBase = new Folder(base, new Findings());
    if (!folder.has(ModelDirectory.TOKENIZER) || !ofBase.has(ModelDirectory.TOKENIZER)) {
      return;
    }
    Optional<JsonNode> own =
        JsonFile.read(folder, ModelDirectory.TOKENIZER, findings).map(JsonFile::tree);
    Optional<JsonNode> theirs =
        JsonFile.read(ofBase, ModelDirectory.TOKENIZER, new Findings()).map(JsonFile::tree);
    if (own.isPresent() && !own.equals(theirs)) {
      findings.refuse(
          ModelDirectory.TOKENIZER,
          "",
          "another tokenizer than the base's",
          "the base's own, or none",
          "An adapter is used with its base's tokens; one trained with others does not fit it.");
    }
  }
}
