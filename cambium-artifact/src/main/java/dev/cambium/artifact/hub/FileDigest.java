package dev.cambium.artifact.hub;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * What a hub says that a file's bytes are: SHA-256 of the bytes for large files, git's object name
 * for small ones (SHA-1 of {@code "blob SIZE\0"} and the bytes).
 *
 * @param hex lower-case
 */
record FileDigest(Kind kind, String hex) {

  enum Kind {
    SHA256("SHA-256", 64),
    GIT_BLOB("SHA-1", 40);

    private final String algorithm;
    private final int digits;

    Kind(String algorithm, int digits) {
      this.algorithm = algorithm;
      this.digits = digits;
    }
  }

  /** A digest by the length of its hexadecimal form; none if it is neither's. */
  static Optional<FileDigest> of(String text) {
    String hex = text.toLowerCase(Locale.ROOT);
    for (Kind kind : Kind.values()) {
      if (hex.length() == kind.digits && hex.matches("[0-9a-f]+")) {
        return Optional.of(new FileDigest(kind, hex));
      }
    }
    return Optional.empty();
  }

  /** From the {@code ETag} of an answer: {@code "abc"} or {@code W/"abc"}. */
  static Optional<FileDigest> ofTag(String tag) {
    return of(tag.replaceFirst("^W/", "").replace("\"", ""));
  }

  /** Begins to digest a file of so many bytes. */
  MessageDigest begin(long size) {
    try {
      MessageDigest digest = MessageDigest.getInstance(kind.algorithm);
      if (kind == Kind.GIT_BLOB) {
        digest.update(("blob " + size + "\0").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      }
      return digest;
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has " + kind.algorithm, e);
    }
  }

  /** The same kind of digest, of what was found. */
  FileDigest ended(MessageDigest digest) {
    return new FileDigest(kind, HexFormat.of().formatHex(digest.digest()));
  }

  @Override
  public String toString() {
    return (kind == Kind.SHA256 ? "sha256:" : "git:") + hex;
  }
}
