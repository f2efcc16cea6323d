package dev.cambium.loop.governor;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.model.Protection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How an update is to be made, and why; part of a campaign's plan.
 *
 * @param mode how
 * @param asked what the rules asked for; another where the line has no way for it, or no budget
 * @param protect what the recipe gets in addition to what it says itself; none adds nothing
 * @param reasons sentences for people
 * @param readings what was known
 * @param overruled set when a person chose otherwise
 */
public record Choice(
    Mode mode,
    Mode asked,
    @Nullable Protection protect,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> reasons,
    Readings readings,
    @Nullable Overruled overruled) {

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Choice {
    reasons = reasons == null ? List.of() : List.copyOf(reasons);
  }

  /**
   * A person's choice in place of the rules'.
   *
   * @param actor who
   * @param reason why
   * @param instead of what
   */
  public record Overruled(String actor, String reason, Mode instead) {}
}
