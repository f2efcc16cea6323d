package dev.cambium.artifact;

import dev.cambium.artifact.s3.S3ArtifactStore;
import dev.cambium.artifact.s3.S3Settings;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Where an ecosystem's artifacts lie: in a folder of its own directory, written {@value #LOCAL}, or
 * in an object store, written {@code s3://BUCKET/PREFIX}; see {@link S3Settings} for what the
 * environment says about the latter.
 */
public final class ArtifactAddress {

  /** The written form of the folder in the ecosystem's own directory. */
  public static final String LOCAL = "local";

  /** Variable of the environment that overrides the declaration's address. */
  public static final String VARIABLE = "CAMBIUM_ARTIFACTS_URL";

  private final String written;
  private final Map<String, String> environment;

  private ArtifactAddress(String written, Map<String, String> environment) {
    this.written = written;
    this.environment = environment;
  }

  /**
   * The address that counts: the environment's, else the declared one, else {@value #LOCAL}.
   *
   * @param declared what the declaration says
   * @param environment as of {@link System#getenv()}
   * @throws IllegalArgumentException if it is none; the message does not repeat it
   */
  public static ArtifactAddress of(Optional<String> declared, Map<String, String> environment) {
    String overriding = environment.getOrDefault(VARIABLE, "");
    boolean overridden = !overriding.isBlank();
    String written = overridden ? overriding : declared.orElse(LOCAL);
    try {
      check(written);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          (overridden ? VARIABLE : "artifacts") + ": " + e.getMessage(), e);
    }
    return new ArtifactAddress(written, environment);
  }

  /**
   * Checks an address without looking into the environment.
   *
   * @throws IllegalArgumentException if it is none; the message does not repeat it
   */
  public static void check(String written) {
    if (written.equals(LOCAL)) {
      return;
    }
    if (!S3Settings.names(written)) {
      throw new IllegalArgumentException(
          "artifacts lie in '" + LOCAL + "' or in an object store such as s3://BUCKET/PREFIX");
    }
    S3Settings.check(written);
  }

  /** Whether it is the folder in the ecosystem's directory. */
  public boolean isLocal() {
    return written.equals(LOCAL);
  }

  /**
   * Opens the store.
   *
   * @param home folder of what is Cambium's own in the ecosystem's directory
   * @throws IllegalArgumentException if the environment lacks a key
   * @throws java.io.UncheckedIOException if it cannot be reached
   */
  public ArtifactStore open(Path home) {
    return isLocal()
        ? openItself(home)
        : new CachedArtifactStore(
            openItself(home), LocalArtifactStore.open(home.resolve("objects-near")));
  }

  /** Opens the store alone, without what is kept near a far one. */
  public ArtifactStore openItself(Path home) {
    return isLocal()
        ? LocalArtifactStore.open(home.resolve("objects"))
        : S3ArtifactStore.open(S3Settings.of(written, environment));
  }

  /** The written form; never a key. */
  @Override
  public String toString() {
    return written;
  }
}
