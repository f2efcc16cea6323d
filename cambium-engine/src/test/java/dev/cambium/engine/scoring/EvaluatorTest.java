package dev.cambium.engine.scoring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Logits;
import dev.cambium.engine.text.BpeTrainer;
import dev.cambium.engine.text.Encoded;
import dev.cambium.engine.text.Framing;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.Texts;
import dev.cambium.model.Application;
import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluatorTest {

  @TempDir static Path dir;
  private static RowEncoder encoder;
  private static Decoder decoder;
  private static final Scorer EXACT = new Scorer(ScorerKind.EXACT_MATCH, 6, null);

  @BeforeAll
  static void make() throws IOException {
    BpeTrainer trainer = new BpeTrainer();
    Texts.some(200, 1).forEach(trainer::add);
    int size = trainer.train(320, dir);
    encoder = RowEncoder.load(dir);
    decoder =
        Decoder.random(
            DecoderConfig.builder()
                .hiddenSize(32)
                .layers(2)
                .heads(2)
                .vocabularySize(size)
                .maxPositions(128)
                .initializerRange(0.4)
                .build(),
            2);
  }

  @AfterAll
  static void close() {
    decoder.close();
    encoder.close();
  }

  private static List<Outcome> evaluate(Decoder model, List<Item> items, Scorer scorer) {
    return new Evaluator(model, encoder, Framing.NONE).evaluate(items, scorer, Progress.NONE);
  }

  private static List<Item> questions(int count) {
    List<Item> items = new ArrayList<>();
    List<String> texts = Texts.some(count, 9);
    for (int i = 0; i < count; i++) {
      items.add(Item.qa("q" + i, texts.get(i), "never this", Map.of()));
    }
    return items;
  }

  /** Log-probability of an answer, token by token from all logits. */
  private static double naive(List<Message> messages, String answer) {
    int prompt = encoder.prompt(messages, List.of()).length;
    List<Message> all = new ArrayList<>(messages);
    all.add(Message.assistant(answer));
    return naive(encoder.conversation(all, List.of(), 999).ids(), prompt);
  }

  /** The same, from one row alone. */
  private static double alone(List<Message> messages, String answer) {
    int prompt = encoder.prompt(messages, List.of()).length;
    List<Message> all = new ArrayList<>(messages);
    all.add(Message.assistant(answer));
    int[][] row = {encoder.conversation(all, List.of(), 999).ids()};
    double sum = 0;
    for (float one : decoder.logProbabilities(row, new int[] {prompt})[0]) {
      sum += one;
    }
    return sum;
  }

  private static double naive(int[] ids, int from) {
    double sum = 0;
    for (int t = from; t < ids.length; t++) {
      try (Logits logits = decoder.logits(new int[][] {ids}, new int[][] {{t - 1}})) {
        float[] line = logits.line(0);
        double total = 0;
        for (float one : line) {
          total += Math.exp(one);
        }
        sum += line[ids[t]] - Math.log(total);
      }
    }
    return sum;
  }

  @Test
  void choosesTheLikeliestChoice() {
    List<Item> items = new ArrayList<>();
    List<String> choices = List.of("yes", "the card", "lost or stolen?", "7", "Not now.");
    for (Item question : questions(40)) {
      items.add(new Item(question.id(), null, question.messages(), "the card", choices, Map.of()));
    }
    List<Outcome> outcomes = evaluate(decoder, items, Scorer.of(ScorerKind.CHOICE));
    for (int i = 0; i < items.size(); i++) {
      List<Message> messages = items.get(i).messages();
      String best =
          choices.stream()
              .max(java.util.Comparator.comparingDouble(c -> naive(messages, c)))
              .orElseThrow();
      assertThat(outcomes.get(i).output()).isEqualTo(best);
      assertThat(outcomes.get(i).item()).isEqualTo("q" + i);
      assertThat(outcomes.get(i).judgement())
          .isEqualTo(best.equals("the card") ? Judgement.RIGHT : Judgement.WRONG);
    }
  }

  @Test
  void manyLongChoicesUnderOneInstructionAreScoredAsAlone() {
    Application application = new Application("pay or block it?", null, List.of(), 5, 0);
    Framing framing = new Framing(Optional.of(application));
    List<String> choices = new ArrayList<>();
    for (String text : Texts.some(900, 5)) {
      if (text.length() < 40 && !choices.contains(text)) {
        choices.add(text); // together more than are read at once
      }
    }
    assertThat(choices.stream().mapToInt(c -> encoder.tokenizer().encodePlain(c).length).sum())
        .isGreaterThan(1_024);
    List<Item> items = new ArrayList<>();
    for (Item question : questions(2)) {
      List<String> own = items.size() % 2 == 0 ? choices : choices.subList(0, 20);
      items.add(new Item(question.id(), null, question.messages(), choices.get(3), own, Map.of()));
    }
    Evaluator evaluator = new Evaluator(decoder, encoder, framing);
    List<Outcome> together = evaluator.evaluate(items, Scorer.of(ScorerKind.CHOICE), Progress.NONE);
    for (int i = 0; i < items.size(); i++) {
      List<Message> messages = framing.messages(items.get(i).messages());
      String best =
          items.get(i).choices().stream()
              .max(java.util.Comparator.comparingDouble(c -> alone(messages, c)))
              .orElseThrow();
      assertThat(together.get(i).output()).isEqualTo(best);
    }
  }

  @Test
  void measuresTheLikelihoodOfTextsAndAnswers() {
    List<Item> items = new ArrayList<>();
    for (String text : Texts.some(12, 4)) {
      items.add(new Item("t" + items.size(), text, List.of(), null, List.of(), Map.of()));
    }
    for (Item question : questions(12)) {
      items.add(
          Item.qa("a" + items.size(), question.messages().get(0).content(), "blocked", Map.of()));
    }
    List<Outcome> outcomes = evaluate(decoder, items, Scorer.of(ScorerKind.LIKELIHOOD));
    for (int i = 0; i < items.size(); i++) {
      Item item = items.get(i);
      double mean;
      if (item.text() != null) {
        Encoded encoded = encoder.text(item.text(), 128);
        mean = naive(encoded.ids(), 1) / (encoded.ids().length - 1);
      } else {
        int answer = encoder.tokenizer().encodePlain("blocked").length + 1;
        mean = naive(item.messages(), "blocked") / answer;
      }
      assertThat(outcomes.get(i).score()).isCloseTo(Math.exp(mean), within(1e-4));
      assertThat(outcomes.get(i).judgement())
          .isEqualTo(mean >= Math.log(0.5) ? Judgement.RIGHT : Judgement.WRONG);
    }
  }

  /** However a text is cut, its bytes are the same. */
  @Test
  void measuresTheLikelihoodOfBytes() {
    List<Item> items = new ArrayList<>();
    List<String> texts = new ArrayList<>(Texts.some(6, 4));
    texts.add("Grüße, 3 € 🙂");
    for (String text : texts) {
      items.add(new Item("t" + items.size(), text, List.of(), null, List.of(), Map.of()));
    }
    items.add(Item.qa("a", questions(1).get(0).messages().get(0).content(), "blocked", Map.of()));
    List<Outcome> byToken = evaluate(decoder, items, Scorer.of(ScorerKind.LIKELIHOOD));
    List<Outcome> byByte = evaluate(decoder, items, Scorer.of(ScorerKind.BYTE_LIKELIHOOD));
    for (int i = 0; i < items.size(); i++) {
      String text = items.get(i).text();
      double tokens;
      double bytes;
      if (text == null) {
        tokens = encoder.tokenizer().encodePlain("blocked").length + 1;
        bytes = "blocked".length() + 1;
      } else {
        int[] ids = encoder.text(text, 128).ids();
        tokens = ids.length - 1;
        bytes =
            text.getBytes(UTF_8).length
                - encoder.tokenizer().decode(new int[] {ids[0]}).getBytes(UTF_8).length;
      }
      double nats = -Math.log(byToken.get(i).score()) * tokens;
      assertThat(byByte.get(i).score()).isCloseTo(Math.exp(-nats / bytes), within(1e-4));
      assertThat(byByte.get(i).output()).endsWith("nats a byte");
    }
  }

  @Test
  void comparesWhatWasGenerated() {
    List<Item> items = questions(30);
    List<Outcome> first = evaluate(decoder, items, EXACT);
    List<Item> withAnswers = new ArrayList<>();
    int answered = 0;
    for (int i = 0; i < items.size(); i++) {
      boolean decided = first.get(i).judgement() != Judgement.UNDECIDABLE;
      assertThat(first.get(i).judgement()).isNotEqualTo(Judgement.RIGHT);
      String answer = decided && i % 2 == 0 ? first.get(i).output() : "other";
      answered += decided ? 1 : 0;
      withAnswers.add(Item.qa("q" + i, items.get(i).messages().get(0).content(), answer, Map.of()));
    }
    assertThat(answered).isGreaterThan(10);
    List<Outcome> second = evaluate(decoder, withAnswers, EXACT);
    for (int i = 0; i < items.size(); i++) {
      assertThat(second.get(i).output()).isEqualTo(first.get(i).output());
      if (first.get(i).judgement() != Judgement.UNDECIDABLE) {
        assertThat(second.get(i).judgement())
            .isEqualTo(i % 2 == 0 ? Judgement.RIGHT : Judgement.WRONG);
        assertThat(second.get(i).score()).isEqualTo(i % 2 == 0 ? 1 : 0);
      }
    }
  }

  @Test
  void whatCannotBeScoredIsUndecidableAndTheRestIsScored() {
    List<Item> items = new ArrayList<>(questions(2));
    items.add(Item.qa("long", "card ".repeat(500), "x", Map.of()));
    items.add(new Item("text", "only text", List.of(), "x", List.of(), Map.of()));
    items.add(
        new Item("answered", null, List.of(Message.assistant("x")), "x", List.of(), Map.of()));
    List<Outcome> outcomes = evaluate(decoder, items, EXACT);
    assertThat(outcomes)
        .extracting(Outcome::item)
        .containsExactly("q0", "q1", "long", "text", "answered");
    assertThat(outcomes.subList(2, 5))
        .allSatisfy(o -> assertThat(o.judgement()).isEqualTo(Judgement.UNDECIDABLE));
    assertThat(outcomes.get(2).output()).startsWith("[the prompt has ").contains("128");
  }

  @Test
  void progressNeverGoesBack() {
    for (ScorerKind kind : ScorerKind.values()) {
      List<Long> told = new ArrayList<>();
      List<Item> items = new ArrayList<>();
      for (Item question : questions(40)) {
        items.add(
            new Item(question.id(), null, question.messages(), "a", List.of("a", "b"), Map.of()));
      }
      new Evaluator(decoder, encoder, Framing.NONE)
          .evaluate(items, Scorer.of(kind), (task, done, total, note) -> told.add(done));
      assertThat(told).isSorted().startsWith(0L).endsWith(40L);
    }
  }

  @Test
  void aBrokenModelIsNeverRight() {
    try (Decoder broken = decoder.copy()) {
      float[] norm = broken.read("model.norm.weight");
      norm[0] = Float.NaN;
      broken.write("model.norm.weight", norm);
      for (ScorerKind kind : ScorerKind.values()) {
        Item item =
            new Item("i", null, List.of(Message.user("q")), "1", List.of("1", "2"), Map.of());
        Outcome outcome = evaluate(broken, List.of(item), Scorer.of(kind)).get(0);
        assertThat(outcome.judgement()).as("%s", kind).isEqualTo(Judgement.UNDECIDABLE);
        assertThat(outcome.score()).isZero();
      }
    }
  }

  @Test
  void anApplicationFramesTheConversation() {
    Application application = new Application("Be brief.", "Q: {input}", List.of(), 2, 0);
    Framing framing = new Framing(Optional.of(application));
    assertThat(
            framing.messages(List.of(Message.user("a"), Message.assistant("b"), Message.user("c"))))
        .containsExactly(
            Message.system("Be brief."),
            Message.user("a"),
            Message.assistant("b"),
            Message.user("Q: c"));
    assertThat(framing.messages(List.of(Message.system("Hi."), Message.user("c"))))
        .containsExactly(Message.system("Be brief.\n\nHi."), Message.user("Q: c"));
    assertThat(framing.maxNewTokens(64)).isEqualTo(2);
    Application taught =
        new Application(
            "Be brief.",
            "Q: {input}",
            List.of(new Application.Example("one?", "1"), new Application.Example("two?", "2")),
            List.of(),
            2,
            0);
    assertThat(
            new Framing(Optional.of(taught))
                .messages(List.of(Message.system("Hi."), Message.user("c"))))
        .as("examples come after the instruction, each asked as the user's turn is")
        .containsExactly(
            Message.system("Be brief.\n\nHi."),
            Message.user("Q: one?"),
            Message.assistant("1"),
            Message.user("Q: two?"),
            Message.assistant("2"),
            Message.user("Q: c"));

    List<Item> items = questions(5);
    List<Outcome> framed =
        new Evaluator(decoder, encoder, framing).evaluate(items, EXACT, Progress.NONE);
    List<Item> byHand =
        items.stream()
            .map(
                i -> new Item(i.id(), null, framing.messages(i.messages()), i.answer(), null, null))
            .toList();
    assertThat(evaluate(decoder, byHand, new Scorer(ScorerKind.EXACT_MATCH, 2, null)))
        .isEqualTo(framed);
  }
}
