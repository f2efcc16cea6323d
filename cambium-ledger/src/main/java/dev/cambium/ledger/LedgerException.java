package dev.cambium.ledger;

import org.jspecify.annotations.Nullable;

/** Something went wrong with the ledger; the message says what, where and what to do. */
public class LedgerException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public LedgerException(String message) {
    super(message);
  }

  public LedgerException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
