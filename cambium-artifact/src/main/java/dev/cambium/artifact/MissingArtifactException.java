package dev.cambium.artifact;

import dev.cambium.model.Digest;

/** There is no object of that digest. */
public final class MissingArtifactException extends IntegrityException {

  private static final long serialVersionUID = 1L;

  /**
   * @param where the place that was looked at
   * @param expected the digest asked for
   */
  public MissingArtifactException(String where, Digest expected) {
    super(where, expected, "no such object");
  }
}
