package dev.cambium.loop.explain;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One step of an explanation.
 *
 * @param kind what it is: {@code version}, {@code parent}, {@code action}, {@code data}, {@code
 *     verdict}, {@code channel}, {@code campaign}
 * @param label the thing itself
 * @param detail the particulars
 * @param record index of the ledger record that says so; none for a heading
 * @param because what it rests on
 */
public record WhyNode(
    String kind,
    String label,
    @Nullable String detail,
    @Nullable Long record,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<WhyNode> because) {

  public WhyNode {
    because = List.copyOf(because);
  }
}
