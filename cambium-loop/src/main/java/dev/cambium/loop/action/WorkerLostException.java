package dev.cambium.loop.action;

/**
 * What carries out actions was lost: a worker that was killed, hung, or could not start. It says
 * nothing about the action, so nothing is decided: the campaign stays open, and the next run goes
 * on from what is recorded.
 */
public final class WorkerLostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public WorkerLostException(String message) {
    super(message + "; nothing is lost: the same command goes on from here");
  }

  public WorkerLostException(String message, Throwable cause) {
    super(message + "; nothing is lost: the same command goes on from here", cause);
  }
}
