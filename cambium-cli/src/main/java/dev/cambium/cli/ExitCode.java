package dev.cambium.cli;

import dev.cambium.artifact.IntegrityException;
import dev.cambium.artifact.safetensors.SafetensorsException;
import dev.cambium.ledger.ConflictException;
import dev.cambium.ledger.LockedException;
import dev.cambium.loop.data.DataException;
import dev.cambium.loop.declaration.DeclarationException;
import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import org.jspecify.annotations.Nullable;

/** What a script can tell from how a command ended; the only place where that is decided. */
final class ExitCode {

  /** It was done. */
  static final int DONE = 0;

  /** It failed for a reason that none of the others names. */
  static final int OTHER = 1;

  /** What was asked for, or what was given, cannot be used as it is. */
  static final int USAGE = 2;

  /** A gate rejected it. */
  static final int REJECTED = 3;

  /** The evidence does not suffice, or a decision is waited for. */
  static final int INCONCLUSIVE = 4;

  /** Another process was first, or holds the lock. */
  static final int CONFLICT = 5;

  /** Something is not what the ledger says it is. */
  static final int INTEGRITY = 6;

  private ExitCode() {}

  /** The code of a failure. */
  static int of(Throwable failure) {
    if (failure instanceof ConflictException || failure instanceof LockedException) {
      return CONFLICT;
    }
    if (failure instanceof IntegrityException) {
      return INTEGRITY;
    }
    if (failure instanceof DeclarationException
        || failure instanceof DataException
        || failure instanceof SafetensorsException
        || failure instanceof IllegalArgumentException) {
      return USAGE;
    }
    return OTHER;
  }

  /** The code of a verdict. */
  static int of(Decision decision) {
    return switch (decision) {
      case PASS -> DONE;
      case FAIL -> REJECTED;
      case INCONCLUSIVE -> INCONCLUSIVE;
    };
  }

  /**
   * The code of a campaign's end.
   *
   * @param outcome none while a decision is waited for
   */
  static int of(Fact.@Nullable CampaignOutcome outcome) {
    if (outcome == null) {
      return INCONCLUSIVE;
    }
    return switch (outcome) {
      case RELEASED, DECLINED -> DONE;
      case REJECTED -> REJECTED;
      case INCONCLUSIVE -> INCONCLUSIVE;
    };
  }
}
