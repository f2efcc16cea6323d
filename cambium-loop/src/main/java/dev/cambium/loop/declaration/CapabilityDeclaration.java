package dev.cambium.loop.declaration;

import dev.cambium.model.Scorer;
import org.jspecify.annotations.Nullable;

/**
 * A skill that somebody depends on.
 *
 * @param name as contracts refer to it
 * @param owner who is told when it breaks
 * @param suite file of its items, relative to the ecosystem's directory
 * @param scorer how an answer is judged; a JSON schema is read in already
 * @param schema the file that the scorer's schema came from, if any
 * @param margin largest tolerated drop of the mean score against the released version, in (0, 1)
 * @param floor lowest acceptable mean score of a first release, in [0, 1]; 0 where none is declared
 * @param slices guards on slices, if wanted
 */
public record CapabilityDeclaration(
    String name,
    String owner,
    String suite,
    Scorer scorer,
    @Nullable String schema,
    double margin,
    double floor,
    @Nullable SlicePolicy slices) {

  /** The margin where none is declared. */
  public static final double DEFAULT_MARGIN = 0.05;
}
