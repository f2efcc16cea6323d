package dev.cambium.ledger;

import dev.cambium.ledger.merkle.Proofs;
import dev.cambium.model.Digest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A proof that a log continues what it was at an earlier checkpoint, for somebody who kept that
 * checkpoint and has no access to the log. It is written as C2SP tlog-witness wants it: the earlier
 * size, the hashes (RFC 6962, 2.1.2), an empty line and the later checkpoint.
 *
 * <pre>
 * old 15
 * k2Vb…=
 *
 * cambium.dev/ledger/0123456789ab
 * 21
 * …
 * </pre>
 *
 * @param earlier the size of the earlier checkpoint
 * @param path the hashes
 * @param checkpoint the later one, a signed note
 */
public record ConsistencyProof(long earlier, List<Digest> path, String checkpoint) {

  private static final String OLD = "old ";

  public ConsistencyProof {
    path = List.copyOf(path);
  }

  /**
   * Checks the proof.
   *
   * @param witnessed the earlier checkpoint, as it was kept
   * @return the later checkpoint
   * @throws IllegalArgumentException saying what does not hold
   */
  public Checkpoint check(Checkpoint witnessed, KeyHistory keys) {
    Checkpoint head = Checkpoint.open(checkpoint, keys);
    if (witnessed.size() != earlier) {
      throw new IllegalArgumentException(
          "the proof starts at size "
              + earlier
              + ", the checkpoint that was kept has size "
              + witnessed.size());
    }
    if (!Proofs.consistent(earlier, witnessed.root(), head.size(), head.root(), path)) {
      throw new IllegalArgumentException(
          "the log of size "
              + head.size()
              + " does not continue the log of size "
              + earlier
              + " whose checkpoint was kept");
    }
    return head;
  }

  /** The written form. */
  public String text() {
    StringBuilder text = new StringBuilder(OLD).append(earlier).append('\n');
    path.forEach(hash -> text.append(RecordProof.base64(hash.raw())).append('\n'));
    return text.append('\n').append(checkpoint).toString();
  }

  /** Whether a text is meant to be such a proof. */
  public static boolean begins(String text) {
    return text.startsWith(OLD);
  }

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException if it is malformed; whether it holds is for {@link #check}
   */
  public static ConsistencyProof parse(String text) {
    int end = text.indexOf("\n\n");
    if (!begins(text) || end < 0) {
      throw new IllegalArgumentException("not a proof of consistency");
    }
    String[] lines = text.substring(0, end).split("\n", -1);
    if (lines.length - 1 > 2 * RecordProof.MAX_PATH) {
      throw new IllegalArgumentException(
          "a proof with a path of " + (lines.length - 1) + " hashes");
    }
    List<Digest> path = new ArrayList<>();
    for (String line : Arrays.asList(lines).subList(1, lines.length)) {
      path.add(RecordProof.hash(line));
    }
    ConsistencyProof proof =
        new ConsistencyProof(
            Long.parseLong(lines[0].substring(OLD.length())), path, text.substring(end + 2));
    if (!proof.text().equals(text)) {
      throw new IllegalArgumentException("a proof that is not in its one written form");
    }
    return proof;
  }
}
