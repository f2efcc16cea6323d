package dev.cambium.loop.gate;

import dev.cambium.model.Scorer;
import java.util.List;
import java.util.Set;
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
 * @param revision how the suite has changed since the version that would be replaced was released;
 *     none if it has not
 * @param searched items by which the candidate's or the reference's prompt was chosen; left out
 * @param remark what a person should know where this does not pass; none if there is nothing
 */
public record Requirement(
    String capability,
    Suite suite,
    Scorer scorer,
    double margin,
    @Nullable Double floor,
    List<String> sliceTags,
    double sliceMargin,
    int sliceItems,
    @Nullable Revision revision,
    Set<String> searched,
    @Nullable String remark) {

  /** Of a suite that has not changed. */
  public Requirement(
      String capability,
      Suite suite,
      Scorer scorer,
      double margin,
      @Nullable Double floor,
      List<String> sliceTags,
      double sliceMargin,
      int sliceItems) {
    this(
        capability,
        suite,
        scorer,
        margin,
        floor,
        sliceTags,
        sliceMargin,
        sliceItems,
        null,
        Set.of(),
        null);
  }

  public Requirement {
    sliceTags = List.copyOf(sliceTags);
    searched = Set.copyOf(searched);
  }

  /**
   * The share of intended items (see {@link Revision}) that a candidate must have right: the lowest
   * mean score that is acceptable at all or, where none is named, what a slice must keep.
   */
  double intendedFloor() {
    return floor == null ? 1 - sliceMargin : floor;
  }
}
