package dev.cambium.artifact;

import dev.cambium.model.Digest;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;

/**
 * Hashes what it passes on, and checks the digest at the end: the read that would return the end
 * throws {@link IntegrityException} if it does not fit.
 */
public final class VerifyingStream extends FilterInputStream {

  private static final int BUFFER = 1 << 16;

  private final String where;
  private final Digest expected;
  private final MessageDigest digest = Digest.sha256();
  private boolean verified;

  /**
   * @param where what is read, for messages
   * @param expected the digest that it must have
   */
  public VerifyingStream(InputStream in, String where, Digest expected) {
    super(in);
    this.where = where;
    this.expected = expected;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int n = in.read(target, offset, length);
    if (n > 0) {
      digest.update(target, offset, n);
    } else if (n < 0 && !verified) {
      Digest found = Digest.ofRaw(digest.digest());
      if (!found.equals(expected)) {
        throw new IntegrityException(where, expected, found.toString());
      }
      verified = true;
    }
    return n;
  }

  @Override
  public long skip(long count) throws IOException {
    byte[] skipped = new byte[(int) Math.min(Math.max(count, 0), BUFFER)];
    return Math.max(0, read(skipped, 0, skipped.length));
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
