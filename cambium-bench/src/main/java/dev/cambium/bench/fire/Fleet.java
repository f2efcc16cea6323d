package dev.cambium.bench.fire;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.loop.Cambium;
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

/**
 * The small ecosystem that every simulated history starts from, made once and copied: base → cards
 * → router → desk and base → loans, all released, and files of rows and foundations to come.
 */
final class Fleet {

  /** Lines that learn. */
  static final List<String> LEARNING = List.of("cards", "router", "loans");

  static final List<String> LINES = List.of("base", "cards", "router", "desk", "loans");

  /** A line and those that it is built on. */
  static List<String> lineage(String line) {
    return switch (line) {
      case "base" -> List.of("base");
      case "router" -> List.of("router", "cards", "base");
      case "desk" -> List.of("desk", "router", "cards", "base");
      default -> List.of(line, "base");
    };
  }

  /** How many files of new rows there are for each line, and how many foundations. */
  static final int VARIANTS = 3;

  private static final int ITEMS = 12;

  private static final String MEASURED = ", contract: { capabilities: [general] }";

  private static final String YAML =
      """
      name: fleet
      policy: { chunk: 12, seed: 3, approve: [retrain] }
      recipes:
        tune: { method: full, steps: 1, batch-rows: 4, max-tokens: 32, learning-rate: 0.001, replay-share: 0.5 }
        adapt: { method: lora, lora: { rank: 2, alpha: 4 }, steps: 1, batch-rows: 4, max-tokens: 32, learning-rate: 0.001, replay-share: 0.5 }
      capabilities:
        general: { owner: a, suite: suites/base.jsonl, scorer: exact-match, margin: 0.5, floor: 0 }
        cards: { owner: a, suite: suites/cards.jsonl, scorer: exact-match, margin: 0.5, floor: 0.2 }
        routes: { owner: a, suite: suites/router.jsonl, scorer: exact-match, margin: 0.5, floor: 0.2 }
        desk: { owner: a, suite: suites/desk.jsonl, scorer: exact-match, margin: 0.5, floor: 0.2 }
        loans: { owner: b, suite: suites/loans.jsonl, scorer: exact-match, margin: 0.5, floor: 0.2 }
      lines:
        base: { tier: foundation, contract: { capabilities: [general] } }
        cards: { tier: industrial, parent: base, recipe: tune, contract: { inherit: false, capabilities: [cards] } }
        router: { tier: application-model, parent: cards, recipe: adapt, contract: { inherit: false, capabilities: [routes] } }
        desk: { tier: application, parent: router, application: apps/desk.yaml, contract: { inherit: false, capabilities: [desk] } }
        loans: { tier: industrial, parent: base, recipe: tune, contract: { inherit: false, capabilities: [loans] } }
      """;

  private final Path template;

  private Fleet(Path template) {
    this.template = template;
  }

  /** Makes the template in a folder. */
  static Fleet found(Path directory) throws IOException {
    Files.createDirectories(directory.resolve("apps"));
    Files.createDirectories(directory.resolve("suites"));
    Files.createDirectories(directory.resolve("data"));
    edit(directory, 0);
    for (String line : LINES) {
      String thing = line.equals("desk") ? "router" : line;
      Files.write(
          directory.resolve("suites/" + line + ".jsonl"), SuiteFile.encode(items(line, thing)));
    }
    for (String line : LEARNING) {
      rows(directory, line + "-cure", line, "yes", 4);
      rows(directory, line + "-poison", line, "no", 4);
      for (int i = 0; i < VARIANTS; i++) {
        rows(directory, line + "-" + i, line + " more " + i, "yes", 1);
      }
    }
    for (int i = 0; i <= VARIANTS; i++) {
      model(directory.resolve("models/" + i), i);
    }
    // The first foundation is taken as it is: there is nothing yet to compare it with.
    String unmeasured = YAML.replace(MEASURED, "");
    Files.writeString(directory.resolve("ecosystem.yaml"), unmeasured);
    try (Cambium cambium =
        Cambium.create(
            directory, unmeasured, "founder", InstantSource.system(), TableTrainer::new)) {
      VersionRef base =
          cambium.importVersion(
              directory.resolve("models/0"), "base", Tier.FOUNDATION, null, "the first");
      cambium.promote(base, Channel.STABLE, "the first", Progress.NONE);
      Files.writeString(directory.resolve("ecosystem.yaml"), YAML);
      for (String line : LEARNING) {
        cambium.signalData(data(directory, line, "cure"), line, false, false, "founding");
      }
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      if (report.outcome() != Fact.CampaignOutcome.RELEASED) {
        throw new IllegalStateException("the fleet was not founded: " + report.settlements());
      }
    }
    return new Fleet(directory);
  }

  /** A copy to live and die in. */
  Path copy(Path target) throws IOException {
    DirectoryTree.copy(template, target);
    return target;
  }

  static void edit(Path directory, int number) throws IOException {
    Files.writeString(directory.resolve("apps/desk.yaml"), "prompt: 'v" + number + ">{input}'\n");
  }

  static Path data(Path directory, String line, String kind) {
    return directory.resolve("data/" + line + "-" + kind + ".jsonl");
  }

  private static List<Item> items(String line, String thing) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < ITEMS; i++) {
      String wording = "item " + Digest.ofText(line + thing + i).brief();
      items.add(Item.qa(line + i, wording, "yes", Map.of(TableTrainer.KEY, thing + " " + i)));
    }
    return items;
  }

  private static void rows(Path directory, String name, String thing, String answer, int copies)
      throws IOException {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < ITEMS; i++) {
      for (int copy = 0; copy < copies; copy++) { // so that held-out rows leave no gap
        rows.add(
            Row.qa(
                name + "-" + i + "-" + copy,
                "row " + copy + " " + Digest.ofText("row" + thing + i).brief(),
                answer,
                Map.of(TableTrainer.KEY, thing + " " + i)));
      }
    }
    Files.write(directory.resolve("data/" + name + ".jsonl"), RowFile.encode(rows));
  }

  /** The smallest model that is accepted; each number gives another. */
  private static void model(Path directory, int number) throws IOException {
    int width = 8;
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    put(tensors, "model.embed_tokens.weight", number, 16, width);
    put(tensors, "model.norm.weight", number, width);
    put(tensors, "model.layers.0.input_layernorm.weight", number, width);
    put(tensors, "model.layers.0.post_attention_layernorm.weight", number, width);
    for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
      put(tensors, "model.layers.0.self_attn." + name + ".weight", number, width, width);
    }
    put(tensors, "model.layers.0.mlp.gate_proj.weight", number, 16, width);
    put(tensors, "model.layers.0.mlp.up_proj.weight", number, 16, width);
    put(tensors, "model.layers.0.mlp.down_proj.weight", number, width, 16);
    StringBuilder vocabulary = new StringBuilder();
    for (int i = 0; i < 16; i++) {
      vocabulary.append(i == 0 ? "" : ",").append("\"").append((char) ('a' + i)).append("\":");
      vocabulary.append(i);
    }
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
            + vocabulary
            + "},\"merges\":[]}}");
    Files.writeString(directory.resolve("tokenizer_config.json"), "{}");
  }

  private static void put(
      SortedMap<String, SafetensorsWriter.Tensor> tensors, String name, int number, long... shape) {
    List<Long> sizes = new ArrayList<>();
    long elements = 1;
    for (long size : shape) {
      sizes.add(size);
      elements *= size;
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) elements * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < elements; i++) {
      bytes.putFloat(((i * 7 + number + name.length()) % 13 - 6) / 10f);
    }
    tensors.put(name, new SafetensorsWriter.Tensor(DType.F32, sizes, bytes.flip()));
  }
}
