package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A PEFT adapter directory: {@code adapter_config.json} and {@code adapter_model.safetensors}. */
public final class AdapterDirectory {

  /** The file of an adapter's tensors. */
  public static final String WEIGHTS = "adapter_model.safetensors";

  static final String CONFIG = LoraConfig.FILE;

  private static final String EMBEDDING = "model.embed_tokens";
  private static final String HEAD = "lm_head";
  private static final Pattern LAYER =
      Pattern.compile(Pattern.quote(AdapterKeys.PREFIX) + "model\\.layers\\.(\\d{1,4})\\..*");

  /** Files of a tokenizer with tokens of the adapter's own. */
  private static final List<String> TEXT =
      List.of(
          ModelDirectory.TOKENIZER,
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "chat_template.jinja");

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
   * Looks at an adapter that is to go on a base: every target must be there, with the shapes of the
   * base, and nothing else.
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
    Optional<LoraConfig> config = Optional.empty();
    if (isAdapter) {
      folder.take(CONFIG);
      config = JsonFile.read(folder, CONFIG, findings).flatMap(c -> LoraConfig.read(c, findings));
    } else {
      findings.refuse(
          CONFIG,
          "",
          "no such file",
          "the configuration of a PEFT adapter",
          "Give the directory that holds it.");
    }
    config.ifPresent(c -> tell(c, findings));
    long vocabulary = shape.map(s -> (long) s.vocabularySize()).orElse(0L);
    if (folder.has(WEIGHTS)) {
      folder.take(WEIGHTS);
      vocabulary = Math.max(vocabulary, checkWeights(folder, config, shape, findings));
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
    if (base.isPresent()) {
      checkTokenizer(folder, base.get(), vocabulary, findings);
      config
          .flatMap(c -> Optional.ofNullable(c.baseModel()))
          .ifPresent(name -> checkBase(path, name, base.get(), findings));
    }
    if (folder.has("README.md")) {
      folder.take("README.md");
    }
    return findings.result(
        path.toString(),
        isAdapter ? Inspection.Kind.ADAPTER : Inspection.Kind.UNKNOWN,
        folder.ignored());
  }

  private static void tell(LoraConfig config, Findings findings) {
    findings.fact("rank", config.rank());
    findings.fact("alpha", config.alpha());
    findings.fact(
        "scale",
        config.alpha() / (config.rankStabilized() ? Math.sqrt(config.rank()) : config.rank()));
    findings.fact(
        "targets",
        config.targets().pattern() == null ? config.targets().names() : config.targets().pattern());
    if (config.dora()) {
      findings.fact("magnitudes", "learned (DoRA)");
    }
    if (!config.savedModules().isEmpty()) {
      findings.fact("stored whole", config.savedModules());
    }
    if (!config.rankPattern().isEmpty() || !config.alphaPattern().isEmpty()) {
      findings.fact(
          "patterns", "rank " + config.rankPattern() + ", alpha " + config.alphaPattern());
    }
    if (config.baseModel() != null) {
      findings.fact("made for", config.baseModel());
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

  /** Returns the rows of the embedding that the adapter brings; 0 if none. */
  private static long checkWeights(
      Folder folder,
      Optional<LoraConfig> config,
      Optional<DecoderConfig> shape,
      Findings findings) {
    try (Weights weights = new Weights(findings)) {
      if (!weights.add(WEIGHTS, folder.file(WEIGHTS))) {
        return 0;
      }
      Map<String, String> found = spellings(weights, findings);
      if (config.isPresent() && !found.isEmpty()) {
        SortedMap<String, List<Long>> expected = new TreeMap<>();
        expected(config.get(), shape, weights, found, findings)
            .forEach((name, s) -> expected.put(found.getOrDefault(name, name), s));
        weights.checkCoverage(
            expected,
            WEIGHTS,
            shape.isPresent() ? CONFIG + " and the base" : CONFIG,
            "An adapter fits only the base that it was trained on; another base needs a"
                + " transfer.");
      }
      weights.checkTypes();
      weights.scan();
      checkEffect(weights, found, findings);
      return rows(weights, found, EMBEDDING);
    }
  }

  /** The names in the file by PEFT's names; empty, with a problem, if they cannot be told apart. */
  private static Map<String, String> spellings(Weights weights, Findings findings) {
    Map<String, String> found = new TreeMap<>();
    try {
      AdapterKeys.canonical(weights.names()).forEach((name, peft) -> found.put(peft, name));
    } catch (IllegalArgumentException e) {
      findings.refuse(
          WEIGHTS,
          "",
          String.valueOf(e.getMessage()),
          "the tensors of one adapter",
          "Save each adapter by itself.");
    }
    return found;
  }

  private static SortedMap<String, List<Long>> expected(
      LoraConfig config,
      Optional<DecoderConfig> shape,
      Weights weights,
      Map<String, String> found,
      Findings findings) {
    Collection<String> ofBase =
        shape.isPresent() ? shape.get().tensors().keySet() : layersAsIn(found.keySet());
    LoraConfig.Plan plan = config.plan(ofBase);
    plan.unsupported()
        .forEach(
            (module, field) ->
                findings.refuseEach(
                    "modules that cannot be adapted so",
                    CONFIG,
                    field,
                    module,
                    field.equals("target_modules")
                        ? "projections of attention and MLP"
                        : "embed_tokens, lm_head and norms",
                    "Train the adapter without it."));
    if (!plan.unmatched().isEmpty()) {
      findings.warn(
          CONFIG,
          "target_modules, modules_to_save",
          String.join(", ", plan.unmatched()),
          "names of modules of the base",
          "They match nothing, and do nothing, as in PEFT.");
    }
    if (plan.targets().isEmpty() && plan.unsupported().isEmpty()) {
      findings.refuse(
          CONFIG,
          "target_modules",
          config.targets().toJson().toString(),
          "some module of the base",
          "Check the names and the layers.");
    }
    SortedMap<String, List<Long>> expected = new TreeMap<>();
    plan.targets()
        .forEach(
            (module, target) -> {
              Projection projection =
                  Projection.ofLabel(module.substring(module.lastIndexOf('.') + 1)).orElseThrow();
              String name = AdapterKeys.PREFIX + module;
              // Without a base, the first layer's inputs and outputs are what the others must have.
              Optional<String> first =
                  plan.targets().keySet().stream()
                      .filter(m -> m.endsWith("." + projection.label()))
                      .findFirst();
              String like = AdapterKeys.PREFIX + first.orElse(module);
              long outputs =
                  shape
                      .map(s -> s.shapeOf(projection).get(0))
                      .orElseGet(() -> sizeOf(weights, found, like + ".lora_B.weight", 0));
              long inputs =
                  shape
                      .map(s -> s.shapeOf(projection).get(1))
                      .orElseGet(() -> sizeOf(weights, found, like + ".lora_A.weight", 1));
              expected.put(name + ".lora_A.weight", List.of((long) target.rank(), inputs));
              expected.put(name + ".lora_B.weight", List.of(outputs, (long) target.rank()));
              if (config.dora()) {
                expected.put(name + ".lora_magnitude_vector", List.of(outputs));
              }
            });
    Set<String> whole = new TreeSet<>(plan.saved());
    // Stored with an adapter whose training added tokens, though the configuration names neither.
    whole.add(EMBEDDING);
    whole.add(HEAD);
    long rows = Math.max(rows(weights, found, EMBEDDING), rows(weights, found, HEAD));
    for (String module : whole) {
      String name = AdapterKeys.PREFIX + module + ".weight";
      if (!plan.saved().contains(module) && !found.containsKey(name)) {
        continue;
      }
      boolean embedding = module.equals(EMBEDDING) || module.equals(HEAD);
      expected.put(
          name,
          shape.isEmpty()
              ? weights.shapeOf(found.getOrDefault(name, name)).orElse(List.of())
              : embedding
                  ? List.of(
                      rows == 0 ? (long) shape.get().vocabularySize() : rows,
                      (long) shape.get().hiddenSize())
                  : shape.get().tensors().get(module + ".weight"));
    }
    shape.ifPresent(s -> checkRows(s, weights, found, rows, findings));
    return expected;
  }

  /** An embedding of another height than the base's must come with a head of that height. */
  private static void checkRows(
      DecoderConfig shape,
      Weights weights,
      Map<String, String> found,
      long rows,
      Findings findings) {
    if (rows == 0 || rows == shape.vocabularySize()) {
      return;
    }
    boolean embedding = rows(weights, found, EMBEDDING) == rows;
    boolean head = rows(weights, found, HEAD) == rows;
    if (!embedding || !(head || (shape.tiedEmbeddings() && rows(weights, found, HEAD) == 0))) {
      findings.refuse(
          WEIGHTS,
          embedding ? HEAD : EMBEDDING,
          "none of " + rows + " rows",
          "embedding and head of the same "
              + rows
              + " rows; the base has "
              + shape.vocabularySize(),
          "Save the adapter with save_embedding_layers=True.");
    }
    findings.fact("vocabulary", rows + " (the base's " + shape.vocabularySize() + ")");
  }

  private static long rows(Weights weights, Map<String, String> found, String module) {
    return sizeOf(weights, found, AdapterKeys.PREFIX + module + ".weight", 0);
  }

  private static long sizeOf(
      Weights weights, Map<String, String> found, String tensor, int dimension) {
    return weights
        .shapeOf(found.getOrDefault(tensor, tensor))
        .filter(shape -> shape.size() == 2)
        .map(shape -> shape.get(dimension))
        .orElse(0L);
  }

  /** Names of a base's weights, with as many layers as some tensors speak of. */
  private static List<String> layersAsIn(Collection<String> tensors) {
    int layers = 1;
    for (String name : tensors) {
      Matcher matcher = LAYER.matcher(name);
      if (matcher.matches()) {
        layers = Math.max(layers, Integer.parseInt(matcher.group(1)) + 1);
      }
    }
    List<String> names = new ArrayList<>(List.of(EMBEDDING + ".weight", "model.norm.weight"));
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      names.add(prefix + "input_layernorm.weight");
      names.add(prefix + "post_attention_layernorm.weight");
      for (Projection projection : Projection.values()) {
        names.add(prefix + projection.path() + ".weight");
      }
    }
    return names;
  }

  /** B starts as zero (Hu et al., 2021): an adapter whose every B is still so changes nothing. */
  private static void checkEffect(Weights weights, Map<String, String> found, Findings findings) {
    List<String> ups =
        found.entrySet().stream()
            .filter(e -> e.getKey().endsWith(".lora_B.weight"))
            .map(Map.Entry::getValue)
            .toList();
    List<String> zero = ups.stream().filter(weights::isZero).toList();
    if (zero.isEmpty()) {
      return;
    }
    boolean other =
        found.keySet().stream().anyMatch(n -> !n.contains(".lora_A.") && !n.contains(".lora_B."));
    if (zero.size() == ups.size() && !other) {
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

  /** A tokenizer of the adapter's own may add tokens to the base's, and change nothing else. */
  private static void checkTokenizer(Folder folder, Path base, long vocabulary, Findings findings) {
    Folder ofBase = new Folder(base, new Findings());
    if (!folder.has(ModelDirectory.TOKENIZER) || !ofBase.has(ModelDirectory.TOKENIZER)) {
      return;
    }
    Optional<JsonNode> own =
        JsonFile.read(folder, ModelDirectory.TOKENIZER, findings).map(JsonFile::tree);
    Optional<JsonNode> theirs =
        JsonFile.read(ofBase, ModelDirectory.TOKENIZER, new Findings()).map(JsonFile::tree);
    if (own.isEmpty() || theirs.isEmpty() || own.equals(theirs)) {
      return;
    }
    TreeMap<Integer, JsonNode> added = new TreeMap<>();
    own.get().path("added_tokens").forEach(t -> added.put(t.path("id").asInt(-1), t));
    boolean extended = true;
    for (JsonNode token : theirs.get().path("added_tokens")) {
      extended &= token.equals(added.remove(token.path("id").asInt(-1)));
    }
    for (String part : List.of("model", "normalizer", "pre_tokenizer", "decoder")) {
      extended &= own.get().path(part).equals(theirs.get().path(part));
    }
    if (!extended) {
      findings.refuse(
          ModelDirectory.TOKENIZER,
          "",
          "another tokenizer than the base's",
          "the base's own, or that with tokens added, or none",
          "An adapter is used with its base's tokens; one trained with others does not fit it.");
      return;
    }
    Map.Entry<Integer, JsonNode> last = added.lastEntry();
    if (last != null && last.getKey() >= vocabulary) {
      findings.refuse(
          ModelDirectory.TOKENIZER,
          "added_tokens",
          "token " + last.getKey() + ", " + last.getValue().path("content"),
          "ids below the " + vocabulary + " rows of the embedding",
          "Save the adapter with its resized embeddings: save_embedding_layers=True.");
      return;
    }
    findings.fact("tokens added", added.size());
    TEXT.stream().filter(folder::has).forEach(folder::take);
  }

  /**
   * What the adapter's configuration names as its base is a path or a name on a hub. Where it is a
   * directory that is there, its weights can be compared; a name can only be told.
   */
  private static void checkBase(Path adapter, String name, Path base, Findings findings) {
    Path named;
    try {
      named = adapter.resolve(name).normalize();
    } catch (java.nio.file.InvalidPathException e) {
      return;
    }
    boolean there = Files.isRegularFile(named.resolve(ModelDirectory.CONFIG));
    if (there && !Weights.sameFiles(named, base)) {
      findings.refuse(
          CONFIG,
          "base_model_name_or_path",
          named + ", whose weights are not those of the base",
          "the base, " + base,
          "An adapter fits only the base that it was trained on; another base needs a transfer.");
      return;
    }
    Folder ofBase = new Folder(base, new Findings());
    Optional<String> theirs =
        ofBase.has(ModelDirectory.CONFIG)
            ? JsonFile.read(ofBase, ModelDirectory.CONFIG, new Findings())
                .flatMap(c -> c.text("_name_or_path"))
            : Optional.empty();
    if (!there && theirs.isPresent() && !theirs.get().isBlank() && !theirs.get().equals(name)) {
      findings.warn(
          CONFIG,
          "base_model_name_or_path",
          name,
          theirs.get() + ", as the base calls itself",
          "Make sure that they are the same model: shapes alone cannot tell.");
    }
  }
}
