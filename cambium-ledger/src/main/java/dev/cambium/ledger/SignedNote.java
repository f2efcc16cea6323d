package dev.cambium.ledger;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * A text with signatures under it (C2SP signed-note): the text, a blank line, and for each key that
 * signed a line of an em dash, the key's name, and in base 64 the key's hash and the signature.
 */
final class SignedNote {

  /** The format asks for at least 16, and for some limit. */
  static final int MAX_SIGNATURES = 64;

  /** Far more than a text of a few lines with that many signatures has. */
  static final int MAX_LENGTH = 1 << 20;

  private static final String PREFIX = "\u2014 ";
  private static final int KEY_HASH_LENGTH = 4;

  private record Line(String name, byte[] keyHash, byte[] signature) {}

  private final String text;
  private final List<Line> lines;

  private SignedNote(String text, List<Line> lines) {
    this.text = text;
    this.lines = lines;
  }

  /** Signs a text, which ends a line, with each key in turn. */
  static String sign(String text, List<SigningKey> keys) {
    StringBuilder note = new StringBuilder(text).append('\n');
    for (SigningKey key : keys) {
      byte[] signature = key.sign(text.getBytes(StandardCharsets.UTF_8));
      byte[] line = Arrays.copyOf(key.verifier().hash(), KEY_HASH_LENGTH + signature.length);
      System.arraycopy(signature, 0, line, KEY_HASH_LENGTH, signature.length);
      note.append(PREFIX)
          .append(key.verifier().name())
          .append(' ')
          .append(Base64.getEncoder().encodeToString(line))
          .append('\n');
    }
    return note.toString();
  }

  /**
   * Takes a note apart, without looking at whether a signature holds.
   *
   * @throws IllegalArgumentException if it is malformed
   */
  static SignedNote parse(String note) {
    if (note.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "a signed note of " + note.length() + " characters; the limit is " + MAX_LENGTH);
    }
    if (note.chars().anyMatch(c -> c < ' ' && c != '\n')
        || !StandardCharsets.UTF_8.newEncoder().canEncode(note)) {
      throw new IllegalArgumentException(
          "not a signed note: it holds a control character, or is not Unicode");
    }
    int blank = note.lastIndexOf("\n\n");
    if (blank < 0 || !note.endsWith("\n") || blank + 2 == note.length()) {
      throw new IllegalArgumentException("not a signed note: no signature lines after a blank one");
    }
    List<Line> lines = new ArrayList<>();
    for (String line : note.substring(blank + 2, note.length() - 1).split("\n", -1)) {
      if (lines.size() == MAX_SIGNATURES) {
        throw new IllegalArgumentException(
            "a note with more than " + MAX_SIGNATURES + " signatures");
      }
      lines.add(line(line));
    }
    return new SignedNote(note.substring(0, blank + 1), List.copyOf(lines));
  }

  private static Line line(String line) {
    int space = line.lastIndexOf(' ');
    if (!line.startsWith(PREFIX) || space <= PREFIX.length()) {
      throw new IllegalArgumentException("not a signature line of a note: '" + line + "'");
    }
    String encoded = line.substring(space + 1);
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(encoded);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("no valid signature: not base 64: '" + encoded + "'", e);
    }
    // Bits that are not part of the value must be zero (RFC 4648, section 3.5).
    if (!Base64.getEncoder().encodeToString(bytes).equals(encoded)
        || bytes.length <= KEY_HASH_LENGTH) {
      throw new IllegalArgumentException(
          "no valid signature: not a key's hash and a signature: '" + encoded + "'");
    }
    return new Line(
        line.substring(PREFIX.length(), space),
        Arrays.copyOf(bytes, KEY_HASH_LENGTH),
        Arrays.copyOfRange(bytes, KEY_HASH_LENGTH, bytes.length));
  }

  /** What is signed, its last line break included. */
  String text() {
    return text;
  }

  /** How many signature lines there are, by whomever. */
  int signatures() {
    return lines.size();
  }

  /** Whether a key signed it: it has a signature line of this key, and all of them hold. */
  boolean signedBy(VerifierKey key) {
    byte[] message = text.getBytes(StandardCharsets.UTF_8);
    List<Line> own = lines.stream().filter(line -> key.named(line.name, line.keyHash)).toList();
    return !own.isEmpty() && own.stream().allMatch(line -> key.verifies(message, line.signature));
  }
}
