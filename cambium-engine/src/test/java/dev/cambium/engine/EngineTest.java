package dev.cambium.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.ModelDirectory;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.SafetensorsWriter.Tensor;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.generation.Sampling;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.transfer.Transplant;
import dev.cambium.model.Application;
import dev.cambium.model.Distillation;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Judgement;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineTest {

  private static final String[] CARDS = {"card", "debit card", "credit card", "bank card"};
  private static final String[] STARTS = {"my", "help, my", "I think my", "please, my", "oh, my"};
  private static final Map<String, String> INTENTS =
      Map.of("is lost", "lost", "was stolen", "stolen", "is blocked", "blocked", "expired", "old");
  private static final Scorer EXACT = new Scorer(ScorerKind.EXACT_MATCH, 8, null);

  @TempDir static Path dir;
  private static Engine engine;
  private static Path rows;
  private static Path foundation;
  private static Path tuned;

  private static List<Row> examples(Map<String, String> intents) {
    List<Row> rows = new ArrayList<>();
    for (String start : STARTS) {
      for (String card : CARDS) {
        new TreeMap<>(intents)
            .forEach(
                (what, intent) ->
                    rows.add(
                        Row.qa(
                            "r" + rows.size(), start + " " + card + " " + what, intent, Map.of())));
      }
    }
    return rows;
  }

  private static List<Item> items(Map<String, String> intents) {
    return examples(intents).stream()
        .map(
            r ->
                Item.qa(
                    r.id(), r.messages().get(0).content(), r.messages().get(1).content(), Map.of()))
        .toList();
  }

  private static Path write(String name, List<Row> rows) throws IOException {
    StringBuilder lines = new StringBuilder();
    rows.forEach(
        r -> lines.append(new String(Json.canonical(r), StandardCharsets.UTF_8)).append('\n'));
    return Files.writeString(dir.resolve(name), lines);
  }

  private static Recipe recipe(Recipe.Method method, int steps) {
    return new Recipe(
        method,
        method == Recipe.Method.LORA ? new Recipe.Lora(4, 8, List.of()) : null,
        steps,
        16,
        1,
        64,
        method == Recipe.Method.LORA ? 2e-2 : 1e-2,
        0.1,
        Recipe.Schedule.COSINE,
        0,
        1,
        0);
  }

  private static TrainingResult train(
      Path model, Path adapter, Path data, Recipe recipe, Path out) {
    return engine.train(
        new TrainingJob(
            model,
            adapter,
            recipe,
            List.of(new TrainingJob.RowSource(data, 1)),
            7,
            out,
            dir.resolve("snapshots-" + out.getFileName()),
            50),
        Progress.NONE);
  }

  private static long right(Path model, Path adapter, List<Item> items) {
    try (LanguageModel loaded = engine.load(model, adapter, null)) {
      return loaded.evaluate(items, EXACT, Progress.NONE).stream()
          .filter(o -> o.judgement() == Judgement.RIGHT)
          .count();
    }
  }

  @BeforeAll
  static void train() throws IOException {
    engine = Engine.open();
    List<Row> examples = examples(INTENTS);
    rows = write("rows.jsonl", examples);
    foundation = dir.resolve("foundation");
    ModelInitializer.initialize(
        examples, new ModelInitializer.Shape(2, 32, 2, 1, 64, 320, 64), 1, foundation);
    tuned = dir.resolve("tuned");
    TrainingResult result = train(foundation, null, rows, recipe(Recipe.Method.FULL, 90), tuned);
    assertThat(result.rows()).isEqualTo(80);
    assertThat(result.losses()).hasSize(90);
    assertThat(result.finalLoss()).isLessThan(result.losses().get(0) / 4);
    assertThat(result.supervisedTokens()).isPositive().isLessThan(result.tokens());
  }

  @Test
  void learnsATaskFromAFreshFoundation() {
    assertThat(right(foundation, null, items(INTENTS))).isLessThan(10);
    assertThat(right(tuned, null, items(INTENTS))).isGreaterThan(75);
  }

  @Test
  void anOrthogonalAdapterIsLaidOnTheOneBeforeAndKeepsIt() throws IOException {
    Recipe plain = recipe(Recipe.Method.LORA, 50);
    Path first = dir.resolve("first-adapter");
    train(foundation, null, rows, plain, first);
    Path both = dir.resolve("both-adapters");
    Protection protect = Protection.NONE.withKl(0.5).withOrthogonal(1.0);
    TrainingResult result =
        train(foundation, first, rows, plain.withSteps(10).withProtection(protect), both);
    // It begins where the first ended: the released adapter acts from the first step.
    assertThat(result.losses().get(0)).isLessThan(1.5f);
    try (LoraAdapter released = LoraAdapter.load(first, DecoderConfig.read(foundation));
        LoraAdapter stacked = LoraAdapter.load(both, DecoderConfig.read(foundation))) {
      assertThat(stacked.config().rank()).isEqualTo(8);
      String down = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
      assertThat(java.util.Arrays.copyOf(stacked.read(down), 4 * 32))
          .as("what was released stays as it is")
          .isEqualTo(released.read(down));
    }
    assertThat(right(foundation, both, items(INTENTS))).isGreaterThan(60);
  }

  @Test
  void writesACompleteModelDirectory() throws IOException {
    for (String file :
        List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json")) {
      assertThat(Files.readAllBytes(tuned.resolve(file)))
          .isEqualTo(Files.readAllBytes(foundation.resolve(file)));
    }
    try (Stream<Path> files = Files.list(tuned)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .contains("config.json", "model.safetensors");
    }
    assertThat(Json.canonical(new TrainingResult(List.of(1f), 1, 1, 1, 1, 0, 0, 1, 0, 0.5, null)))
        .isNotEmpty();
  }

  @Test
  void theSameJobGivesTheSameBytes() throws IOException {
    Recipe recipe = recipe(Recipe.Method.FULL, 5);
    Path one = dir.resolve("one");
    Path two = dir.resolve("two");
    train(foundation, null, rows, recipe, one);
    train(foundation, null, rows, recipe, two);
    assertThat(Files.readAllBytes(two.resolve("model.safetensors")))
        .isEqualTo(Files.readAllBytes(one.resolve("model.safetensors")));
    Path half = dir.resolve("half");
    train(foundation, null, rows, recipe.withPrecision(Recipe.Precision.BF16), half);
    assertThat(Files.readAllBytes(half.resolve("model.safetensors")))
        .as("another precision, other rounding")
        .isNotEqualTo(Files.readAllBytes(one.resolve("model.safetensors")));
  }

  @Test
  void learnsAnAdapterThatOnlyActsWhereItIsLoaded() throws IOException {
    Map<String, String> renamed =
        Map.of("is lost", "A1", "was stolen", "A2", "is blocked", "A3", "expired", "A4");
    Path adapter = dir.resolve("adapter");
    train(
        tuned,
        null,
        write("renamed.jsonl", examples(renamed)),
        recipe(Recipe.Method.LORA, 60),
        adapter);
    assertThat(right(tuned, adapter, items(renamed))).isGreaterThan(70);
    assertThat(right(tuned, null, items(INTENTS))).isGreaterThan(75);

    Path none = dir.resolve("none");
    Transplant.adapter(adapter, 0, none);
    assertThatThrownBy(() -> engine.load(tuned, none, null))
        .hasMessageContaining("does not change the logits");

    Path more = dir.resolve("more");
    TrainingResult continued =
        train(tuned, adapter, dir.resolve("renamed.jsonl"), recipe(Recipe.Method.LORA, 10), more);
    assertThat(continued.losses().get(0)).isLessThan(1f);
  }

  private static TrainingResult distil(Path student, Path adapter, Recipe recipe, Path out) {
    return engine.distill(
        new TrainingJob(
            student,
            adapter,
            recipe.withDistillation(Distillation.DEFAULT),
            List.of(new TrainingJob.RowSource(rows, 1)),
            7,
            out,
            dir.resolve("snapshots-" + out.getFileName()),
            50),
        tuned,
        null,
        Progress.NONE);
  }

  @Test
  void aStudentOfAnotherShapeIsTaughtByATunedModel() throws IOException {
    Path student = dir.resolve("student");
    ModelInitializer.initialize(
        foundation, new ModelInitializer.Shape(3, 48, 4, 2, 96, 1, 64), 3, student);
    Path out = dir.resolve("taught");
    TrainingResult result = distil(student, null, recipe(Recipe.Method.FULL, 70), out);
    assertThat(result.finalLoss()).isLessThan(result.losses().get(0) / 4);
    assertThat(right(student, null, items(INTENTS))).isLessThan(10);
    assertThat(right(out, null, items(INTENTS))).isGreaterThan(70);
  }

  @Test
  void aStudentWithOtherTokensIsTaughtBySpans() throws IOException {
    List<Row> other = new ArrayList<>(examples(INTENTS));
    for (int i = 0; i < 60; i++) {
      other.add(Row.qa("o" + i, "where is my old credit statement " + i, "see above", Map.of()));
    }
    Path student = dir.resolve("stranger");
    ModelInitializer.initialize(
        other, new ModelInitializer.Shape(2, 48, 4, 2, 96, 290, 96), 3, student);
    Path out = dir.resolve("taught-stranger");
    distil(student, null, recipe(Recipe.Method.FULL, 110), out);
    assertThat(right(out, null, items(INTENTS))).isGreaterThan(60);
  }

  @Test
  void questionsAreMadeUpWhereNoneAreKept() throws IOException {
    Path made = dir.resolve("made-up.jsonl");
    engine.questions(tuned, null, 40, 24, 5, made, Progress.NONE);
    byte[] first = Files.readAllBytes(made);
    List<Row> questions = RowFile.read(made);
    assertThat(questions).hasSizeBetween(1, 40);
    assertThat(questions).allSatisfy(q -> assertThat(q.messages()).hasSize(2));
    assertThat(questions).allSatisfy(q -> assertThat(q.messages().get(0).content()).isNotBlank());
    Files.delete(made);
    engine.questions(tuned, null, 40, 24, 5, made, Progress.NONE);
    assertThat(Files.readAllBytes(made)).isEqualTo(first);
  }

  @Test
  void anAdapterIsTaughtFromWhereItStands() throws IOException {
    Path adapter = dir.resolve("taught-adapter");
    TrainingResult result = distil(foundation, null, recipe(Recipe.Method.LORA, 60), adapter);
    assertThat(result.finalLoss()).isLessThan(result.losses().get(0) / 2);
    Path more = dir.resolve("taught-more");
    TrainingResult continued = distil(foundation, adapter, recipe(Recipe.Method.LORA, 5), more);
    assertThat(continued.losses().get(0)).isLessThan(result.losses().get(0));
    assertThat(more.resolve("adapter_config.json")).exists();
  }

  @Test
  void talksInPiecesWithinAnApplication() {
    try (LanguageModel model = engine.load(tuned, null, null)) {
      List<String> pieces = new ArrayList<>();
      List<Message> question = List.of(Message.user("my card is lost"));
      String answer = model.chat(question, Sampling.greedy(8), pieces::add);
      assertThat(String.join("", pieces)).isEqualTo(answer).isEqualTo("lost");
      assertThat(model.parameters()).isGreaterThan(10_000);
      model.checkProbes(model.probes());
      assertThatThrownBy(
              () -> model.chat(List.of(Message.user("x ".repeat(99))), Sampling.greedy(2), p -> {}))
          .hasMessageContaining("context");
    }
    Application application = new Application(null, "my {input} is lost", List.of(), 3, 0.5);
    try (LanguageModel model = engine.load(tuned, null, application)) {
      assertThat(model.chat(List.of(Message.user("card")), Sampling.greedy(8), p -> {}))
          .isEqualTo("lost");
      Outcome outcome =
          model
              .evaluate(List.of(Item.qa("i", "debit card", "lost", Map.of())), EXACT, Progress.NONE)
              .get(0);
      assertThat(outcome.judgement()).isEqualTo(Judgement.RIGHT);
      assertThat(model.sampling(5)).isEqualTo(new Sampling(3, 0.5, 0, 1, 5));
      model.frame(null);
      assertThat(model.sampling(5).temperature()).isZero();
      assertThat(model.chat(List.of(Message.user("my card is lost")), Sampling.greedy(8), p -> {}))
          .isEqualTo("lost");
      model.frame(application);
      assertThat(
              model.evaluate(
                  List.of(Item.qa("i", "debit card", "lost", Map.of())), EXACT, Progress.NONE))
          .containsExactly(outcome);
    }
  }

  @Test
  void saysWhichRowCannotBeLearntFrom() throws IOException {
    Path broken =
        Files.writeString(dir.resolve("broken.jsonl"), "{\"id\":\"a\",\"text\":\"x\"}\n{\"id\":\n");
    Recipe recipe = recipe(Recipe.Method.FULL, 1);
    assertThatThrownBy(() -> train(foundation, null, broken, recipe, dir.resolve("x")))
        .hasMessageContaining("broken.jsonl, line 2");
    Path role =
        Files.writeString(
            dir.resolve("role.jsonl"),
            "{\"id\":\"a\",\"messages\":[{\"role\":\"boss\",\"content\":\"x\"},"
                + "{\"role\":\"assistant\",\"content\":\"y\"}]}\n");
    assertThatThrownBy(() -> train(foundation, null, role, recipe, dir.resolve("x")))
        .hasMessageContaining("row a")
        .hasMessageContaining("boss");
    Path text = Files.writeString(dir.resolve("some.txt"), "one\ntwo\n\n\nthree\n");
    assertThat(RowFile.read(text)).extracting(Row::text).containsExactly("one\ntwo", "three");
    assertThat(dir.resolve("x")).doesNotExist();
  }

  @Test
  void takesATokenizerFromAnotherModel() throws IOException {
    Path fresh = dir.resolve("fresh");
    ModelInitializer.initialize(
        foundation, new ModelInitializer.Shape(1, 16, 2, 2, 32, 1, 64), 3, fresh);
    assertThat(Files.readAllBytes(fresh.resolve("tokenizer.json")))
        .isEqualTo(Files.readAllBytes(foundation.resolve("tokenizer.json")));
    try (LanguageModel model = engine.load(fresh, null, null)) {
      assertThat(model.hasTemplate()).isTrue();
    }
    Files.writeString(
        fresh.resolve("tokenizer.json"),
        Files.readString(fresh.resolve("tokenizer.json"))
            .replaceFirst("\"id\" : 2,", "\"id\" : 9999,"));
    assertThatThrownBy(() -> engine.load(fresh, null, null)).hasMessageContaining("10000 tokens");
  }

  @Test
  void theFingerprintNamesLibraryAndBlas() {
    assertThat(engine.fingerprint())
        .startsWith("cambium-")
        .contains("pytorch-")
        .contains("threads-");
  }

  /** An adapter on the foundation with one token more, and the tokenizer that knows it. */
  private static Path resized() throws IOException {
    Path adapter = Files.createDirectories(dir.resolve("resized"));
    DecoderConfig config = DecoderConfig.read(foundation);
    ObjectNode tokenizer =
        (ObjectNode) Json.mapper().readTree(foundation.resolve("tokenizer.json").toFile());
    int added = config.vocabularySize();
    ((ArrayNode) tokenizer.path("added_tokens"))
        .addObject()
        .put("id", added)
        .put("content", "<|over|>")
        .put("special", true)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false);
    Json.mapper().writeValue(adapter.resolve("tokenizer.json").toFile(), tokenizer);
    Files.writeString(
        adapter.resolve("tokenizer_config.json"),
        "{\"bos_token\": \"<|im_start|>\", \"eos_token\": \"<|over|>\"}");
    Files.writeString(
        adapter.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"task_type\": \"CAUSAL_LM\", \"r\": 1, \"lora_alpha\": 2,"
            + " \"bias\": \"none\", \"target_modules\": [\"v_proj\"]}");
    int width = config.hiddenSize();
    SortedMap<String, Tensor> tensors = new TreeMap<>();
    String base = "base_model.model.model.";
    tensors.put(base + "embed_tokens.weight", random(added + 1, width));
    for (int layer = 0; layer < config.layers(); layer++) {
      String module = base + "layers." + layer + ".self_attn.v_proj.";
      tensors.put(module + "lora_A.weight", random(1, width));
      tensors.put(module + "lora_B.weight", random(config.keyValueHeads() * config.headDim(), 1));
    }
    SafetensorsWriter.write(
        adapter.resolve("adapter_model.safetensors"), tensors, Map.of("format", "pt"));
    return adapter;
  }

  private static Tensor random(long rows, long columns) {
    Random random = new Random(rows * 31 + columns);
    ByteBuffer bytes =
        ByteBuffer.allocate((int) (rows * columns * 4)).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putFloat((float) random.nextGaussian() * 0.1f);
    }
    return new Tensor(DType.F32, List.of(rows, columns), bytes.flip());
  }

  @Test
  void anAdapterBringsItsTokens() throws IOException {
    Path adapter = resized();
    int added = DecoderConfig.read(foundation).vocabularySize();
    try (RowEncoder own = RowEncoder.load(foundation);
        RowEncoder encoder = RowEncoder.load(foundation, adapter)) {
      assertThat(encoder.tokenizer().vocabularySize()).isEqualTo(added + 1);
      assertThat(encoder.tokenizer().specialToken("<|over|>")).contains(added);
      assertThat(encoder.tokenizer().eos()).contains(added);
      assertThat(encoder.tokenizer().stopIds()).contains(added);
      assertThat(encoder.tokenizer().encodeMarkup("a<|over|>")).endsWith(added);
      assertThat(encoder.tokenizer().encodePlain("<|over|>")).doesNotContain(added);
      assertThat(encoder.text("my card", 99).ids()).endsWith(added);
      // The template is the base's: the adapter brings none.
      List<Message> question = List.of(Message.user("my card is lost"));
      assertThat(encoder.prompt(question, List.of()))
          .containsExactly(own.prompt(question, List.of()));
    }
    try (LanguageModel model = engine.load(foundation, adapter, null)) {
      Sampling sampling = new Sampling(4, 0, 0, 1, 1);
      assertThat(model.chat(List.of(Message.user("my card <|over|>")), sampling, piece -> {}))
          .isNotNull();
    }
    Path merged = dir.resolve("resized-merged");
    engine.merge(foundation, adapter, merged);
    assertThat(DecoderConfig.read(merged).vocabularySize()).isEqualTo(added + 1);
    assertThat(ModelDirectory.inspect(merged).problems())
        .filteredOn(p -> p.severity() == Problem.Severity.REFUSED)
        .isEmpty();
    // Without the tokenizer the base's is taken, which has no name for the new row.
    Files.delete(adapter.resolve("tokenizer.json"));
    try (RowEncoder encoder = RowEncoder.load(foundation, adapter)) {
      assertThat(encoder.tokenizer().vocabularySize()).isEqualTo(added);
    }
  }
}
