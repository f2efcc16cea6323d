package dev.cambium.engine.backend;

/** More memory is needed than there is; found out before any of it was taken. */
public final class InsufficientMemoryException extends IllegalStateException {

  private static final long serialVersionUID = 1;

  private final long needed;
  private final long available;

  InsufficientMemoryException(String what, long needed, long available) {
    super(
        what
            + ": needs "
            + needed
            + " bytes of memory, "
            + available
            + " are available; nothing was allocated. Close other programs, raise the container's"
            + " limit, or use a smaller model.");
    this.needed = needed;
    this.available = available;
  }

  /** Bytes asked for. */
  public long needed() {
    return needed;
  }

  /** Bytes that could have been had. */
  public long available() {
    return available;
  }
}
