package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** A small ecosystem for tests of the loop: base → cards → router → desk, and base → loans. */
public final class Town {

  public static final int ITEMS = 120;

  final Path directory;
  final List<String> executed = new ArrayList<>();
  Memorizer memorizer = new Memorizer(executed);
  int chunk = 20;

  public Town(Path directory) {
    this.directory = directory;
  }

  public static final String YAML =
      """
      name: town
      policy: { chunk: 20, seed: 3 }
      recipes:
        tune: { method: full, steps: 1, batch-rows: 4, max-tokens: 32, learning-rate: 0.001, replay-share: 0.5 }
        adapt: { method: lora, lora: { rank: 2, alpha: 4 }, steps: 1, batch-rows: 4, max-tokens: 32, learning-rate: 0.001, replay-share: 0.5 }
      capabilities:
        card-facts: { owner: a, suite: suites/cards.jsonl, scorer: exact-match, margin: 0.05, floor: 0.5, slices: { by: [kind], margin: 0.3, min-items: 5 } }
        routes: { owner: a, suite: suites/routes.jsonl, scorer: exact-match, margin: 0.05, floor: 0.5 }
        desk: { owner: a, suite: suites/desk.jsonl, scorer: exact-match, margin: 0.05, floor: 0.5 }
        loan-facts: { owner: b, suite: suites/loans.jsonl, scorer: exact-match, margin: 0.05, floor: 0.5 }
      lines:
        base: { tier: foundation }
        cards: { tier: industrial, parent: base, recipe: tune, contract: { capabilities: [card-facts] } }
        router: { tier: application-model, parent: cards, recipe: adapt, contract: { inherit: false, capabilities: [routes] } }
        desk: { tier: application, parent: router, application: apps/desk.yaml, contract: { inherit: false, capabilities: [desk] } }
        loans: { tier: industrial, parent: base, recipe: tune, contract: { capabilities: [loan-facts] } }
      """;

  /** Writes the files and creates the ecosystem, with a released foundation. */
  public Cambium create() throws IOException {
    return create(YAML);
  }

  /** With another declaration. */
  public Cambium create(String declaration) throws IOException {
    Files.createDirectories(directory.resolve("apps"));
    Files.writeString(directory.resolve("apps/desk.yaml"), "prompt: 'r {input}'\n");
    suite("cards", items("c", "card", ITEMS, "yes"));
    suite("loans", items("l", "loan", ITEMS, "yes"));
    suite("routes", items("r", "r route", ITEMS, "desk"));
    suite("desk", items("d", "route", ITEMS, "desk"));
    String yaml = declaration.replace("chunk: 20", "chunk: " + chunk);
    Files.writeString(directory.resolve("ecosystem.yaml"), yaml);
    Cambium cambium =
        Cambium.create(directory, yaml, "tester", InstantSource.system(), () -> memorizer);
    cambium.importVersion(model(directory.resolve("m1"), 1), "base", Tier.FOUNDATION, null, "m1");
    cambium.promote(VersionRef.parse("base@1"), Channel.STABLE, "the only one", Progress.NONE);
    return cambium;
  }

  /** The ecosystem's directory. */
  public Path directory() {
    return directory;
  }

  /** What carries actions out. */
  public Memorizer memorizer() {
    return memorizer;
  }

  /** The kinds of the actions that were carried out. */
  public List<String> executed() {
    return executed;
  }

  Cambium open() {
    return Cambium.open(directory, "tester", InstantSource.system(), () -> memorizer);
  }

  /** Signals everything that the fleet is founded on. */
  public void found(Cambium cambium) throws IOException {
    cambium.signalData(
        rows("cards", rows("card", ITEMS, "yes")), "cards", false, false, "founding");
    cambium.signalData(
        rows("loans", rows("loan", ITEMS, "yes")), "loans", false, false, "founding");
    cambium.signalData(
        rows("routes", rows("r route", ITEMS, "desk")), "router", false, false, "founding");
  }

  /**
   * Items asking about a thing. The key that the table is asked by is a tag, so that the wording
   * differs from the rows' and nothing counts as overlap.
   */
  static List<Item> items(String prefix, String thing, int count, String answer) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      items.add(
          Item.qa(
              prefix + i,
              "item " + prefix + " " + Digest.ofText(thing + i).brief(),
              answer,
              Map.of("key", thing + " " + i, "kind", "k" + i % 4)));
    }
    return items;
  }

  public static List<Row> rows(String thing, int count, String answer) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      for (int copy = 0; copy < 8; copy++) { // so that held-out rows leave no gap
        rows.add(
            Row.qa(
                thing + "-" + i + "-" + copy + "-" + answer,
                "row " + copy + " " + Digest.ofText("row" + copy + thing + i).brief(),
                answer,
                Map.of("key", thing + " " + i)));
      }
    }
    return rows;
  }

  void suite(String name, List<Item> items) throws IOException {
    Path file = directory.resolve("suites").resolve(name + ".jsonl");
    Files.createDirectories(file.getParent());
    Files.write(file, SuiteFile.encode(items));
  }

  Path rows(String name, List<Row> rows) throws IOException {
    Path file = directory.resolve("data").resolve(name + ".jsonl");
    Files.createDirectories(file.getParent());
    Files.write(file, RowFile.encode(rows));
    return file;
  }

  /** The manifest of every line's stable version. */
  static SortedMap<String, Digest> stable(Cambium cambium) {
    SortedMap<String, Digest> stable = new TreeMap<>();
    cambium
        .state()
        .allAt(Channel.STABLE)
        .forEach((line, ref) -> stable.put(line, cambium.version(ref).manifest()));
    return stable;
  }

  /**
   * What was killed goes on to the end that it would have had.
   *
   * @param expected what is stable then
   * @param jobs that were carried out, before and after
   */
  void resume(SortedMap<String, Digest> expected, int jobs) {
    memorizer = new Memorizer(executed);
    try (Cambium cambium = open()) {
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.RELEASED);
      assertThat(stable(cambium)).isEqualTo(expected);
      assertThat(executed).as("nothing is done twice").hasSize(jobs);
    }
  }

  /** The smallest model directory that is accepted. */
  static Path model(Path directory, int seed) {
    int width = 8;
    int vocabulary = 16;
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    put(tensors, "model.embed_tokens.weight", seed, vocabulary, width);
    put(tensors, "model.norm.weight", seed, width);
    put(tensors, "model.layers.0.input_layernorm.weight", seed, width);
    put(tensors, "model.layers.0.post_attention_layernorm.weight", seed, width);
    for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
      put(tensors, "model.layers.0.self_attn." + name + ".weight", seed, width, width);
    }
    put(tensors, "model.layers.0.mlp.gate_proj.weight", seed, 16, width);
    put(tensors, "model.layers.0.mlp.up_proj.weight", seed, 16, width);
    put(tensors, "model.layers.0.mlp.down_proj.weight", seed, width, 16);
    StringBuilder vocab = new StringBuilder();
    for (int i = 0; i < vocabulary; i++) {
      vocab.append(i == 0 ? "" : ",").append("\"").append((char) ('a' + i)).append("\":").append(i);
    }
    try {
      Files.createDirectories(directory);
      SafetensorsWriter.write(
          directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
      Files.writeString(
          directory.resolve("config.json"),
          """
          {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8,
           "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
           "num_key_value_heads": 2, "vocab_size": 16, "tie_word_embeddings": true,
           "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
           "hidden_act": "silu", "torch_dtype": "float32"}
          """);
      Files.writeString(
          directory.resolve("tokenizer.json"),
          "{\"version\":\"1.0\",\"added_tokens\":[],\"model\":{\"type\":\"BPE\",\"vocab\":{"
              + vocab
              + "},\"merges\":[]}}");
      Files.writeString(directory.resolve("tokenizer_config.json"), "{}");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return directory;
  }

  private static void put(
      SortedMap<String, SafetensorsWriter.Tensor> tensors, String name, int seed, long... shape) {
    List<Long> sizes = new ArrayList<>();
    long elements = 1;
    for (long size : shape) {
      sizes.add(size);
      elements *= size;
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) elements * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < elements; i++) {
      bytes.putFloat(((i * 7 + seed + name.length()) % 13 - 6) / 10f);
    }
    tensors.put(name, new SafetensorsWriter.Tensor(DType.F32, sizes, bytes.flip()));
  }
}
