package dev.cambium.loop.governor;

/**
 * The mode that a person wants for the next update of a line.
 *
 * @param reason why, for the record
 */
public record Wish(String line, Mode mode, String reason) {
  public Wish {
    if (reason.isBlank()) {
      throw new IllegalArgumentException(
          "say why " + line + " is to be updated by " + mode.label() + ": it is recorded");
    }
  }
}
