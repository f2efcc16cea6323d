package dev.cambium.loop.campaign;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.Ledger;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.action.VersionFiles;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionRef;

/**
 * What a campaign works with.
 *
 * @param declaration as recorded in the ledger at the moment
 * @param actor who runs it; recorded with every fact
 */
public record Workspace(
    Ledger ledger,
    ArtifactStore store,
    VersionFiles versions,
    ActionRunner actions,
    Declaration declaration,
    String actor) {

  /** A version as the ledger has it. */
  Fact.VersionRegistered registered(VersionRef ref) {
    return ledger.state().version(ref).orElseThrow().fact();
  }
}
