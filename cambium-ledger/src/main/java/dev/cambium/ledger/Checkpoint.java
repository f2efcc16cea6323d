package dev.cambium.ledger;

import dev.cambium.model.Digest;
import java.util.Base64;
import java.util.List;

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

  /** The signed text. */
  public String body() {
    return origin + "\n" + size + "\n" + Base64.getEncoder().encodeToString(root.raw()) + "\n";
  }

  /** The signed note. */
  String sign(SigningKey... keys) {
    return SignedNote.sign(body(), List.of(keys));
  }

  /**
   * Reads a signed note. Signatures by other keys are ignored, as the format wants.
   *
   * @throws IllegalArgumentException if it is malformed, or has no valid signature by {@code key}
   */
  public static Checkpoint open(String note, VerifierKey key) {
    return open(SignedNote.parse(note), key);
  }

  /**
   * Reads a signed note of a log whose key may have been replaced since.
   *
   * @throws IllegalArgumentException if it is malformed, or has no valid signature by the key that
   *     was valid at its size, or where one replaces another, by both
   */
  public static Checkpoint open(String note, KeyHistory keys) {
    SignedNote parsed = SignedNote.parse(note);
    List<VerifierKey> signers = keys.signers(parse(parsed.text()).size);
    for (VerifierKey successor : signers.subList(1, signers.size())) {
      open(parsed, successor);
    }
    return open(parsed, signers.get(0));
  }

  private static Checkpoint open(SignedNote note, VerifierKey key) {
    if (!note.signedBy(key)) {
      throw new IllegalArgumentException("no valid signature by " + key.name());
    }
    Checkpoint checkpoint = parse(note.text());
    if (!checkpoint.origin.equals(key.name())) {
      throw new IllegalArgumentException(
          "a checkpoint of " + checkpoint.origin + ", not of " + key.name());
    }
    return checkpoint;
  }

  /**
   * Reads the text of a checkpoint; nobody vouches for it yet.
   *
   * @throws IllegalArgumentException if it is malformed
   */
  static Checkpoint parse(String body) {
    String[] lines = body.split("\n", -1);
    if (lines.length != 4) {
      throw new IllegalArgumentException(
          "a checkpoint has an origin, a size and a root, not " + (lines.length - 1) + " lines");
    }
    try {
      Checkpoint checkpoint =
          new Checkpoint(
              lines[0],
              Long.parseLong(lines[1]),
              Digest.ofRaw(Base64.getDecoder().decode(lines[2])));
      if (checkpoint.origin.isEmpty() || checkpoint.size < 0 || !checkpoint.body().equals(body)) {
        throw new IllegalArgumentException("not in its one written form");
      }
      return checkpoint;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("malformed checkpoint: " + e.getMessage(), e);
    }
  }
}
