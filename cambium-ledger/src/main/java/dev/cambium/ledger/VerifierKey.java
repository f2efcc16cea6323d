package dev.cambium.ledger;

import dev.cambium.model.Digest;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/**
 * A named Ed25519 public key (RFC 8032), with the identity that C2SP signed-note gives it: the
 * first four bytes of SHA-256 over the name, a newline, the algorithm's byte 1 and the key.
 */
public final class VerifierKey {

  private static final byte ED25519 = 1;
  private static final int HASH_LENGTH = 4;
  private static final int RAW_LENGTH = Signatures.KEY_LENGTH;

  private final String name;
  private final byte[] raw;
  private final byte[] hash;

  private VerifierKey(String name, byte[] raw) {
    this.name = name;
    this.raw = raw;
    MessageDigest sha = Digest.sha256();
    sha.update(name.getBytes(StandardCharsets.UTF_8));
    sha.update((byte) '\n');
    sha.update(ED25519);
    this.hash = Arrays.copyOf(sha.digest(raw), HASH_LENGTH);
  }

  static VerifierKey of(String name, PublicKey key) {
    byte[] encoded = key.getEncoded();
    byte[] raw = Arrays.copyOfRange(encoded, encoded.length - RAW_LENGTH, encoded.length);
    return ofRaw(name, raw);
  }

  private static VerifierKey ofRaw(String name, byte[] raw) {
    if (name.isEmpty() || name.contains("+") || name.chars().anyMatch(Character::isWhitespace)) {
      throw new IllegalArgumentException(
          "a key's name has no space and no '+', and is not empty: '" + name + "'");
    }
    try {
      Signatures.publicKey(raw); // refuses what is no key
      return new VerifierKey(name, raw);
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("not an Ed25519 public key of " + name, e);
    }
  }

  /**
   * Reads the written form, {@code name+hash+key}: eight hexadecimal digits of the key's hash, then
   * the algorithm's byte and the key in base 64.
   */
  public static VerifierKey parse(String text) {
    String[] parts = text.strip().split("\\+", 3);
    if (parts.length != 3) {
      throw new IllegalArgumentException("not a verifier key (name+hash+key): '" + text + "'");
    }
    byte[] typed;
    try {
      typed = Base64.getDecoder().decode(parts[2]);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("verifier key is not base 64: '" + text + "'", e);
    }
    if (typed.length != 1 + RAW_LENGTH || typed[0] != ED25519) {
      throw new IllegalArgumentException("not an Ed25519 verifier key: '" + text + "'");
    }
    if (!Base64.getEncoder().encodeToString(typed).equals(parts[2])) {
      throw new IllegalArgumentException("not in its one written form: '" + text + "'");
    }
    VerifierKey key = ofRaw(parts[0], Arrays.copyOfRange(typed, 1, typed.length));
    String hash = HexFormat.of().formatHex(key.hash());
    if (!hash.equals(parts[1])) {
      throw new IllegalArgumentException(
          "verifier key says that its hash is " + parts[1] + ", but it is " + hash);
    }
    return key;
  }

  /** The key's name: the origin of the log that it signs. */
  public String name() {
    return name;
  }

  /** The four bytes that a signature line starts with. */
  byte[] hash() {
    return hash.clone();
  }

  boolean verifies(byte[] message, byte[] signature) {
    return Signatures.verify(raw, message, signature);
  }

  /** Whether a signature line's first bytes are this key's. */
  boolean named(String keyName, byte[] keyHash) {
    return name.equals(keyName) && Arrays.equals(hash, keyHash);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof VerifierKey key && toString().equals(key.toString());
  }

  @Override
  public int hashCode() {
    return toString().hashCode();
  }

  /** The written form; see {@link #parse}. */
  @Override
  public String toString() {
    byte[] typed = new byte[1 + raw.length];
    typed[0] = ED25519;
    System.arraycopy(raw, 0, typed, 1, raw.length);
    return name
        + "+"
        + HexFormat.of().formatHex(hash)
        + "+"
        + Base64.getEncoder().encodeToString(typed);
  }
}
