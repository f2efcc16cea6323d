package dev.cambium.ledger;

import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.ledger.merkle.Proofs;
import dev.cambium.model.Digest;
import dev.cambium.model.Json;
import dev.cambium.model.Record;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * A proof that a record is in the log, for somebody who has nothing but it and the log's public
 * key. It is written in the form of C2SP tlog-proof, with the record itself as the extra data:
 *
 * <pre>
 * c2sp.org/tlog-proof@v1
 * extra eyJhY…
 * index 4
 * k2Vb…=
 * 7cYW…=
 *
 * cambium.dev/ledger/0123456789ab
 * 21
 * 9Hc…=
 *
 * — cambium.dev/ledger/0123456789ab +Xy…=
 * </pre>
 *
 * @param index of the record
 * @param leaf the record's canonical JSON
 * @param path the hashes to combine with the leaf's, from the leaf upwards (RFC 6962, 2.1.1)
 * @param checkpoint the signed note that the path leads to
 */
public record RecordProof(long index, byte[] leaf, List<Digest> path, String checkpoint) {

  /** A path of a log of 2^63 records is not longer. */
  static final int MAX_PATH = 63;

  private static final String TYPE = "c2sp.org/tlog-proof@v1";
  private static final String EXTRA = "extra ";
  private static final String INDEX = "index ";

  public RecordProof {
    path = List.copyOf(path);
  }

  /**
   * What a proof shows.
   *
   * @param record that is in the log
   * @param checkpoint of the log that it is in
   */
  public record Proven(Record record, Checkpoint checkpoint) {}

  /**
   * Checks the proof.
   *
   * @param keys of the log
   * @throws IllegalArgumentException saying what does not hold
   */
  public Proven check(KeyHistory keys) {
    Checkpoint head = Checkpoint.open(checkpoint, keys);
    if (!Proofs.includes(MerkleHash.leaf(leaf), index, head.size(), path, head.root())) {
      throw new IllegalArgumentException(
          "the path does not lead from the record at index "
              + index
              + " to the root of the checkpoint of size "
              + head.size());
    }
    Record record = Json.read(leaf, Record.class);
    if (record.index() != index || !Arrays.equals(Json.canonical(record), leaf)) {
      throw new IllegalArgumentException(
          "the record says that its index is " + record.index() + ", the proof " + index);
    }
    return new Proven(record, head);
  }

  /** The written form. */
  public String text() {
    StringBuilder text = new StringBuilder(TYPE).append('\n');
    text.append(EXTRA).append(base64(leaf)).append('\n');
    text.append(INDEX).append(index).append('\n');
    path.forEach(hash -> text.append(base64(hash.raw())).append('\n'));
    return text.append('\n').append(checkpoint).toString();
  }

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException if it is malformed; whether it holds is for {@link #check}
   */
  public static RecordProof parse(String text) {
    int end = text.indexOf("\n\n");
    if (end < 0) {
      throw new IllegalArgumentException("not a proof: no empty line before a checkpoint");
    }
    String[] lines = text.substring(0, end).split("\n", -1);
    if (lines.length < 3 || !lines[0].equals(TYPE)) {
      throw new IllegalArgumentException("not a proof (" + TYPE + ")");
    }
    if (!lines[1].startsWith(EXTRA) || !lines[2].startsWith(INDEX)) {
      throw new IllegalArgumentException("a proof of Cambium's has the record, then its index");
    }
    if (lines.length - 3 > MAX_PATH) {
      throw new IllegalArgumentException(
          "a proof with a path of " + (lines.length - 3) + " hashes");
    }
    List<Digest> path = new ArrayList<>();
    for (String line : Arrays.asList(lines).subList(3, lines.length)) {
      path.add(hash(line));
    }
    RecordProof proof =
        new RecordProof(
            Long.parseLong(lines[2].substring(INDEX.length())),
            Base64.getDecoder().decode(lines[1].substring(EXTRA.length())),
            path,
            text.substring(end + 2));
    if (!proof.text().equals(text)) {
      throw new IllegalArgumentException("a proof that is not in its one written form");
    }
    return proof;
  }

  static Digest hash(String base64) {
    byte[] raw = Base64.getDecoder().decode(base64);
    if (raw.length != 32) {
      throw new IllegalArgumentException("a hash of " + raw.length + " bytes in a proof");
    }
    return Digest.ofRaw(raw);
  }

  static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
