package dev.cambium.loop.declaration;

import dev.cambium.loop.declaration.Node.Position;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The problems of one file, collected so that all of them can be told at once. */
final class Problems {

  private static final Comparator<Problem> PLACE =
      Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column);

  private final String file;
  private final List<Problem> errors = new ArrayList<>();
  private final List<Problem> warnings = new ArrayList<>();

  Problems(String file) {
    this.file = file;
  }

  /** Notes an error. */
  void add(@Nullable Position position, String message) {
    errors.add(problem(position, message));
  }

  /** Notes what is allowed and probably not meant. */
  void warn(@Nullable Position position, String message) {
    warnings.add(problem(position, message));
  }

  /** Takes over what was wrong in another file. */
  void addAll(Problems other) {
    errors.addAll(other.errors);
    warnings.addAll(other.warnings);
  }

  int errors() {
    return errors.size();
  }

  List<Problem> warnings() {
    return warnings.stream().sorted(PLACE).toList();
  }

  /** Throws if there was an error. */
  void raise() {
    if (!errors.isEmpty()) {
      throw new DeclarationException(errors.stream().sorted(PLACE).toList());
    }
  }

  private Problem problem(@Nullable Position position, String message) {
    return position == null
        ? new Problem(file, 0, 0, message)
        : new Problem(file, position.line(), position.column(), message);
  }
}
