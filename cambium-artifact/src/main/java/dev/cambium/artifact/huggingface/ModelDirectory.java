package dev.cambium.artifact.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** A Hugging Face model directory. */
public final class ModelDirectory {

  static final String CONFIG = DecoderConfig.FILE;
  static final String WEIGHTS = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";
  static final String TOKENIZER = TokenizerFiles.TOKENIZER;
  private static final String TEMPLATE = "chat_template.jinja";
  private static final String MORE_TEMPLATES = "additional_chat_templates";
  private static final String TEMPLATE_JSON = "chat_template.json";

  /** Taken in if there, without a look inside: text that goes out again with the model. */
  private static final List<String> CARRIED =
      List.of(
          TEMPLATE,
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.json",
          "merges.txt",
          "token_probes.json",
          "README.md",
          "LICENSE",
          "LICENSE.txt",
          "LICENSE.md",
          "NOTICE",
          "USE_POLICY.md");

  private ModelDirectory() {}

  /**
   * Looks at a model directory: the configuration, every tensor's name, type, shape and values, the
   * tokenizer's vocabulary, special tokens and chat template.
   *
   * @throws java.io.UncheckedIOException if the directory cannot be read
   */
  public static Inspection inspect(Path path) {
    Findings findings = new Findings();
    Folder folder = new Folder(path, findings);
    boolean isModel = folder.has(CONFIG);
    Optional<DecoderConfig> shape = Optional.empty();
    if (isModel) {
      folder.take(CONFIG);
      shape =
          JsonFile.read(folder, CONFIG, findings)
              .flatMap(config -> DecoderConfig.read(config, findings));
    } else {
      findings.refuse(
          CONFIG,
          "",
          "no such file",
          "the configuration of a Hugging Face model, or adapter_config.json of a PEFT adapter",
          "Give the directory that holds it.");
    }
    checkWeights(folder, shape, findings);
    folder.namePickles();
    TokenizerFiles.check(folder, shape, findings);
    checkTemplate(folder, findings);
    CARRIED.stream().filter(folder::has).forEach(folder::take);
    return findings.result(
        path.toString(),
        isModel ? Inspection.Kind.MODEL : Inspection.Kind.UNKNOWN,
        folder.ignored());
  }

  private static void checkWeights(
      Folder folder, Optional<DecoderConfig> shape, Findings findings) {
    boolean single = folder.has(WEIGHTS);
    boolean sharded = folder.has(INDEX);
    if (single == sharded) {
      List<String> pickles = folder.files().stream().filter(Folder::isPickle).toList();
      findings.refuse(
          WEIGHTS,
          "",
          single
              ? "both it and " + INDEX
              : pickles.isEmpty()
                  ? "neither it nor " + INDEX
                  : "neither it nor " + INDEX + ", only pickles: " + pickles,
          "one of the two",
          single
              ? "Remove the one that is out of date."
              : pickles.isEmpty()
                  ? "Add the weights."
                  : "Pickle can run code and is never read. Save the weights as safetensors.");
      return;
    }
    try (Weights weights = new Weights(findings)) {
      boolean complete =
          single ? takeSingle(folder, weights) : takeShards(folder, weights, findings);
      if (complete) {
        shape.ifPresent(s -> checkTensors(weights, s, single ? WEIGHTS : INDEX, findings));
        weights.checkTypes();
      }
      weights.scan();
    }
  }

  private static boolean takeSingle(Folder folder, Weights weights) {
    folder.take(WEIGHTS);
    return weights.add(WEIGHTS, folder.file(WEIGHTS));
  }

  private static boolean takeShards(Folder folder, Weights weights, Findings findings) {
    folder.take(INDEX);
    Optional<JsonFile> index = JsonFile.read(folder, INDEX, findings);
    if (index.isEmpty()) {
      return false;
    }
    JsonNode map = index.get().tree().path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      index.get().refuse("weight_map", JsonFile.shown(map), "an object: tensor to file");
      return false;
    }
    SortedMap<String, String> placed = new TreeMap<>();
    SortedSet<String> shards = new TreeSet<>();
    boolean complete = true;
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      String shard = entry.getValue().asText();
      placed.put(entry.getKey(), shard);
      if (!entry.getValue().isTextual() || !isPlainName(shard)) {
        findings.refuseEach(
            "names of no shard",
            INDEX,
            "weight_map." + entry.getKey(),
            JsonFile.shown(entry.getValue()),
            "the name of a safetensors file in this directory",
            "Save the model again; nothing outside of its directory is read.");
        complete = false;
      } else {
        shards.add(shard);
      }
    }
    for (String shard : shards) {
      if (folder.has(shard)) {
        folder.take(shard);
        complete &= weights.add(shard, folder.file(shard));
      } else {
        findings.refuse(
            shard,
            "",
            "no such plain file",
            "a file that " + INDEX + " names",
            "Download the missing shard.");
        complete = false;
      }
    }
    if (complete) {
      checkPlaces(placed, weights, findings);
    }
    return complete;
  }

  private static boolean isPlainName(String name) {
    return name.endsWith(".safetensors")
        && !name.contains("/")
        && !name.contains("\\")
        && name.indexOf('\0') < 0;
  }

  private static void checkPlaces(Map<String, String> placed, Weights weights, Findings findings) {
    String sort = "tensors that lie elsewhere than the index says";
    String expected = "each tensor in the file that the index names, and in the index";
    String remedy = "Save the model again, so that index and shards agree.";
    placed.forEach(
        (tensor, shard) -> {
          String found = weights.fileOf(tensor).orElse("no file");
          if (!found.equals(shard)) {
            findings.refuseEach(
                sort,
                INDEX,
                "weight_map." + tensor,
                "it in " + found + ", not in " + shard,
                expected,
                remedy);
          }
        });
    for (String tensor : weights.names()) {
      if (!placed.containsKey(tensor)) {
        findings.refuseEach(
            sort,
            weights.fileOf(tensor).orElse(INDEX),
            tensor,
            "a tensor that the index does not name",
            expected,
            remedy);
      }
    }
  }

  private static void checkTensors(
      Weights weights, DecoderConfig shape, String mainFile, Findings findings) {
    SortedMap<String, List<Long>> expected = shape.tensors();
    if (shape.tiedEmbeddings() && weights.names().contains(DecoderConfig.HEAD)) {
      expected.put(
          DecoderConfig.HEAD, List.of((long) shape.vocabularySize(), (long) shape.hiddenSize()));
      if (!weights.equal(DecoderConfig.HEAD, DecoderConfig.EMBEDDING)) {
        findings.refuse(
            weights.fileOf(DecoderConfig.HEAD).orElse(mainFile),
            DecoderConfig.HEAD,
            "other values than " + DecoderConfig.EMBEDDING,
            "none, or the same values, as tie_word_embeddings is true",
            "Set tie_word_embeddings to false, or remove the tensor.");
      }
    }
    weights.checkCoverage(
        expected, mainFile, CONFIG, "Check that weights and configuration belong together.");
  }

  private static void checkTemplate(Folder folder, Findings findings) {
    String where = folder.has(TEMPLATE) ? TEMPLATE : "none";
    for (String name : List.of(TokenizerFiles.TOKENIZER_CONFIG, TEMPLATE_JSON)) {
      if (folder.has(name)) {
        folder.take(name);
        Optional<JsonFile> file = JsonFile.read(folder, name, findings);
        if (where.equals("none") && file.isPresent() && file.get().has("chat_template")) {
          where = name;
        }
      }
    }
    if (folder.ignored().contains(MORE_TEMPLATES)) {
      findings.warn(
          MORE_TEMPLATES,
          "",
          "a folder of further chat templates",
          TEMPLATE + " only, or a list with names in " + TokenizerFiles.TOKENIZER_CONFIG,
          "They are not read. Where tools have a template of their own, list it in "
              + TokenizerFiles.TOKENIZER_CONFIG
              + " under chat_template as \"tool_use\", beside \"default\", without "
              + TEMPLATE
              + ".");
    }
    findings.fact("chat template", where);
  }
}
