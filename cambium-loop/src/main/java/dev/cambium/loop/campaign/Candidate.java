package dev.cambium.loop.campaign;

import dev.cambium.model.Digest;
import dev.cambium.model.Manifest;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionRef;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A version to be, not registered yet.
 *
 * @param action that made it; none where only the parent changed
 * @param data artifacts of the training data that it has seen
 * @param sources versions that it was merged from
 * @param note how it came about
 */
record Candidate(
    Manifest manifest,
    @Nullable Rung rung,
    @Nullable Digest action,
    List<Digest> data,
    List<VersionRef> sources,
    String note) {

  Candidate(
      Manifest manifest,
      @Nullable Rung rung,
      @Nullable Digest action,
      List<Digest> data,
      String note) {
    this(manifest, rung, action, data, List.of(), note);
  }

  Candidate noted(String other) {
    return new Candidate(manifest, rung, action, data, sources, other);
  }
}
