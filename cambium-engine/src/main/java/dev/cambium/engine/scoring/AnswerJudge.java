package dev.cambium.engine.scoring;

import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import dev.cambium.model.Scorer;

/** Compares what a model wrote with what is right. */
@FunctionalInterface
interface AnswerJudge {

  /**
   * Judges.
   *
   * @param output as generated; never blank
   */
  Judgement judge(Item item, String output);

  /**
   * The judge of a scorer.
   *
   * @throws IllegalArgumentException if the scorer judges no generated answers
   */
  static AnswerJudge of(Scorer scorer) {
    return switch (scorer.kind()) {
      case EXACT_MATCH -> AnswerJudge::exact;
      case NUMERIC -> Numbers::judge;
      case JSON -> new JsonAnswers(scorer.schema());
      case CHOICE, LIKELIHOOD, BYTE_LIKELIHOOD ->
          throw new IllegalArgumentException(
              "a scorer of kind " + scorer.kind() + " judges no answer that is generated");
    };
  }

  /** Equal, white space at the ends aside. */
  static Judgement exact(Item item, String output) {
    String answer = item.answer();
    if (answer == null || answer.isBlank()) {
      return Judgement.UNDECIDABLE;
    }
    return of(output.strip().equals(answer.strip()));
  }

  static Judgement of(boolean right) {
    return right ? Judgement.RIGHT : Judgement.WRONG;
  }
}
