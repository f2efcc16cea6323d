package dev.cambium.artifact;

import dev.cambium.model.Digest;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A store in front of another, to which everything goes that is not overridden. */
public abstract class ForwardingArtifactStore implements ArtifactStore {

  private final ArtifactStore behind;

  /**
   * @param behind where everything goes
   */
  protected ForwardingArtifactStore(ArtifactStore behind) {
    this.behind = behind;
  }

  @Override
  public Digest put(byte[] bytes) {
    return behind.put(bytes);
  }

  @Override
  public Digest put(Path file) {
    return behind.put(file);
  }

  @Override
  public boolean renew(Digest digest) {
    return behind.renew(digest);
  }

  @Override
  public boolean has(Digest digest) {
    return behind.has(digest);
  }

  @Override
  public byte[] bytes(Digest digest) {
    return behind.bytes(digest);
  }

  @Override
  public InputStream open(Digest digest) {
    return behind.open(digest);
  }

  @Override
  public long size(Digest digest) {
    return behind.size(digest);
  }

  @Override
  public void verify(Digest digest) {
    behind.verify(digest);
  }

  @Override
  public void materialize(Digest digest, Path target) {
    behind.materialize(digest, target);
  }

  @Override
  public Stream<Digest> list() {
    return behind.list();
  }

  @Override
  public boolean delete(Digest digest) {
    return behind.delete(digest);
  }

  @Override
  public Collected collect(Supplier<Set<Digest>> reachable, Duration grace) {
    return behind.collect(reachable, grace);
  }
}
