package dev.cambium.ledger;

import dev.cambium.model.Digest;
import java.util.Optional;

/** Looks at an artifact on behalf of the ledger, which holds only its digest. */
@FunctionalInterface
public interface ArtifactCheck {

  /** Looks at none, nor asks which there are. */
  ArtifactCheck NONE = artifact -> Optional.empty();

  /** What is wrong with an artifact: missing, or of another digest; nothing if all is well. */
  Optional<String> problem(Digest artifact);
}
