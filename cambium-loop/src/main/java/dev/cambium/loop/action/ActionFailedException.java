package dev.cambium.loop.action;

/** An action could not be carried out. The ecosystem is as it was before. */
public final class ActionFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ActionFailedException(String message) {
    super(message);
  }

  public ActionFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
