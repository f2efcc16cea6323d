package dev.cambium.loop.declaration;

import dev.cambium.model.MergeMethod;
import java.util.List;

/**
 * How a line is made by merging others.
 *
 * @param from the lines whose stable versions are merged; built on the same line as this one
 * @param method for as many models
 */
public record Merging(List<String> from, MergeMethod method) {

  public Merging {
    from = List.copyOf(from);
  }
}
