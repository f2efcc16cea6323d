package dev.cambium.ledger;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;

/**
 * The Ed25519 key that signs a ledger's checkpoints. The private key lies in {@value #PRIVATE_FILE}
 * (PKCS #8 in PEM, readable by its owner only), the public one beside it in {@value #PUBLIC_FILE}
 * (a {@link VerifierKey} on one line). Whoever holds a copy of the latter can check the log.
 */
public final class SigningKey {

  static final String PRIVATE_FILE = "ledger.pem";
  static final String PUBLIC_FILE = "ledger.pub";

  private static final String BEGIN = "-----BEGIN PRIVATE KEY-----";
  private static final String END = "-----END PRIVATE KEY-----";
  private static final Set<PosixFilePermission> OWNER_ONLY =
      EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  private final PrivateKey key;
  private final VerifierKey verifier;

  private SigningKey(PrivateKey key, VerifierKey verifier) {
    this.key = key;
    this.verifier = verifier;
  }

  /**
   * Makes a new key and writes both files.
   *
   * @param directory made if it is not there; must not hold a key
   * @throws LedgerException if it holds one, or cannot be written
   */
  static SigningKey generate(Path directory) {
    KeyPair pair;
    try {
      pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK from 15 has Ed25519", e);
    }
    // The origin must be the log's alone, so it is made from what is the log's alone.
    String origin = "cambium.dev/ledger/" + Digest.of(pair.getPublic().getEncoded()).brief();
    VerifierKey verifier = VerifierKey.of(origin, pair.getPublic());
    String pem =
        BEGIN
            + "\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(pair.getPrivate().getEncoded())
            + "\n"
            + END
            + "\n";
    Path privateFile = directory.resolve(PRIVATE_FILE);
    try {
      Files.createDirectories(directory);
      if (Files.exists(privateFile)) {
        throw new LedgerException(
            "a signing key is already there: " + privateFile + "; it will not be replaced");
      }
      try (var channel =
          Files.newByteChannel(
              privateFile,
              Set.<OpenOption>of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              posix()
                  ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
                  : new FileAttribute<?>[0])) {
        channel.write(java.nio.ByteBuffer.wrap(pem.getBytes(StandardCharsets.US_ASCII)));
      }
      Files.writeString(directory.resolve(PUBLIC_FILE), verifier + "\n");
    } catch (IOException e) {
      throw new LedgerException("cannot write the signing key to " + directory + ": " + e, e);
    }
    return new SigningKey(pair.getPrivate(), verifier);
  }

  /**
   * Reads a key.
   *
   * @throws LedgerException if a file is missing or malformed, if others than the owner may read
   *     the private one, or if the two do not belong together
   */
  static SigningKey load(Path directory) {
    VerifierKey verifier = loadPublic(directory);
    Path file = directory.resolve(PRIVATE_FILE);
    String pem;
    try {
      if (posix()) {
        Set<PosixFilePermission> found = Files.getPosixFilePermissions(file);
        if (!OWNER_ONLY.containsAll(found)) {
          throw new LedgerException(
              "the signing key "
                  + file
                  + " has mode "
                  + PosixFilePermissions.toString(found)
                  + ", so that others than its owner may use it; run: chmod 600 "
                  + file
                  + " (and if others had access to this machine, no longer trust it)");
        }
      }
      pem = Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new LedgerException(
          "the signing key "
              + file
              + " is missing: without it nothing can be recorded; restore it from a backup",
          e);
    } catch (IOException e) {
      throw new LedgerException("cannot read the signing key " + file + ": " + e, e);
    }
    PrivateKey key;
    try {
      int begin = pem.indexOf(BEGIN);
      int end = pem.indexOf(END);
      if (begin < 0 || end < begin) {
        throw new IllegalArgumentException("no PEM block PRIVATE KEY");
      }
      byte[] der = Base64.getMimeDecoder().decode(pem.substring(begin + BEGIN.length(), end));
      key = KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(der));
    } catch (IllegalArgumentException | GeneralSecurityException e) {
      throw new LedgerException(
          "the signing key " + file + " is not an Ed25519 key in PKCS #8: " + e.getMessage(), e);
    }
    SigningKey signing = new SigningKey(key, verifier);
    byte[] probe = {0};
    if (!verifier.verifies(probe, signing.sign(probe))) {
      throw new LedgerException(
          "the two keys in " + directory + " do not belong together; restore both from a backup");
    }
    return signing;
  }

  /** Reads the public key alone, which is all that checking needs. */
  static VerifierKey loadPublic(Path directory) {
    Path file = directory.resolve(PUBLIC_FILE);
    try {
      return VerifierKey.parse(Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new LedgerException(
          "the ledger's public key " + file + " is missing; restore it from a backup", e);
    } catch (IOException | IllegalArgumentException e) {
      throw new LedgerException(
          "cannot read the ledger's public key " + file + ": " + e.getMessage(), e);
    }
  }

  private static boolean posix() {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
  }

  /** The public half. */
  public VerifierKey verifier() {
    return verifier;
  }

  byte[] sign(byte[] message) {
    try {
      Signature ed25519 = Signature.getInstance("Ed25519");
      ed25519.initSign(key);
      ed25519.update(message);
      return ed25519.sign();
    } catch (GeneralSecurityException e) {
      throw new LedgerException("cannot sign a checkpoint with " + verifier.name(), e);
    }
  }
}
