package dev.cambium.ledger;

/** Another process holds the ecosystem's lock; the message names it. */
public final class LockedException extends LedgerException {

  private static final long serialVersionUID = 1L;

  LockedException(String message) {
    super(message);
  }
}
