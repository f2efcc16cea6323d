package dev.cambium.loop.declaration;

import com.fasterxml.jackson.annotation.JsonIgnore;
import org.jspecify.annotations.Nullable;

/**
 * What a version may cost.
 *
 * @param maxSizeMb size of the version's own files in megabytes (10⁶ bytes); none for no limit
 * @param maxMsPerItem mean wall time per evaluated item in milliseconds; none for no limit
 */
public record Budgets(@Nullable Double maxSizeMb, @Nullable Double maxMsPerItem) {

  /** No limits. */
  public static final Budgets NONE = new Budgets(null, null);

  /** These limits, and the parent's where these set none. */
  Budgets or(Budgets parent) {
    return new Budgets(
        maxSizeMb != null ? maxSizeMb : parent.maxSizeMb,
        maxMsPerItem != null ? maxMsPerItem : parent.maxMsPerItem);
  }

  /** Whether nothing is limited. */
  @JsonIgnore
  public boolean isEmpty() {
    return equals(NONE);
  }
}
