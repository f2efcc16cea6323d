package dev.cambium.report;

import java.util.List;

/**
 * Names with their values, as a list.
 *
 * @param terms in their order
 */
public record Terms(List<Term> terms) implements Block {

  /**
   * A name with its value.
   *
   * @param exact whether the value is something to copy, such as a digest or a command
   */
  public record Term(String name, String value, boolean exact) {}

  public Terms {
    terms = List.copyOf(terms);
  }
}
