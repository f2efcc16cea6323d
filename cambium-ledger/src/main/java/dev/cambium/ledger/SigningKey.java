package dev.cambium.ledger;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
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
  private final Signatures.Seed seed;
  private final VerifierKey verifier;

  private SigningKey(PrivateKey key, VerifierKey verifier) {
    this.key = key;
    this.seed =
        new Signatures.Seed(
            ((EdECPrivateKey) key)
                .getBytes()
                .orElseThrow(() -> new LedgerException("the signing key does not give its bytes")));
    this.verifier = verifier;
  }

  /**
   * Makes a new key and writes both files.
   *
   * @param directory made if it is not there; must not hold a key
   * @throws LedgerException if it holds one, or cannot be written
   */
  static SigningKey generate(Path directory) {
    KeyPair pair = pair();
    // The origin must be the log's alone, so it is made from what is the log's alone.
    String origin = "cambium.dev/ledger/" + Digest.of(pair.getPublic().getEncoded()).brief();
    SigningKey key = new SigningKey(pair.getPrivate(), VerifierKey.of(origin, pair.getPublic()));
    Path privateFile = directory.resolve(PRIVATE_FILE);
    if (Files.exists(privateFile)) {
      throw new LedgerException(
          "a signing key is already there: " + privateFile + "; it will not be replaced");
    }
    key.write(directory, privateFile, directory.resolve(PUBLIC_FILE));
    return key;
  }

  /**
   * Makes a key that is to replace a log's key, and writes both files under names of their own: two
   * processes that do this at once do not get into each other's way. It is the log's key once a
   * record says so and {@link #adopt} has renamed them.
   *
   * @param origin the log's name, which stays
   */
  static SigningKey successor(Path directory, String origin) {
    KeyPair pair = pair();
    SigningKey key = new SigningKey(pair.getPrivate(), VerifierKey.of(origin, pair.getPublic()));
    key.write(
        directory,
        successorFile(directory, key.verifier, PRIVATE_FILE),
        successorFile(directory, key.verifier, PUBLIC_FILE));
    return key;
  }

  /**
   * Puts the files of a successor in the place of its predecessor's, unless that is done already.
   * The private key goes first: as long as the public one has its own name, this can be repeated.
   */
  static void adopt(Path directory, VerifierKey successor) {
    try {
      for (String name : List.of(PRIVATE_FILE, PUBLIC_FILE)) {
        Path file = successorFile(directory, successor, name);
        try {
          Files.move(
              file,
              directory.resolve(name),
              StandardCopyOption.ATOMIC_MOVE,
              StandardCopyOption.REPLACE_EXISTING);
        } catch (NoSuchFileException e) {
          continue; // another process was first
        }
      }
      Disk.force(directory);
    } catch (IOException e) {
      throw new LedgerException(
          "cannot put the new signing key in its place in " + directory + ": " + e, e);
    }
  }

  /** A crash may have come between the two renames of {@link #adopt}. */
  private static Optional<SigningKey> finishAdoption(Path directory, SigningKey found) {
    byte[] probe = {0};
    List<Path> successors = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(directory, "next-*-" + PUBLIC_FILE)) {
      files.forEach(successors::add);
    } catch (IOException e) {
      throw new LedgerException("cannot read " + directory + ": " + e, e);
    }
    for (Path file : successors) {
      VerifierKey verifier = loadPublicFile(file);
      if (verifier.verifies(probe, found.sign(probe))) {
        adopt(directory, verifier);
        return Optional.of(new SigningKey(found.key, verifier));
      }
    }
    return Optional.empty();
  }

  /** Removes the files of a key that did not become the log's. */
  static void abandon(Path directory, VerifierKey successor) {
    try {
      Files.deleteIfExists(successorFile(directory, successor, PRIVATE_FILE));
      Files.deleteIfExists(successorFile(directory, successor, PUBLIC_FILE));
    } catch (IOException e) {
      throw new LedgerException("cannot remove an unused key from " + directory + ": " + e, e);
    }
  }

  private static Path successorFile(Path directory, VerifierKey key, String name) {
    return directory.resolve("next-" + HexFormat.of().formatHex(key.hash()) + "-" + name);
  }

  private static KeyPair pair() {
    try {
      return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK from 15 has Ed25519", e);
    }
  }

  private void write(Path directory, Path privateFile, Path publicFile) {
    try {
      Files.createDirectories(directory);
      try (FileChannel channel =
          FileChannel.open(
              privateFile,
              Set.<OpenOption>of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              Disk.posix()
                  ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
                  : new FileAttribute<?>[0])) {
        channel.write(java.nio.ByteBuffer.wrap(pem(key).getBytes(StandardCharsets.US_ASCII)));
        channel.force(true);
      }
      Files.writeString(publicFile, verifier + "\n", StandardOpenOption.CREATE_NEW);
      Disk.force(publicFile);
      Disk.force(directory);
    } catch (IOException e) {
      throw new LedgerException("cannot write the signing key to " + directory + ": " + e, e);
    }
  }

  private static String pem(PrivateKey key) {
    return BEGIN
        + "\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded())
        + "\n"
        + END
        + "\n";
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
      if (Disk.posix()) {
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
      // One written form only, so that no byte of the file can change unnoticed.
      int begin = pem.indexOf(BEGIN);
      int end = pem.indexOf(END);
      if (begin < 0 || end < begin) {
        throw new IllegalArgumentException("no PEM block PRIVATE KEY");
      }
      byte[] der = Base64.getMimeDecoder().decode(pem.substring(begin + BEGIN.length(), end));
      key = KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(der));
      if (!pem(key).equals(pem)) {
        throw new IllegalArgumentException("it is not as it was written");
      }
    } catch (IllegalArgumentException | GeneralSecurityException e) {
      throw new LedgerException(
          "the signing key " + file + " is not an Ed25519 key in PKCS #8: " + e.getMessage(), e);
    }
    SigningKey signing = new SigningKey(key, verifier);
    byte[] probe = {0};
    if (!verifier.verifies(probe, signing.sign(probe))) {
      Optional<SigningKey> adopted = finishAdoption(directory, signing);
      if (adopted.isPresent()) {
        return adopted.get();
      }
      throw new LedgerException(
          file
              + " and "
              + PUBLIC_FILE
              + " beside it do not belong together; restore both from a backup");
    }
    return signing;
  }

  /** Reads the public key alone, which is all that checking needs. */
  static VerifierKey loadPublic(Path directory) {
    return loadPublicFile(directory.resolve(PUBLIC_FILE));
  }

  private static VerifierKey loadPublicFile(Path file) {
    try {
      String text = Files.readString(file);
      VerifierKey key = VerifierKey.parse(text);
      if (!text.equals(key + "\n")) {
        throw new IllegalArgumentException("it is not as it was written, one line and its end");
      }
      return key;
    } catch (NoSuchFileException e) {
      throw new LedgerException(
          "the ledger's public key " + file + " is missing; restore it from a backup", e);
    } catch (IOException | IllegalArgumentException e) {
      throw new LedgerException(
          "cannot read the ledger's public key " + file + ": " + e.getMessage(), e);
    }
  }

  /** The public half. */
  public VerifierKey verifier() {
    return verifier;
  }

  byte[] sign(byte[] message) {
    return Signatures.sign(seed, message);
  }
}
