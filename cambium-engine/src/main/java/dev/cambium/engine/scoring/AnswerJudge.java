package dev.cambium.engine.scoring;

import dev.cambium.model.Item;
import dev.cambium.model.Judgement;

/** Compares what a model wrote with what is right. */
@FunctionalInterface
interface AnswerJudge {

  /**
   * Judges.
   *
   * @param output as generated; never blank
   */
  Judgement judge(Item item, String output);

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
