package dev.cambium.loop;

import dev.cambium.loop.gate.Revision;
import dev.cambium.loop.gate.Suite;
import dev.cambium.model.Item;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A suite that is written otherwise than it is in force.
 *
 * @param capability that it measures
 * @param file in which it is written
 * @param inForce what counts
 * @param written what the file says
 */
public record SuiteChange(String capability, String file, Suite inForce, Suite written) {

  /**
   * One item that differs.
   *
   * @param before as it is in force; none if it was added
   * @param after as it is written; none if it was retired
   */
  public record OfItem(String item, @Nullable Item before, @Nullable Item after) {}

  /** What comes of it for comparisons. */
  public Revision revision() {
    return Revision.of(inForce, List.of(new Revision.Step(written, false, null)));
  }

  /** Every item that differs: replaced ones, then retired, then added ones. */
  public List<OfItem> items() {
    Revision revision = revision();
    List<OfItem> items = new ArrayList<>();
    for (Item item : written.items()) {
      Item was = revision.replaced().get(item.id());
      if (was != null) {
        items.add(new OfItem(item.id(), was, item));
      }
    }
    revision.retired().forEach(item -> items.add(new OfItem(item.id(), item, null)));
    for (Item item : written.items()) {
      if (revision.added().contains(item.id())) {
        items.add(new OfItem(item.id(), null, item));
      }
    }
    return items;
  }

  /** For people, such as {@code 12 items replaced, 3 retired, 20 added}. */
  public String summary() {
    Revision revision = revision();
    String counts =
        String.format(
            "%d replaced, %d retired, %d added",
            revision.replaced().size(), revision.retired().size(), revision.added().size());
    return revision.replaced().isEmpty()
            && revision.retired().isEmpty()
            && revision.added().isEmpty()
        ? "tags only"
        : counts;
  }
}
