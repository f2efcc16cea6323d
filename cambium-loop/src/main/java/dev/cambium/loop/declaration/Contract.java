package dev.cambium.loop.declaration;

import java.util.List;

/**
 * What a line must keep at every release.
 *
 * @param inherit whether the parent's contract holds as well
 * @param capabilities names, each once
 * @param budgets limits; where none is set here, the parent's hold if {@code inherit}
 */
public record Contract(boolean inherit, List<String> capabilities, Budgets budgets) {

  public Contract {
    capabilities = List.copyOf(capabilities);
  }
}
