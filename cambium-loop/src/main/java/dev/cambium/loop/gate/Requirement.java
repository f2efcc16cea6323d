package dev.cambium.loop.gate;

import dev.cambium.model.Scorer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A contracted capability as a gate needs it.
 *
 * @param capability its name
 * @param suite what measures it
 * @param scorer how
 * @param margin how much the mean score may fall, in [0, 1)
 * @param floor lowest acceptable mean score, in (0, 1); none if the contract names none
 * @param sliceTags tags whose values make slices
 * @param sliceMargin the share of its right items that a slice may lose
 * @param sliceItems slices with fewer items than this are not judged; a PASS waits until each
 *     larger slice has been seen with at least this many
 */
public record Requirement(
    String capability,
    Suite suite,
    Scorer scorer,
    double margin,
    @Nullable Double floor,
    List<String> sliceTags,
    double sliceMargin,
    int sliceItems) {

  public Requirement {
    sliceTags = List.copyOf(sliceTags);
  }
}
