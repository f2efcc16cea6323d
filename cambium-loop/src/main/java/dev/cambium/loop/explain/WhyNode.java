package dev.cambium.loop.explain;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.model.Digest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One step of an explanation.
 *
 * @param kind what it is: {@code version}, {@code parent}, {@code predecessor}, {@code action},
 * @param kind what it is: {@code version}, {@code line}, {@code parent}, {@code predecessor},
 *     {@code action}, {@code recipe}, {@code mix}, {@code data}, {@code verdict}, {@code
 *     capability}, {@code inherited}, {@code waiver}, {@code channel}, {@code campaign}, {@code
 *     declaration}, {@code signal}, {@code decision}, {@code attempt}, {@code evaluation}, {@code
 *     settlement}, {@code outcome}
 * @param label the thing itself
 * @param detail the particulars
 * @param record index of the ledger record that says so; none for a heading
 * @param artifact what it says in full: data rows, a verdict, a version's manifest; none for most
 * @param because what it rests on
 */
public record WhyNode(
    String kind,
    String label,
    @Nullable String detail,
    @Nullable Long record,
    @Nullable Digest artifact,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<WhyNode> because) {

  public WhyNode {
    because = List.copyOf(because);
  }
}
