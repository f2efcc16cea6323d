package dev.cambium.loop.plan;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The searches that found the wording which a version of an application has. */
public final class PromptHistory {

  private PromptHistory() {}

  /**
   * The searches by which a version's wording was chosen, for itself or for another version of its
   * line that it has it from; empty if nobody searched for it.
   */
  public static List<Action.Prompt> of(
      LedgerState state, ArtifactStore store, Fact.VersionRegistered version) {
    List<Action.Prompt> searches = new ArrayList<>();
    if (version.kind() != VersionKind.APPLICATION) {
      return searches;
    }
    Optional<Digest> wording = wording(store, version);
    for (Recorded<Fact.VersionRegistered> other : state.versions(version.version().line())) {
      if (other.fact().rung() == Rung.PROMPT && wording.equals(wording(store, other.fact()))) {
        Optional.ofNullable(other.fact().action())
            .flatMap(state::action)
            .map(done -> Json.read(store.bytes(done.fact().spec()), Action.class))
            .ifPresent(
                action -> {
                  if (action instanceof Action.Prompt search) {
                    searches.add(search);
                  }
                });
      }
    }
    return searches;
  }

  private static Optional<Digest> wording(ArtifactStore store, Fact.VersionRegistered version) {
    return Json.read(store.bytes(version.manifest()), Manifest.class)
        .file(Application.FILE)
        .map(FileEntry::digest);
  }
}
