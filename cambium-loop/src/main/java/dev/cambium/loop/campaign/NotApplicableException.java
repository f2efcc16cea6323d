package dev.cambium.loop.campaign;

/** A way to a candidate cannot be taken here; the next one may. Its message says why. */
final class NotApplicableException extends Exception {
  private static final long serialVersionUID = 1L;

  NotApplicableException(String message) {
    super(message);
  }
}
