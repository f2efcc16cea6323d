package dev.cambium.ledger;

/**
 * A fact contradicts what the ledger holds, or has no stable written form. Nothing was recorded.
 */
public final class InvalidFactException extends LedgerException {

  private static final long serialVersionUID = 1L;

  InvalidFactException(String message) {
    super(message);
  }
}
