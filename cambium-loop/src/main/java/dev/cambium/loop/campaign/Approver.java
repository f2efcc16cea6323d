package dev.cambium.loop.campaign;

import java.util.Optional;

/** Asks a person at a decision point. */
@FunctionalInterface
public interface Approver {

  /** Approves everything; for unattended runs that somebody started as such. */
  Approver ALWAYS = (point, question) -> Optional.of(new Answer(true, "approved beforehand"));

  /** Answers nothing: the campaign stops at its first decision point and waits. */
  Approver NOBODY = (point, question) -> Optional.empty();

  /**
   * What the person said.
   *
   * @param reason recorded with the decision
   */
  record Answer(boolean approved, String reason) {}

  /**
   * Asks.
   *
   * @param point names the decision point, such as {@code retrain cards}
   * @param question for the person, with what it would cost
   * @return nothing if nobody could be asked
   */
  Optional<Answer> ask(String point, String question);
}
