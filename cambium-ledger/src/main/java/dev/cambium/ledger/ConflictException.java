package dev.cambium.ledger;

import java.util.List;
import java.util.stream.Collectors;

/** A precondition did not hold, because somebody else was first. Nothing was recorded. */
public final class ConflictException extends LedgerException {

  private static final long serialVersionUID = 1L;

  /**
   * A precondition that failed.
   *
   * @param precondition as it was given
   * @param expected in words
   * @param found in words
   */
  public record Conflict(Precondition precondition, String expected, String found) {}

  private final transient List<Conflict> conflicts;

  ConflictException(List<Conflict> conflicts) {
    super(
        conflicts.stream()
            .map(c -> "expected " + c.expected() + ", found " + c.found())
            .collect(
                Collectors.joining(
                    "; ",
                    "the ecosystem has changed: ",
                    ". Nothing was recorded; look at the state again and retry.")));
    this.conflicts = List.copyOf(conflicts);
  }

  /** Every precondition that failed. */
  public List<Conflict> conflicts() {
    return conflicts;
  }
}
