package dev.cambium.artifact.s3;

import dev.cambium.model.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A file as it is sent in parts.
 *
 * @param digest of the whole
 * @param size of the whole in bytes
 * @param part bytes of each part but the last
 * @param checksums SHA-256 of each part, in base 64
 */
record Parts(Digest digest, long size, int part, List<String> checksums) {

  private static final int BUFFER = 1 << 16;

  Parts {
    checksums = List.copyOf(checksums);
  }

  /** Hashes a file, the whole and the parts in one pass. */
  static Parts of(Path file, int part) throws IOException {
    MessageDigest whole = Digest.sha256();
    MessageDigest piece = Digest.sha256();
    List<String> checksums = new ArrayList<>();
    byte[] buffer = new byte[BUFFER];
    long size = 0;
    int inPiece = 0;
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = read(in, buffer, part); n >= 0; n = read(in, buffer, part - inPiece)) {
        whole.update(buffer, 0, n);
        piece.update(buffer, 0, n);
        size += n;
        inPiece += n;
        if (inPiece == part) {
          checksums.add(Base64.getEncoder().encodeToString(piece.digest()));
          inPiece = 0;
        }
      }
    }
    if (inPiece > 0) {
      checksums.add(Base64.getEncoder().encodeToString(piece.digest()));
    }
    return new Parts(Digest.ofRaw(whole.digest()), size, part, checksums);
  }

  private static int read(InputStream in, byte[] buffer, int most) throws IOException {
    return in.read(buffer, 0, Math.min(buffer.length, most));
  }

  /** The checksum that a server holds of the whole: of the parts' checksums, and their number. */
  String checksum() {
    MessageDigest all = Digest.sha256();
    checksums.forEach(checksum -> all.update(Base64.getDecoder().decode(checksum)));
    return Base64.getEncoder().encodeToString(all.digest()) + "-" + checksums.size();
  }

  /**
   * Reads a part.
   *
   * @throws IOException if the file has become shorter
   */
  byte[] read(Path file, int index) throws IOException {
    long from = (long) index * part;
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(part, size - from));
    try (FileChannel channel = FileChannel.open(file)) {
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, from + bytes.position()) < 0) {
          throw new IOException("it became shorter while it was read");
        }
      }
    }
    return bytes.array();
  }
}
