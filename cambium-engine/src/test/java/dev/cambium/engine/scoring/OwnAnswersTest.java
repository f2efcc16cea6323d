package dev.cambium.engine.scoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.generation.Completion;
import dev.cambium.engine.generation.Generator;
import dev.cambium.engine.generation.Sampling;
import dev.cambium.engine.text.BpeTrainer;
import dev.cambium.engine.text.Framing;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.Texts;
import dev.cambium.model.Message;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.VerbatimJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept, against a model whose answers are asked for one by one. */
class OwnAnswersTest {

  private static final Scorer EXACT = new Scorer(ScorerKind.EXACT_MATCH, 12, null);

  @TempDir static Path dir;
  private static RowEncoder encoder;
  private static Decoder decoder;

  /** A model that soon says that it is done: the token that ends a turn has the largest weights. */
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
    String head =
        decoder.config().tiedEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight";
    float[] weights = decoder.read(head);
    for (int stop : encoder.tokenizer().stopIds()) {
      for (int i = 0; i < 32; i++) {
        weights[stop * 32 + i] *= 1.7f;
      }
    }
    decoder.write(head, weights);
  }

  @AfterAll
  static void close() {
    decoder.close();
    encoder.close();
  }

  private static List<Row> right(
      Decoder model, List<Row> rows, Scorer scorer, double temperature, long seed) {
    return new OwnAnswers(model, encoder, Framing.NONE)
        .right(rows, scorer, new Sampling(12, temperature, 0, 1, seed), Progress.NONE);
  }

  /** Rows whose recorded answer is never the model's. */
  private static List<Row> questions(int count) {
    List<Row> rows = new ArrayList<>();
    List<String> texts = Texts.some(count, 9);
    for (int i = 0; i < count; i++) {
      rows.add(Row.qa("q" + i, texts.get(i), "never this", Map.of("n", "" + i)));
    }
    return rows;
  }

  private static Completion alone(Row row) {
    int[] prompt = encoder.prompt(row.messages().subList(0, 1), List.of());
    return new Generator(decoder, encoder.tokenizer().stopIds())
        .generate(List.of(prompt), Sampling.greedy(12), done -> {})
        .get(0);
  }

  private static Row answered(Row row, String answer) {
    return Row.qa(row.id(), row.messages().get(0).content(), answer, row.tags());
  }

  @Test
  void keepsWhatTheModelEndedAndTheScorerFindsRight() {
    List<Row> rows = new ArrayList<>();
    List<Row> expected = new ArrayList<>();
    int cut = 0;
    for (Row row : questions(40)) {
      Completion completion = alone(row);
      String answer = encoder.tokenizer().decode(completion.ids());
      boolean ended = completion.end() == Completion.End.STOPPED && !answer.isBlank();
      cut += completion.end() == Completion.End.LENGTH ? 1 : 0;
      if (rows.size() % 3 == 0) {
        rows.add(row); // a recorded answer that it does not give
      } else if (!answer.isBlank()) {
        rows.add(answered(row, "  " + answer.strip() + "\n"));
        if (ended) {
          expected.add(answered(row, answer));
        }
      } else {
        rows.add(row);
      }
    }
    assertThat(expected).as("or the test shows nothing").hasSizeGreaterThan(3);
    assertThat(cut).as("answers that were cut are no answers").isPositive();
    assertThat(right(decoder, rows, EXACT, 0, 0)).isEqualTo(expected);
  }

  @Test
  void drawsAreThoseOfTheGeneratorWithTheSameSeed() {
    List<Row> asked = questions(60);
    List<int[]> prompts =
        asked.stream().map(r -> encoder.prompt(r.messages().subList(0, 1), List.of())).toList();
    List<Completion> drawn =
        new Generator(decoder, encoder.tokenizer().stopIds())
            .generate(prompts, new Sampling(12, 1, 0, 1, 5), done -> {});
    List<Row> rows = new ArrayList<>();
    List<Row> expected = new ArrayList<>();
    for (int i = 0; i < drawn.size(); i++) {
      String answer = encoder.tokenizer().decode(drawn.get(i).ids());
      rows.add(answered(asked.get(i), answer.isBlank() ? "never this" : answer));
      if (drawn.get(i).end() == Completion.End.STOPPED && !answer.isBlank()) {
        expected.add(rows.get(i));
      }
    }
    assertThat(expected).hasSizeGreaterThan(3);
    assertThat(right(decoder, rows, EXACT, 1, 5)).isEqualTo(expected);
    assertThat(right(decoder, rows, EXACT, 1, 6)).hasSizeLessThan(expected.size());
  }

  @Test
  void passesOverTextToolsAndWhatDoesNotFit() {
    Row text = Row.text("t", "some text");
    Row tools =
        new Row(
            "u",
            null,
            List.of(Message.user("a"), Message.assistant("b")),
            List.of(new VerbatimJson("{\"type\":\"function\",\"function\":{\"name\":\"f\"}}")),
            Map.of());
    Row long1 = Row.qa("v", "word ".repeat(300), "b", Map.of());
    Row unlabelled = Row.qa("w", "my card", " ", Map.of());
    assertThat(right(decoder, List.of(text, tools, long1, unlabelled), EXACT, 0, 0)).isEmpty();
    assertThat(right(decoder, List.of(), EXACT, 0, 0)).isEmpty();
  }

  @Test
  void aModelThatIsBrokenHasNothingToSay() {
    try (Decoder broken = decoder.copy()) {
      float[] norm = broken.read("model.norm.weight");
      Arrays.fill(norm, Float.NaN);
      broken.write("model.norm.weight", norm);
      assertThat(right(broken, questions(3), EXACT, 0, 0)).isEmpty();
      assertThat(right(broken, questions(3), EXACT, 1, 0)).isEmpty();
    }
  }

  @Test
  void likelihoodsJudgeNoAnswers() {
    assertThatThrownBy(() -> right(decoder, questions(1), Scorer.of(ScorerKind.LIKELIHOOD), 0, 0))
        .hasMessageContaining("judges no answer that is generated");
  }
}
