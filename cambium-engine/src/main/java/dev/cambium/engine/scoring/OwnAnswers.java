package dev.cambium.engine.scoring;

import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.generation.Completion;
import dev.cambium.engine.generation.Generator;
import dev.cambium.engine.generation.Sampling;
import dev.cambium.engine.text.Framing;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import dev.cambium.model.Message;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a model answers itself where rows have recorded answers, as far as a scorer finds it right:
 * rejection sampling (Yuan et al., 2023), one draw a question.
 */
public final class OwnAnswers {

  private static final Logger log = LoggerFactory.getLogger(OwnAnswers.class);

  private final Decoder decoder;
  private final RowEncoder encoder;
  private final Framing framing;

  /** Of a decoder, which has its adapter attached, if any. */
  public OwnAnswers(Decoder decoder, RowEncoder encoder, Framing framing) {
    this.decoder = decoder;
    this.encoder = encoder;
    this.framing = framing;
  }

  /**
   * Answers the last question of every conversation.
   *
   * @param rows those that are plain text, and those with tools, are passed over
   * @return rows in their order with the model's answer in place of the recorded one: where it is
   *     right, ended by the model itself, and not blank
   * @throws IllegalArgumentException if the scorer judges no generated answers
   */
  public List<Row> right(List<Row> rows, Scorer scorer, Sampling sampling, Progress progress) {
    AnswerJudge judge = AnswerJudge.of(scorer);
    List<Row> asked = new ArrayList<>();
    List<int[]> prompts = new ArrayList<>();
    for (Row row : rows) {
      if (row.text() == null && row.tools().isEmpty()) {
        try {
          int[] prompt = encoder.prompt(framing.messages(question(row)), framing.tools());
          if (prompt.length < decoder.config().contextLength()) {
            asked.add(row);
            prompts.add(prompt);
          }
        } catch (TemplateException | IllegalArgumentException e) {
          log.debug("row {} cannot be asked", row.id(), e);
        }
      }
    }
    progress.at("answer", 0, asked.size(), "");
    List<Completion> answers =
        new Generator(decoder, encoder.tokenizer().stopIds())
            .generate(prompts, sampling, done -> progress.at("answer", done, asked.size(), ""));
    List<Row> right = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Row row = asked.get(i);
      String answer = encoder.tokenizer().decode(answers.get(i).ids());
      if (answers.get(i).end() == Completion.End.STOPPED
          && !answer.isBlank()
          && judge.judge(item(row), answer) == Judgement.RIGHT) {
        List<Message> messages = new ArrayList<>(question(row));
        messages.add(Message.assistant(answer));
        right.add(new Row(row.id(), null, messages, row.tags()));
      }
    }
    return right;
  }

  private static List<Message> question(Row row) {
    return row.messages().subList(0, row.messages().size() - 1);
  }

  private static Item item(Row row) {
    Message answer = row.messages().get(row.messages().size() - 1);
    return new Item(row.id(), null, question(row), answer.content(), List.of(), row.tags());
  }
}
