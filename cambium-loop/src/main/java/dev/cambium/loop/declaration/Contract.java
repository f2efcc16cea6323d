package dev.cambium.loop.declaration;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a line must keep at every release.
 *
 * @param inherit whether the parent's contract holds as well
 * @param capabilities names, each once
 * @param budgets limits; where none is set here, the parent's hold if {@code inherit}
 * @param headroom how well versions must still learn; none says nothing about it, so that the
 *     parent's holds if {@code inherit}, and nothing is measured if there is none
 */
public record Contract(
    boolean inherit,
    List<String> capabilities,
    Budgets budgets,
    @Nullable HeadroomPolicy headroom) {

  public Contract {
    capabilities = List.copyOf(capabilities);
  }
}
