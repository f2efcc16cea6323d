package dev.cambium.ledger;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicInteger;
import org.bouncycastle.math.ec.rfc8032.Ed25519;
import org.jspecify.annotations.Nullable;

/**
 * Ed25519 (RFC 8032) by two implementations that give the same bytes. The JDK's is there at once
 * and takes some 0.4 ms for a signature, which a short command never notices. Bouncy Castle's takes
 * a tenth of that, and 0.15 s until its classes are loaded from their signed archive; so whoever
 * signs or checks many gets it.
 */
final class Signatures {

  static final int KEY_LENGTH = 32;
  static final int LENGTH = 64;

  /** How many are left to the JDK: more than a command needs that records a few facts. */
  static final int FEW = 32;

  /** What X.509 puts ahead of the 32 bytes of an Ed25519 key (RFC 8410). */
  private static final byte[] X509_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

  private static final AtomicInteger USES = new AtomicInteger();

  private Signatures() {}

  /** Whether from now on the faster implementation is worth its loading. */
  private static boolean many() {
    return USES.get() > FEW || USES.incrementAndGet() > FEW;
  }

  /** The private half of a key. */
  static final class Seed {
    private final byte[] bytes;
    private byte @Nullable [] publicKey;

    Seed(byte[] bytes) {
      this.bytes = bytes;
    }

    /**
     * The public half, never taken from elsewhere: a signature made with another one would give the
     * private key away.
     */
    private synchronized byte[] publicKey() {
      if (publicKey == null) {
        publicKey = new byte[KEY_LENGTH];
        Ed25519.generatePublicKey(bytes, 0, publicKey, 0);
      }
      return publicKey;
    }
  }

  static byte[] sign(Seed seed, byte[] message) {
    return many() ? signFast(seed, message) : signPlain(seed, message);
  }

  /** Whether a signature holds; one of another length, or that is none, does not. */
  static boolean verify(byte[] publicKey, byte[] message, byte[] signature) {
    if (signature.length != LENGTH) {
      return false; // JDK 17 takes a longer one whose excess is zero
    }
    return many()
        ? verifyFast(publicKey, message, signature)
        : verifyPlain(publicKey, message, signature);
  }

  static byte[] signPlain(Seed seed, byte[] message) {
    try {
      Signature ed25519 = Signature.getInstance("Ed25519");
      ed25519.initSign(
          KeyFactory.getInstance("Ed25519")
              .generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, seed.bytes)));
      ed25519.update(message);
      return ed25519.sign();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK from 15 has Ed25519", e);
    }
  }

  static byte[] signFast(Seed seed, byte[] message) {
    byte[] signature = new byte[LENGTH];
    Ed25519.sign(seed.bytes, 0, seed.publicKey(), 0, message, 0, message.length, signature, 0);
    return signature;
  }

  /** The JDK's form of a public key; refuses bytes that are none. */
  static PublicKey publicKey(byte[] raw) throws GeneralSecurityException {
    byte[] encoded = Arrays.copyOf(X509_PREFIX, X509_PREFIX.length + raw.length);
    System.arraycopy(raw, 0, encoded, X509_PREFIX.length, raw.length);
    return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
  }

  static boolean verifyPlain(byte[] publicKey, byte[] message, byte[] signature) {
    try {
      Signature ed25519 = Signature.getInstance("Ed25519");
      ed25519.initVerify(publicKey(publicKey));
      ed25519.update(message);
      return ed25519.verify(signature);
    } catch (SignatureException e) {
      return false; // not a point of the curve
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK from 15 has Ed25519", e);
    }
  }

  static boolean verifyFast(byte[] publicKey, byte[] message, byte[] signature) {
    return Ed25519.verify(signature, 0, publicKey, 0, message, 0, message.length);
  }
}
