package dev.cambium.loop.declaration;

import dev.cambium.model.Application;
import dev.cambium.model.Tier;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A line of versions.
 *
 * @param name unique in the ecosystem
 * @param tier its level
 * @param parent the line it is built on; none for a foundation
 * @param recipe how it is trained; none where it only comes by import, and for applications
 * @param merge the lines that it is merged from; none for a line that is trained or imported
 * @param applicationFile for {@link Tier#APPLICATION}: the file, relative to the ecosystem's
 *     directory
 * @param application what that file says
 * @param search what may be tried of it on a new parent; none where nothing is
 * @param contract as declared; see {@link Declaration#contract} for what holds
 */
public record Line(
    String name,
    Tier tier,
    @Nullable String parent,
    @Nullable String recipe,
    @Nullable Merging merge,
    @Nullable String applicationFile,
    @Nullable Application application,
    @Nullable PromptSpace search,
    Contract contract) {

  /** The lines that it is made from: the one that it is built on, then those it is merged from. */
  public List<String> above() {
    List<String> above = new ArrayList<>();
    if (parent != null) {
      above.add(parent);
    }
    if (merge != null) {
      above.addAll(merge.from());
    }
    return above;
  }
}
