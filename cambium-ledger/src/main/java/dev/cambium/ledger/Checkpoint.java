package dev.cambium.ledger;

import dev.cambium.model.Digest;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * A tree head: what the log was at one size. It is signed in the form of C2SP tlog-checkpoint, a
 * C2SP signed-note whose text is the origin, the size and the root in base 64, each on a line:
 *
 * <pre>
 * cambium.dev/ledger/0123456789ab
 * 3
 * 9Hc…=
 *
 * — cambium.dev/ledger/0123456789ab +Xy…=
 * </pre>
 *
 * @param origin the log's name, which is its key's name
 * @param size how many records it covers
 * @param root of the Merkle tree of these
 */
public record Checkpoint(String origin, long size, Digest root) {

  private static final String SIGNATURE_PREFIX = "\u2014 ";
  private static final int KEY_HASH_LENGTH = 4;

  /** The signed text. */
  public String body() {
    return origin + "\n" + size + "\n" + Base64.getEncoder().encodeToString(root.raw()) + "\n";
  }

  /** The signed note. */
  String sign(SigningKey key) {
    String body = body();
    byte[] signature = key.sign(body.getBytes(StandardCharsets.UTF_8));
    byte[] hash = key.verifier().hash();
    byte[] line = Arrays.copyOf(hash, hash.length + signature.length);
    System.arraycopy(signature, 0, line, hash.length, signature.length);
    return body
        + "\n"
        + SIGNATURE_PREFIX
        + key.verifier().name()
        + " "
        + Base64.getEncoder().encodeToString(line)
        + "\n";
  }

  /**
   * Reads a signed note. Signatures by other keys are ignored, as the format wants.
   *
   * @throws IllegalArgumentException if it is malformed, or has no valid signature by {@code key}
   */
  public static Checkpoint open(String note, VerifierKey key) {
    int blank = note.lastIndexOf("\n\n");
    if (blank < 0 || !note.endsWith("\n")) {
      throw new IllegalArgumentException("not a signed note: no signature lines after a blank one");
    }
    String body = note.substring(0, blank + 1);
    if (!signed(body, note.substring(blank + 2), key)) {
      throw new IllegalArgumentException("no valid signature by " + key.name());
    }
    String[] lines = body.split("\n", -1);
    if (lines.length != 4) {
      throw new IllegalArgumentException(
          "a checkpoint has an origin, a size and a root, not " + (lines.length - 1) + " lines");
    }
    if (!lines[0].equals(key.name())) {
      throw new IllegalArgumentException("a checkpoint of " + lines[0] + ", not of " + key.name());
    }
    try {
      Checkpoint checkpoint =
          new Checkpoint(
              lines[0],
              Long.parseLong(lines[1]),
              Digest.ofRaw(Base64.getDecoder().decode(lines[2])));
      if (checkpoint.size < 0 || !checkpoint.body().equals(body)) {
        throw new IllegalArgumentException("not in its one written form");
      }
      return checkpoint;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("malformed checkpoint: " + e.getMessage(), e);
    }
  }

  private static boolean signed(String body, String signatures, VerifierKey key) {
    byte[] message = body.getBytes(StandardCharsets.UTF_8);
    String ours = SIGNATURE_PREFIX + key.name() + " ";
    for (String line : signatures.split("\n", -1)) {
      if (!line.startsWith(ours)) {
        continue;
      }
      String encoded = line.substring(ours.length());
      byte[] bytes;
      try {
        bytes = Base64.getDecoder().decode(encoded);
      } catch (IllegalArgumentException e) {
        continue;
      }
      if (!Base64.getEncoder().encodeToString(bytes).equals(encoded)) {
        continue; // bits that are not part of the value must be zero (RFC 4648, section 3.5)
      }
      if (bytes.length > KEY_HASH_LENGTH
          && Arrays.equals(Arrays.copyOf(bytes, KEY_HASH_LENGTH), key.hash())
          && key.verifies(message, Arrays.copyOfRange(bytes, KEY_HASH_LENGTH, bytes.length))) {
        return true;
      }
    }
    return false;
  }
}
