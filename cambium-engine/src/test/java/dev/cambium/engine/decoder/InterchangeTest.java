package dev.cambium.engine.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.gguf.GgufExport;
import dev.cambium.artifact.gguf.Quantization;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.generation.Completion;
import dev.cambium.engine.generation.Generator;
import dev.cambium.engine.generation.Sampling;
import dev.cambium.engine.text.ChatTemplate;
import dev.cambium.engine.text.ModelText;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.training.DataMix;
import dev.cambium.engine.training.TokenRow;
import dev.cambium.engine.training.Trainer;
import dev.cambium.model.Message;
import dev.cambium.model.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Cambium's half of {@code interchange/run}: reads what Python made, and writes models and trained
 * adapters for Python to judge. Skipped in every other run.
 */
class InterchangeTest {

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final double TOLERANCE = 1e-4;

  /** Tokens of an answer that are compared with llama.cpp's. */
  private static final int ANSWER = 16;

  private static final List<String> QUESTIONS =
      List.of(
          "What is the capital of France?",
          "Is 2 + 2 = 4?",
          "Write one sentence about the sea.",
          "My card was stolen. What now?",
          "Name three colours.",
          "Translate 'good morning' into German.",
          "Who wrote Hamlet?",
          "What is 17 times 3?",
          "Explain gravity to a child.",
          "Give me a word that rhymes with 'house'.",
          "How do I boil an egg?",
          "List the days of the week.",
          "What does HTTP stand for?",
          "Größe, naïve, 東京, 😀: which languages are these?",
          "{\"key\": [1, true, null]} - is this JSON?",
          "def f(x):\n    return x + 1\n\nWhat does f(2) return?",
          "Why is the sky blue?",
          "Summarise: the cat sat on the mat, and slept.",
          "What comes after 1, 1, 2, 3, 5?",
          "Is water wet?",
          "  leading and  double spaces\n\n\tand tabs",
          "Tell me a joke.",
          "What is the largest planet?",
          "Say nothing.");

  private static final Map<String, Recipe.Lora> TRAINED =
      new TreeMap<>(
          Map.of(
              "lora", lora(false, false, Map.of(), List.of()),
              "rslora", lora(true, false, Map.of("layers.1.*", 2), List.of()),
              "dora", lora(false, true, Map.of(), List.of()),
              "saved", lora(true, true, Map.of(), List.of("embed_tokens", "lm_head", "norm"))));

  private static Recipe.Lora lora(
      boolean stabilized, boolean dora, Map<String, Integer> ranks, List<String> saved) {
    return new Recipe.Lora(
        4, 8, List.of(), stabilized, dora, new TreeMap<>(ranks), new TreeMap<>(), saved);
  }

  @Test
  void bothWays() throws IOException {
    String given = System.getProperty("cambium.interchange");
    assumeTrue(given != null, "skipped: run by interchange/run");
    Path work = Path.of(given);
    List<Path> models;
    try (Stream<Path> found = Files.list(work.resolve("python"))) {
      models = found.filter(p -> Files.exists(p.resolve("config.json"))).sorted().toList();
    }
    double worst = 0;
    int count = 0;
    int texts = 0;
    for (Path model : models) {
      texts += sameText(model);
      try (Decoder decoder = Decoder.load(model)) {
        worst = Math.max(worst, error(decoder, model));
        count++;
        gguf(decoder, model, work.resolve("gguf"));
        try (Stream<Path> found = Files.list(work.resolve("python"))) {
          for (Path adapter :
              found.filter(p -> p.toString().startsWith(model + "+")).sorted().toList()) {
            try (LoraAdapter lora = LoraAdapter.load(adapter, decoder.config());
                Decoder merged = decoder.merged(lora)) {
              worst = Math.max(worst, error(merged, adapter));
              decoder.attach(lora);
              worst = Math.max(worst, error(decoder, adapter));
              decoder.detach();
            }
            count++;
          }
        }
        write(decoder, model, work.resolve("cambium"));
      }
    }
    System.out.printf(
        "%d written by Python, read by Cambium; largest relative difference %.1e; %d texts,"
            + " renderings and prompts the same%n",
        count, worst, texts);
    String own = System.getProperty("cambium.interchange.model", "");
    if (!own.isEmpty()) {
      try (Decoder decoder = Decoder.load(Path.of(own))) {
        gguf(decoder, Path.of(own), work.resolve("gguf"));
      }
    }
    assertThat(count).isGreaterThan(20);
    assertThat(texts).isGreaterThan(150);
    assertThat(worst).isLessThan(TOLERANCE);
  }

  private static double error(Decoder decoder, Path directory) throws IOException {
    JsonNode told = JSON.readTree(directory.resolve("logits.json").toFile());
    int[][] rows = JSON.convertValue(told.path("rows"), int[][].class);
    float[][] found = logits(decoder, rows);
    double worst = 0;
    int line = 0;
    for (int b = 0; b < rows.length; b++) {
      for (int t = 0; t < rows[b].length; t++) {
        float[] expected = JSON.convertValue(told.path("logits").path(b).path(t), float[].class);
        worst = Math.max(worst, Reference.relativeError(found[line++], expected));
      }
    }
    return worst;
  }

  private static float[][] logits(Decoder decoder, int[][] rows) {
    int[][] positions =
        Arrays.stream(rows).map(r -> IntStream.range(0, r.length).toArray()).toArray(int[][]::new);
    try (Logits logits = decoder.logits(rows, positions)) {
      return IntStream.range(0, logits.count()).mapToObj(logits::line).toArray(float[][]::new);
    }
  }

  private static void tell(Decoder decoder, Path like, Path directory) throws IOException {
    int[][] rows =
        JSON.convertValue(
            JSON.readTree(like.resolve("logits.json").toFile()).path("rows"), int[][].class);
    float[][] lines = logits(decoder, rows);
    ArrayNode all = JSON.createArrayNode();
    int line = 0;
    for (int[] row : rows) {
      ArrayNode ofRow = all.addArray();
      for (int t = 0; t < row.length; t++) {
        ofRow.add(JSON.valueToTree(lines[line++]));
      }
    }
    JSON.writeValue(
        directory.resolve("logits.json").toFile(), JSON.createObjectNode().set("logits", all));
  }

  /** Trains adapters on a model, and writes them, each also merged, with the model itself. */
  private static void write(Decoder decoder, Path model, Path out) throws IOException {
    String name = String.valueOf(model.getFileName());
    decoder.save(out.resolve(name), Precision.F32);
    copyText(model, out.resolve(name));
    tell(decoder, model, out.resolve(name));
    List<TokenRow> rows = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int start = i;
      BitSet supervised = new BitSet();
      supervised.set(1, 12);
      rows.add(
          new TokenRow(
              IntStream.range(0, 12).map(t -> (start * 7 + 3 * t) % 80).toArray(), supervised));
    }
    DataMix mix = new DataMix(List.of(new DataMix.Source("rows", 1, rows)));
    for (Map.Entry<String, Recipe.Lora> kind : TRAINED.entrySet()) {
      Recipe recipe =
          new Recipe(
              Recipe.Method.LORA,
              kind.getValue(),
              10,
              4,
              1,
              32,
              1e-2,
              0.1,
              Recipe.Schedule.COSINE,
              0.01,
              1,
              0);
      try (LoraAdapter adapter = LoraAdapter.fresh(decoder, LoraConfig.of(kind.getValue()), 5)) {
        Trainer.builder(recipe).seed(3).build().train(decoder, adapter, mix);
        Path directory = out.resolve(name + "+" + kind.getKey());
        adapter.save(directory, Precision.F32);
        decoder.attach(adapter);
        tell(decoder, model, directory);
        decoder.detach();
        Path whole = out.resolve(name + "+" + kind.getKey() + "-merged");
        try (Decoder merged = decoder.merged(adapter)) {
          merged.save(whole, Precision.F32);
          copyText(model, whole);
          tell(merged, model, whole);
        }
      }
    }
  }

  /** Compares ids of texts, renderings and ids of prompts; returns how many. */
  private static int sameText(Path model) throws IOException {
    JsonNode told = JSON.readTree(model.resolve("text.json").toFile());
    int count = 0;
    try (RowEncoder encoder = RowEncoder.load(model)) {
      for (JsonNode one : told.path("texts")) {
        assertThat(encoder.tokenizer().encodeDocument(one.path("text").asText()))
            .as("%s: %s", model.getFileName(), one.path("text"))
            .containsExactly(JSON.convertValue(one.path("ids"), int[].class));
        count++;
      }
      ChatTemplate template =
          ChatTemplate.load(model, encoder.tokenizer().namedTokens()).orElseThrow();
      for (JsonNode one : told.path("conversations")) {
        List<Message> messages = new ArrayList<>();
        one.path("messages")
            .forEach(
                m ->
                    messages.add(new Message(m.path("role").asText(), m.path("content").asText())));
        List<JsonNode> tools = new ArrayList<>();
        one.path("tools").forEach(tools::add);
        if (one.has("error")) {
          assertThatThrownBy(() -> template.render(messages, tools, true))
              .hasMessageContaining(one.path("error").asText());
        } else {
          assertThat(template.render(messages, tools, true)).isEqualTo(one.path("text").asText());
          assertThat(encoder.prompt(messages, tools))
              .as("%s: %s", model.getFileName(), one.path("text"))
              .containsExactly(JSON.convertValue(one.path("ids"), int[].class));
          count++;
        }
        count++;
      }
    }
    return count;
  }

  private static void copyText(Path model, Path to) throws IOException {
    for (Path file : ModelText.files(model)) {
      Files.copy(file, to.resolve(file.getFileName()));
    }
  }

  /** Writes both kinds of GGUF, and what the model answers. */
  private static void gguf(Decoder decoder, Path model, Path out) throws IOException {
    String name = String.valueOf(model.getFileName());
    for (Quantization quantization : Quantization.values()) {
      Path file = out.resolve(name + "-" + quantization.name().toLowerCase(Locale.ROOT) + ".gguf");
      if (decoder.config().window(0) > 0) {
        assertThatThrownBy(() -> GgufExport.write(model, file, name, quantization))
            .hasMessageContaining("sliding_window");
        return;
      }
      GgufExport.write(model, file, name, quantization);
    }
    ObjectNode told = JSON.createObjectNode().put("model", model.toAbsolutePath().toString());
    try (RowEncoder encoder = RowEncoder.load(model)) {
      List<int[]> prompts = new ArrayList<>();
      ArrayNode texts = told.putArray("texts");
      for (String question : QUESTIONS) {
        int[] ids = encoder.tokenizer().encodeDocument(question);
        texts.addObject().put("text", question).set("ids", JSON.valueToTree(ids));
        prompts.add(encoder.prompt(List.of(Message.user(question)), List.of()));
      }
      List<Completion> answers =
          new Generator(decoder, List.of())
              .generate(prompts, Sampling.greedy(ANSWER), finished -> {});
      ArrayNode all = told.putArray("prompts");
      for (int i = 0; i < prompts.size(); i++) {
        int[] prompt = prompts.get(i);
        ObjectNode one = all.addObject();
        one.set("ids", JSON.valueToTree(prompt));
        one.set("answer", JSON.valueToTree(answers.get(i).ids()));
        try (Logits logits =
            decoder.logits(new int[][] {prompt}, new int[][] {{prompt.length - 1}})) {
          one.set("logits", JSON.valueToTree(logits.line(0)));
        }
      }
    }
    JSON.writeValue(out.resolve(name + ".json").toFile(), told);
  }
}
