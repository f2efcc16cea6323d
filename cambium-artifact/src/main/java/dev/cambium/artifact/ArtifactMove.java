package dev.cambium.artifact;

import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Copies every object of a store to another, and reads each back from there.
 *
 * <p>A journal keeps which were read back and found whole, a digest a line: whoever goes on after
 * an interruption does not read these again, but looks whether they are still there. A line that
 * was cut off in the middle is no digest, and its object is copied and read once more. The journal
 * is of one pair of stores; its first line says which.
 */
public final class ArtifactMove {

  /** Larger ones go by way of a file, so that memory stays bounded. */
  private static final long IN_MEMORY = 16 << 20;

  private final ArtifactStore from;
  private final ArtifactStore to;
  private final Path journal;
  private final Set<Digest> whole = new HashSet<>();
  private long copied;
  private long bytes;

  /**
   * @param journal a file, made if it is absent; the caller removes it when all is done
   * @param pair says which stores these are; a journal of others is begun anew
   */
  public ArtifactMove(ArtifactStore from, ArtifactStore to, Path journal, String pair) {
    this.from = from;
    this.to = to;
    this.journal = journal;
    try {
      List<String> lines =
          Files.exists(journal)
              ? Files.readAllLines(journal, StandardCharsets.ISO_8859_1)
              : List.of();
      if (lines.isEmpty() || !lines.get(0).equals(pair)) {
        DurableFile.write(
            journal,
            channel ->
                channel.write(
                    java.nio.ByteBuffer.wrap((pair + "\n").getBytes(StandardCharsets.UTF_8))));
      } else {
        lines.stream()
            .skip(1)
            .filter(l -> l.matches("[0-9a-f]{64}"))
            .map(Digest::new)
            .forEach(whole::add);
        // What was cut off in the middle must not run into the next line.
        Files.writeString(journal, "\n", StandardOpenOption.APPEND);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot keep " + journal + ": " + e, e);
    }
  }

  /**
   * Which stores a journal is of.
   *
   * @return none if there is no journal
   */
  public static Optional<String> begun(Path journal) {
    try (Stream<String> lines = Files.lines(journal, StandardCharsets.ISO_8859_1)) {
      return lines.findFirst();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + journal + ": " + e, e);
    }
  }

  /**
   * What was done.
   *
   * @param objects that the new store holds of the old one's, each read back from there once
   * @param copied those of them that were not there before this run
   * @param bytes of these
   */
  public record Moved(long objects, long copied, long bytes) {}

  /**
   * Copies what the new store lacks. Doing it again copies what came into the old one meanwhile.
   *
   * @throws IntegrityException if an object is corrupt in the old store; those before it are copied
   * @throws UncheckedIOException if a store or the journal fails; doing it again goes on
   */
  public Moved copy(Progress progress) {
    List<Digest> all = new ArrayList<>();
    try (Stream<Digest> listed = from.list()) {
      listed.forEach(all::add);
    }
    for (int i = 0; i < all.size(); i++) {
      progress.at("Moving artifacts", i, all.size(), all.get(i).brief());
      move(all.get(i));
    }
    progress.at("Moving artifacts", all.size(), all.size(), "");
    return new Moved(all.size(), copied, bytes);
  }

  private void move(Digest digest) {
    boolean there = to.has(digest);
    if (there && whole.contains(digest)) {
      return;
    }
    if (!there || !isSound(digest)) {
      try {
        bytes += transfer(digest);
      } catch (MissingArtifactException e) {
        return; // collected since it was listed
      }
      copied++;
      to.verify(digest);
    }
    try {
      Files.writeString(journal, digest.hex() + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write to " + journal + ": " + e, e);
    }
    whole.add(digest);
  }

  private boolean isSound(Digest digest) {
    try {
      to.verify(digest);
      return true;
    } catch (IntegrityException e) {
      return false; // put replaces it
    }
  }

  private long transfer(Digest digest) {
    long size = from.size(digest);
    if (size <= IN_MEMORY) {
      to.put(from.bytes(digest));
      return size;
    }
    try {
      Path file = Files.createTempFile("cambium-move", null);
      try {
        try (InputStream in = from.open(digest)) { // throws at its end if it is corrupt
          Files.copy(in, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
        to.put(file);
        return size;
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot copy " + digest + ": " + e, e);
    }
  }
}
