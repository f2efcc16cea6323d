package dev.cambium.loop.declaration;

import java.util.List;
import java.util.stream.Collectors;

/** A declaration that cannot be used. The message has one line for each problem. */
public final class DeclarationException extends RuntimeException {

  private final List<Problem> problems;

  /** With at least one problem. */
  public DeclarationException(List<Problem> problems) {
    super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    this.problems = List.copyOf(problems);
  }

  /** Every problem that was found, in the order of the file. */
  public List<Problem> problems() {
    return problems;
  }
}
