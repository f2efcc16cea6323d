package dev.cambium.artifact;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A store that is far away, with a store in a folder in front of it that keeps what was read or
 * written. The far one alone says what there is; the near one may be deleted at any time. Objects
 * never change and every read verifies the digest, so that nothing near can be stale; what is
 * corrupt there is fetched anew.
 *
 * <p>Larger objects than {@value #LARGEST} bytes are not kept: they are a model's weights, which
 * {@link #materialize} lays out as files anyway, where whoever laid them out keeps them.
 *
 * <p>{@link #verify} looks at the far one, whatever is near.
 */
public final class CachedArtifactStore extends ForwardingArtifactStore {

  /** Bytes of the largest object that is kept. */
  static final long LARGEST = 32 << 20;

  private final ArtifactStore far;
  private final ArtifactStore near;

  /**
   * @param far the store
   * @param near keeps what was used
   */
  public CachedArtifactStore(ArtifactStore far, ArtifactStore near) {
    super(far);
    this.far = far;
    this.near = near;
  }

  @Override
  public Digest put(byte[] bytes) {
    Digest digest = far.put(bytes);
    if (bytes.length <= LARGEST) {
      near.put(bytes);
    }
    return digest;
  }

  @Override
  public Digest put(Path file) {
    Digest digest = far.put(file);
    try {
      if (Files.size(file) <= LARGEST) {
        near.put(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e, e);
    }
    return digest;
  }

  @Override
  public byte[] bytes(Digest digest) {
    try {
      return near.bytes(digest);
    } catch (IntegrityException absent) {
      byte[] bytes = far.bytes(digest);
      if (bytes.length <= LARGEST) {
        near.put(bytes);
      }
      return bytes;
    }
  }

  @Override
  public InputStream open(Digest digest) {
    try {
      return isNear(digest) ? near.open(digest) : far.open(digest);
    } catch (IntegrityException corrupt) {
      return far.open(digest); // which says so when all is read
    }
  }

  /** Whether a small object is at hand and sound, after fetching it if need be. */
  private boolean isNear(Digest digest) {
    try {
      near.verify(digest);
      return true;
    } catch (IntegrityException absent) {
      if (far.size(digest) > LARGEST) {
        return false;
      }
      near.put(far.bytes(digest));
      return true;
    }
  }

  @Override
  public long size(Digest digest) {
    return near.has(digest) && isNear(digest) ? near.size(digest) : far.size(digest);
  }

  @Override
  public void materialize(Digest digest, Path target) {
    if (isNear(digest)) {
      near.materialize(digest, target);
    } else {
      far.materialize(digest, target);
    }
  }

  @Override
  public boolean delete(Digest digest) {
    near.delete(digest);
    return far.delete(digest);
  }

  @Override
  public Collected collect(Supplier<Set<Digest>> reachable, Duration grace) {
    Collected collected = far.collect(reachable, grace);
    collected.deleted().forEach(near::delete);
    return collected;
  }
}
