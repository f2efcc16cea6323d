package dev.cambium.engine;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.text.Encoded;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.engine.training.DataMix;
import dev.cambium.engine.training.TokenRow;
import dev.cambium.model.Message;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.VerbatimJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rows as a student and its teacher read them: the student's as tokens to learn from, and each
 * prompt in both forms. Of a conversation the last turn is the answer; a plain text is all answer.
 *
 * @param mix of the student's rows
 * @param prompts of conversations
 * @param endOfTurn the student's token at the end of an answer; −1 if there is none
 * @param theirEndOfTurn the teacher's
 */
record Lessons(DataMix mix, List<Prompt> prompts, int endOfTurn, int theirEndOfTurn) {

  /** Ids of one prompt. */
  record Prompt(int[] ours, int[] theirs) {}

  /**
   * Reads rows.
   *
   * @throws IllegalArgumentException naming the file and the row that one of the two cannot read,
   *     or the file without any row that both have room for
   */
  static Lessons read(
      List<TrainingJob.RowSource> sources,
      RowEncoder student,
      RowEncoder teacher,
      Recipe recipe,
      DecoderConfig teacherConfig) {
    List<DataMix.Source> mix = new ArrayList<>();
    List<Prompt> prompts = new ArrayList<>();
    int[] ends = {-1, -1};
    for (int i = 0; i < sources.size(); i++) {
      Path file = sources.get(i).rows();
      List<TokenRow> rows = new ArrayList<>();
      for (Row row : RowFile.read(file)) {
        try {
          read(row, student, teacher, recipe.maxTokens(), teacherConfig, rows, prompts, ends);
        } catch (TemplateException | IllegalArgumentException e) {
          throw new IllegalArgumentException(file + ", row " + row.id() + ": " + e.getMessage(), e);
        }
      }
      if (rows.isEmpty()) {
        throw new IllegalArgumentException(
            file + " has no rows that student and teacher have room for");
      }
      mix.add(new DataMix.Source("source " + (i + 1), sources.get(i).weight(), rows));
    }
    if (ends[0] < 0) {
      ends[0] = student.tokenizer().eos().orElse(-1);
      ends[1] = teacher.tokenizer().eos().orElse(-1);
    }
    return new Lessons(new DataMix(mix), List.copyOf(prompts), ends[0], ends[1]);
  }

  private static void read(
      Row row,
      RowEncoder student,
      RowEncoder teacher,
      int maxTokens,
      DecoderConfig teacherConfig,
      List<TokenRow> rows,
      List<Prompt> prompts,
      int[] ends) {
    Encoded encoded = student.row(row, Integer.MAX_VALUE);
    Encoded theirs = teacher.row(row, Integer.MAX_VALUE);
    int end = lastSupervised(encoded) + 1;
    int theirEnd = lastSupervised(theirs) + 1;
    int begin = begin(encoded, end);
    // The teacher reads at most what the student says, in its own tokens, some of which are
    // shorter.
    int room = teacherConfig.contextLength() - 2 * Math.min(maxTokens, end - begin);
    if (end - begin < 1 || begin < 1 || begin >= maxTokens || begin(theirs, theirEnd) > room) {
      return;
    }
    rows.add(TokenRow.from(Arrays.copyOf(encoded.ids(), end), begin));
    if (row.text() == null) {
      List<Message> asked = row.messages().subList(0, row.messages().size() - 1);
      prompts.add(
          new Prompt(
              Arrays.copyOf(encoded.ids(), begin),
              asked.isEmpty()
                  ? Arrays.copyOf(theirs.ids(), begin(theirs, theirEnd))
                  : teacher.prompt(asked, VerbatimJson.trees(row.tools()))));
      ends[0] = encoded.ids()[end - 1];
      ends[1] = theirs.ids()[theirEnd - 1];
    }
  }

  private static int lastSupervised(Encoded encoded) {
    int last = encoded.ids().length - 1;
    while (last >= 0 && !encoded.supervised()[last]) {
      last--;
    }
    return last;
  }

  /** Where the answer begins that ends before a position. */
  private static int begin(Encoded encoded, int end) {
    int begin = end;
    while (begin > 0 && encoded.supervised()[begin - 1]) {
      begin--;
    }
    return begin;
  }
}
