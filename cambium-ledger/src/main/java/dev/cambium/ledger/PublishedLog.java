package dev.cambium.ledger;

import dev.cambium.ledger.VerificationReport.Finding;
import dev.cambium.ledger.VerificationReport.Severity;
import dev.cambium.ledger.merkle.CompactRange;
import dev.cambium.ledger.merkle.MerkleHash;
import dev.cambium.ledger.merkle.Tiles;
import dev.cambium.ledger.merkle.Tiles.Tile;
import dev.cambium.model.Digest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A directory that any web server can serve as a transparency log in the form of C2SP tlog-tiles:
 * tiles of hashes, bundles of entries, and the signed checkpoint. It is made from the ledger and
 * grows with it; nothing in it but the checkpoint ever changes, and the checkpoint is replaced
 * last, so that whoever reads it finds all that it covers.
 *
 * <p>The format gives an entry's length in two bytes. A bundle with a longer record is not written,
 * and said to be missing; its tiles are there, so that every proof still is.
 */
public final class PublishedLog {

  private static final int MAX_ENTRY = 0xffff;

  private final Path directory;

  /** The log that is, or is to be, published in a directory. */
  public PublishedLog(Path directory) {
    this.directory = directory;
  }

  /**
   * What was published.
   *
   * @param size of the log
   * @param files how many were written, the checkpoint among them
   * @param tooLong records that are too long for a bundle
   */
  public record Published(long size, int files, List<Long> tooLong) {
    public Published {
      tooLong = List.copyOf(tooLong);
    }
  }

  /**
   * Brings the directory up to the ledger's newest checkpoint.
   *
   * @throws LedgerException if the directory holds another log, or a larger one than the ledger, or
   *     cannot be written
   */
  public Published update(Ledger ledger) {
    KeyHistory keys = ledger.keys();
    return ledger.read(
        state -> {
          String note =
              state.checkpoint().orElseThrow(() -> new LedgerException("the log is empty"));
          Checkpoint head = Checkpoint.open(note, keys);
          long earlier = published(state, keys, head);
          List<Long> tooLong = new ArrayList<>();
          int files = 0;
          for (Tile tile : Tiles.since(earlier, head.size())) {
            ByteBuffer hashes = ByteBuffer.allocate(32 * tile.width());
            state
                .hashes(Tiles.HEIGHT * tile.level(), tile.first(), tile.width())
                .forEach(hash -> hashes.put(hash.raw()));
            write(tile.path(), hashes.array());
            files++;
            if (tile.level() == 0 && bundle(state, tile, tooLong)) {
              files++;
            }
          }
          if (earlier != head.size()) {
            write(Tiles.CHECKPOINT, note.getBytes(StandardCharsets.UTF_8));
            files++;
          }
          return new Published(head.size(), files, tooLong);
        });
  }

  /** The size of what is published already. */
  private long published(LedgerState state, KeyHistory keys, Checkpoint head) {
    Path file = directory.resolve(Tiles.CHECKPOINT);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return 0;
    }
    Checkpoint before;
    try {
      before = Checkpoint.open(Files.readString(file), keys);
    } catch (IOException | IllegalArgumentException e) {
      throw new LedgerException(
          file + " is not a checkpoint of this log; publish to another directory: " + e, e);
    }
    if (before.size() > head.size()
        || !state
            .overTree(nodes -> CompactRange.load(before.size(), nodes).root())
            .equals(before.root())) {
      throw new LedgerException(
          directory
              + " holds a log of size "
              + before.size()
              + " that this ledger does not continue: one of the two was rewritten; run verify");
    }
    return before.size();
  }

  private boolean bundle(LedgerState state, Tile tile, List<Long> tooLong) {
    ByteArrayOutputStream bundle = new ByteArrayOutputStream();
    long index = tile.first();
    int before = tooLong.size();
    for (String leaf : state.leaves(tile.first(), tile.width())) {
      byte[] bytes = leaf.getBytes(StandardCharsets.UTF_8);
      if (bytes.length > MAX_ENTRY) {
        tooLong.add(index);
      } else {
        bundle.write(bytes.length >>> 8);
        bundle.write(bytes.length);
        bundle.writeBytes(bytes);
      }
      index++;
    }
    if (tooLong.size() > before) {
      return false;
    }
    write(tile.bundlePath(), bundle.toByteArray());
    return true;
  }

  private void write(String path, byte[] bytes) {
    Path file = directory.resolve(path);
    try {
      Files.createDirectories(file.getParent());
      Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
        channel.force(true);
      }
      try {
        Files.move(
            temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new LedgerException("cannot publish to " + file + ": " + e, e);
    }
  }

  // ------------------------------------------------------------------------------- checking

  /**
   * What checking found.
   *
   * @param checkpoint of the published log; none if it is missing or nobody vouches for it
   * @param files how many were looked at
   * @param findings what does not fit
   */
  public record Checked(Optional<Checkpoint> checkpoint, long files, List<Finding> findings) {
    public Checked {
      findings = List.copyOf(findings);
    }
  }

  /**
   * Recomputes the whole log from its entries and hashes, without the ledger.
   *
   * @param keys of the log
   */
  public Checked check(KeyHistory keys) {
    List<Finding> findings = new ArrayList<>();
    Checkpoint head;
    try {
      head =
          Checkpoint.open(
              new String(read(Tiles.CHECKPOINT, SignedNote.MAX_LENGTH), StandardCharsets.UTF_8),
              keys);
    } catch (IOException | IllegalArgumentException e) {
      findings.add(finding(null, Tiles.CHECKPOINT, "signed by " + keys.current().name(), e));
      return new Checked(Optional.empty(), 1, findings);
    }
    TreeSet<String> known = new TreeSet<>(List.of(Tiles.CHECKPOINT));
    Map<Integer, List<Digest>> expected = new HashMap<>();
    CompactRange tree = new CompactRange();
    long records = 0;
    for (Tile tile : Tiles.since(0, head.size())) {
      known.add(tile.path());
      List<Digest> computed = expected.getOrDefault(tile.level(), List.of());
      List<Digest> stored = tile(tile, findings);
      if (tile.level() == 0) {
        known.add(tile.bundlePath());
        computed = entries(tile, stored, findings);
        for (Digest leaf : stored.isEmpty() ? computed : stored) {
          tree.append(
              leaf,
              (level, position, hash) -> {
                if (level % Tiles.HEIGHT == 0) {
                  expected.computeIfAbsent(level / Tiles.HEIGHT, l -> new ArrayList<>()).add(hash);
                }
              });
        }
        records = tile.first() + tile.width();
      } else {
        int from = (int) tile.first();
        computed =
            computed.subList(
                Math.min(from, computed.size()), Math.min(from + tile.width(), computed.size()));
        if (!stored.isEmpty() && !stored.equals(computed)) {
          findings.add(
              finding(
                  tile.lastRecord(), tile.path(), "the hashes of the tiles below it", "others"));
        }
      }
    }
    if (records == head.size() && !tree.root().equals(head.root())) {
      findings.add(
          finding(
              null,
              "root of the published log of size " + head.size(),
              head.root().hex(),
              tree.root().hex()));
    }
    long files = known.size();
    try {
      unexpected(known, head.size(), findings);
    } catch (IOException e) {
      findings.add(finding(null, directory.toString(), "a readable directory", e));
    }
    return new Checked(Optional.of(head), files, findings);
  }

  /** The hashes of a tile; none if it does not hold as many as it should. */
  private List<Digest> tile(Tile tile, List<Finding> findings) {
    List<Digest> hashes = new ArrayList<>();
    try {
      byte[] bytes = read(tile.path(), 32 * Tiles.WIDTH);
      if (bytes.length != 32 * tile.width()) {
        findings.add(
            finding(
                tile.lastRecord(),
                tile.path(),
                32 * tile.width() + " bytes",
                bytes.length + " bytes"));
        return List.of();
      }
      for (int at = 0; at < bytes.length; at += 32) {
        hashes.add(Digest.ofRaw(Arrays.copyOfRange(bytes, at, at + 32)));
      }
    } catch (IOException e) {
      findings.add(finding(tile.lastRecord(), tile.path(), "a tile", e));
    }
    return hashes;
  }

  /** The hashes of the entries of a tile's bundle, as far as they can be read. */
  private List<Digest> entries(Tile tile, List<Digest> stored, List<Finding> findings) {
    List<Digest> hashes = new ArrayList<>();
    String path = tile.bundlePath();
    byte[] bytes;
    try {
      bytes = read(path, Tiles.WIDTH * (MAX_ENTRY + 2));
    } catch (IOException e) {
      findings.add(finding(tile.first(), path, "a bundle of entries", e));
      return hashes;
    }
    ByteBuffer rest = ByteBuffer.wrap(bytes);
    while (hashes.size() < tile.width() && rest.remaining() >= 2) {
      long index = tile.first() + hashes.size();
      int length = rest.getShort() & 0xffff;
      if (length > rest.remaining()) {
        findings.add(
            finding(index, path, "an entry of " + length + " bytes", rest.remaining() + " bytes"));
        return hashes;
      }
      byte[] entry = new byte[length];
      rest.get(entry);
      Digest hash = MerkleHash.leaf(entry);
      if (!stored.isEmpty() && !stored.get(hashes.size()).equals(hash)) {
        findings.add(
            finding(
                index,
                path + ", against " + tile.path(),
                stored.get(hashes.size()).hex(),
                hash.hex()));
      }
      hashes.add(hash);
    }
    if (hashes.size() < tile.width() || rest.hasRemaining()) {
      findings.add(
          finding(
              tile.first() + hashes.size(),
              path,
              tile.width() + " entries and nothing after them",
              hashes.size() + " entries and " + rest.remaining() + " bytes"));
    }
    return hashes;
  }

  /** Files that no log of this size has, and tiles of earlier sizes that do not fit. */
  private void unexpected(TreeSet<String> known, long size, List<Finding> findings)
      throws IOException {
    TreeSet<String> paths = new TreeSet<>();
    try (Stream<Path> files = Files.walk(directory)) {
      files
          .filter(file -> !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS))
          .map(file -> directory.relativize(file).toString().replace('\\', '/'))
          .forEach(paths::add);
    }
    for (String path : paths) {
      if (known.contains(path)) {
        continue;
      }
      Optional<String> whole = whole(path, known);
      if (whole.isEmpty()) {
        findings.add(finding(null, path, "no such file in a log of size " + size, "a file"));
        continue;
      }
      byte[] before = read(path, Tiles.WIDTH * (MAX_ENTRY + 2));
      byte[] now = read(whole.get(), Tiles.WIDTH * (MAX_ENTRY + 2));
      if (!holds(path, before)
          || before.length >= now.length
          || !Arrays.equals(before, Arrays.copyOf(now, before.length))) {
        findings.add(finding(null, path, "the beginning of " + whole.get(), "something else"));
      }
    }
  }

  /** Whether a partial tile or bundle is as wide as its name says. */
  private static boolean holds(String path, byte[] bytes) {
    String width = path.substring(path.indexOf(".p/") + 3);
    if (!width.matches("[1-9][0-9]{0,2}")) {
      return false;
    }
    if (!path.startsWith("tile/entries/")) {
      return bytes.length == 32 * Integer.parseInt(width);
    }
    ByteBuffer rest = ByteBuffer.wrap(bytes);
    int entries = 0;
    while (rest.remaining() >= 2) {
      int length = rest.getShort() & 0xffff;
      if (length > rest.remaining()) {
        return false;
      }
      rest.position(rest.position() + length);
      entries++;
    }
    return !rest.hasRemaining() && entries == Integer.parseInt(width);
  }

  /** The tile or bundle that a partial one of an earlier size became. */
  private static Optional<String> whole(String path, TreeSet<String> known) {
    int partial = path.indexOf(".p/");
    if (partial < 0) {
      return Optional.empty();
    }
    String base = path.substring(0, partial);
    if (known.contains(base)) {
      return Optional.of(base);
    }
    return known.stream().filter(other -> other.startsWith(base + ".p/")).findFirst();
  }

  private byte[] read(String path, int most) throws IOException {
    Path file = directory.resolve(path);
    if (Files.isSymbolicLink(file)) {
      throw new IOException(path + " is a symbolic link");
    }
    try (var in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      byte[] bytes = in.readNBytes(most + 1);
      if (bytes.length > most) {
        throw new IOException(path + " is longer than " + most + " bytes");
      }
      return bytes;
    }
  }

  private static Finding finding(
      @Nullable Long index, String subject, String expected, Exception e) {
    return finding(index, subject, expected, e.getClass().getSimpleName() + ": " + e.getMessage());
  }

  private static Finding finding(
      @Nullable Long index, String subject, String expected, String found) {
    return new Finding(Severity.ERROR, index, null, subject, expected, found);
  }
}
