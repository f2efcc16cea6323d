package dev.cambium.ledger;

/**
 * The database failed while committing and could not be asked afterwards, so that nobody knows
 * whether the records are in. Open the ledger again and look before doing anything else.
 */
public final class UnknownOutcomeException extends LedgerException {

  private static final long serialVersionUID = 1L;

  UnknownOutcomeException(String message, Throwable cause) {
    super(message, cause);
  }
}
