package dev.cambium.artifact.safetensors;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * An open safetensors file: 8 bytes with the header's length (little-endian), the header, then the
 * tensors' bytes (<a href="https://github.com/huggingface/safetensors#format">format</a>).
 *
 * <p>Everything about the header is checked by {@link #open}. Tensors are memory-mapped, so opening
 * costs the header only. The file must not be changed while it is open, nor while a buffer from it
 * is in use: files in the content store never are.
 */
public final class SafetensorsFile implements AutoCloseable {

  private static final long MAX_HEADER = 100_000_000;
  private static final int PREFIX = 8;

  private final Path file;
  private final FileChannel channel;
  private final Header header;
  private final long dataStart;

  /** The whole data section, where one mapping can hold it; else each tensor gets its own. */
  private final @Nullable MappedByteBuffer data;

  private SafetensorsFile(
      Path file,
      FileChannel channel,
      Header header,
      long dataStart,
      @Nullable MappedByteBuffer data) {
    this.file = file;
    this.channel = channel;
    this.header = header;
    this.dataStart = dataStart;
    this.data = data;
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws SafetensorsException if it is not well-formed, naming key, found and expected
   * @throws UncheckedIOException if it cannot be read
   */
  public static SafetensorsFile open(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new NoSuchFileException(file.toString(), null, "not a regular file");
      }
      FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
      try {
        long size = channel.size();
        long headerLength = headerLength(file, channel, size);
        long dataStart = PREFIX + headerLength;
        ByteBuffer json = read(channel, PREFIX, (int) headerLength);
        long dataSize = size - dataStart;
        Header header = Header.parse(file, json, dataSize);
        @Nullable MappedByteBuffer data =
            dataSize <= Integer.MAX_VALUE
                ? channel.map(FileChannel.MapMode.READ_ONLY, dataStart, dataSize)
                : null;
        return new SafetensorsFile(file, channel, header, dataStart, data);
      } catch (IOException | RuntimeException | Error e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e, e);
    }
  }

  /** The header's length, once it is known to lie within the file and to begin an object. */
  private static long headerLength(Path file, FileChannel channel, long size) throws IOException {
    ByteBuffer start = read(channel, 0, (int) Math.min(size, 64));
    String kind = otherKind(start);
    if (size <= PREFIX) {
      throw new SafetensorsException(
          file, "header length", size + " bytes" + kind, "8 bytes of length, then a header");
    }
    long length = start.order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    long limit = Math.min(MAX_HEADER, size - PREFIX);
    boolean within = length >= 2 && length <= limit;
    if (!within || start.get(PREFIX) != '{') {
      String found =
          within
              ? "a header that begins with byte 0x%02x".formatted(start.get(PREFIX))
              : Long.toUnsignedString(length);
      throw new SafetensorsException(
          file,
          within ? "header" : "header length",
          found + kind,
          within
              ? "a JSON object, '{'"
              : "2 to "
                  + limit
                  + (limit == MAX_HEADER ? ", the format's limit" : ", the rest of the file"));
    }
    return length;
  }

  /**
   * Names the other formats that are often found under this file's name; empty if none is known.
   * Only asked for a file already refused: {@code 80 02} also begins a header of 640 bytes.
   */
  private static String otherKind(ByteBuffer start) {
    String head = StandardCharsets.ISO_8859_1.decode(start.duplicate()).toString();
    if (head.startsWith("PK\003\004")) {
      return " (this is a zip archive, as torch.save writes: it holds pickle, which can run code "
          + "and is never read; save it again as safetensors)";
    }
    if (head.length() >= 2
        && head.charAt(0) == 0x80
        && head.charAt(1) >= 2
        && head.charAt(1) <= 5) {
      return " (this is a pickle, which can run code and is never read; save it again as "
          + "safetensors)";
    }
    if (head.startsWith("GGUF")) {
      return " (this is a GGUF file)";
    }
    if (head.startsWith("version https://git-lfs")) {
      return " (this is a Git LFS pointer, not the file itself: run 'git lfs pull')";
    }
    return "";
  }

  private static ByteBuffer read(FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new EOFException("the file became shorter while it was read");
      }
    }
    return buffer.flip();
  }

  /** The file's path. */
  public Path file() {
    return file;
  }

  /** Every tensor, by name. */
  public SortedMap<String, TensorInfo> tensors() {
    return header.tensors();
  }

  /** The free texts of the header's {@code __metadata__}; empty if there are none. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * A tensor's bytes: read-only, little-endian, row-major, mapped from the file. The buffer stays
   * valid after {@link #close}; its mapping goes when the buffer is unreachable.
   *
   * @throws IllegalArgumentException if there is no such tensor
   * @throws SafetensorsException if it is 2 GiB or larger, more than a buffer can hold
   */
  public ByteBuffer bytes(String name) {
    @Nullable TensorInfo tensor = header.tensors().get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(file + ": no tensor '" + name + "'");
    }
    if (tensor.size() > Integer.MAX_VALUE) {
      throw new SafetensorsException(
          file, name, tensor.size() + " bytes", "less than 2 GiB in one tensor");
    }
    ByteBuffer bytes;
    if (data != null) {
      bytes = data.slice((int) tensor.begin(), (int) tensor.size());
    } else {
      try {
        bytes =
            channel.map(FileChannel.MapMode.READ_ONLY, dataStart + tensor.begin(), tensor.size());
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + file + ": " + name + ": " + e, e);
      }
    }
    return bytes.order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Reads part of a tensor of any size, without mapping it.
   *
   * @param offset in bytes from the tensor's first
   * @param into filled from its position to its limit
   * @throws IllegalArgumentException if there is no such tensor, or it ends before
   */
  public void read(String name, long offset, ByteBuffer into) {
    @Nullable TensorInfo tensor = header.tensors().get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(file + ": no tensor '" + name + "'");
    }
    if (offset < 0 || into.remaining() > tensor.size() - offset) {
      throw new IllegalArgumentException(
          file
              + ": "
              + name
              + " has "
              + tensor.size()
              + " bytes; asked for "
              + into.remaining()
              + " from "
              + offset);
    }
    long position = dataStart + tensor.begin() + offset;
    try {
      while (into.hasRemaining()) {
        int count = channel.read(into, position);
        if (count < 0) {
          throw new SafetensorsException(file, name, "the file's end", "more bytes");
        }
        position += count;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + name + ": " + e, e);
    }
  }

  /** Closes the file. Buffers already taken stay valid. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close " + file, e);
    }
  }
}
