package dev.cambium.artifact.gguf;

import dev.cambium.artifact.DurableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF file, version 3, little-endian, after the specification in ggml's repository
 * ({@code docs/gguf.md}): a header, typed metadata, the tensors' descriptions, and their data, each
 * at a multiple of 32 bytes. A tensor's dimensions are written innermost first.
 */
final class GgufWriter {

  static final int ALIGNMENT = 32;
  private static final int VERSION = 3;
  private static final int CHUNK = 1 << 20;

  /** Types of metadata, with their numbers. */
  private enum Type {
    UINT32(4),
    INT32(5),
    FLOAT32(6),
    BOOL(7),
    STRING(8),
    ARRAY(9);

    private final int number;

    Type(int number) {
      this.number = number;
    }
  }

  /** Makes a tensor's data. */
  @FunctionalInterface
  interface Data {
    void writeTo(Sink sink) throws IOException;
  }

  /** Takes data in pieces. */
  @FunctionalInterface
  interface Sink {
    /** Takes what lies between position and limit. */
    void put(ByteBuffer bytes) throws IOException;
  }

  private record Tensor(TensorType type, List<Long> shape, Data data) {
    long size() {
      return type.size(shape.stream().reduce(1L, Math::multiplyExact));
    }
  }

  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  /** Sets a text, flag, 32-bit float, unsigned 32-bit integer, or list of texts or of integers. */
  void put(String key, Object value) {
    typeOf(value);
    if (metadata.put(key, value) != null) {
      throw new IllegalArgumentException("twice: " + key);
    }
  }

  /**
   * Adds a tensor.
   *
   * @param shape outermost first
   */
  void add(String name, TensorType type, List<Long> shape, Data data) {
    if (shape.get(shape.size() - 1) % type.block() != 0) {
      throw new IllegalArgumentException(name + ": rows of no whole blocks: " + shape);
    }
    if (tensors.put(name, new Tensor(type, shape, data)) != null) {
      throw new IllegalArgumentException("twice: " + name);
    }
  }

  private static Type typeOf(Object value) {
    if (value instanceof String) {
      return Type.STRING;
    }
    if (value instanceof Boolean) {
      return Type.BOOL;
    }
    if (value instanceof Float) {
      return Type.FLOAT32;
    }
    if (value instanceof Integer number && number >= 0) {
      return Type.UINT32;
    }
    if (value instanceof List<?> list && !list.isEmpty()) {
      boolean texts = list.stream().allMatch(String.class::isInstance);
      boolean floats = list.stream().allMatch(Float.class::isInstance);
      if (texts || floats || list.stream().allMatch(Integer.class::isInstance)) {
        return Type.ARRAY;
      }
    }
    throw new IllegalArgumentException("no such metadata: " + value);
  }

  /** Creates or replaces a file, as a whole or not at all; returns its size. */
  long write(Path file) {
    Header header = new Header();
    long start = aligned(header.size());
    long end = start;
    for (Tensor tensor : tensors.values()) {
      end = aligned(end + tensor.size());
    }
    long size = end;
    DurableFile.write(
        file,
        channel -> {
          header.writeTo(channel);
          for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            pad(channel);
            long before = channel.position();
            entry
                .getValue()
                .data()
                .writeTo(
                    bytes -> {
                      while (bytes.hasRemaining()) {
                        channel.write(bytes);
                      }
                    });
            if (channel.position() - before != entry.getValue().size()) {
              throw new IOException(
                  entry.getKey()
                      + ": "
                      + (channel.position() - before)
                      + " bytes, not "
                      + entry.getValue().size());
            }
          }
          pad(channel);
        });
    return size;
  }

  private static long aligned(long position) {
    return (position + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private static void pad(FileChannel channel) throws IOException {
    long missing = aligned(channel.position()) - channel.position();
    ByteBuffer zeros = ByteBuffer.allocate((int) missing);
    while (zeros.hasRemaining()) {
      channel.write(zeros);
    }
  }

  /** All before the data, in pieces. */
  private final class Header {
    private final List<ByteBuffer> pieces = new ArrayList<>();
    private ByteBuffer piece = fresh(CHUNK);

    Header() {
      raw("GGUF".getBytes(StandardCharsets.US_ASCII));
      u32(VERSION);
      u64(tensors.size());
      u64(metadata.size());
      metadata.forEach(
          (key, value) -> {
            text(key);
            u32(typeOf(value).number);
            value(value);
          });
      long offset = 0;
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        Tensor tensor = entry.getValue();
        text(entry.getKey());
        u32(tensor.shape().size());
        for (int i = tensor.shape().size() - 1; i >= 0; i--) {
          u64(tensor.shape().get(i));
        }
        u32(tensor.type().number());
        u64(offset);
        offset = aligned(offset + tensor.size());
      }
      pieces.add(piece.flip());
    }

    private static ByteBuffer fresh(int size) {
      return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    long size() {
      return pieces.stream().mapToLong(ByteBuffer::limit).sum();
    }

    void writeTo(FileChannel channel) throws IOException {
      for (ByteBuffer bytes : pieces) {
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
    }

    private void value(Object value) {
      switch (typeOf(value)) {
        case STRING -> text((String) value);
        case BOOL -> raw(new byte[] {(byte) ((Boolean) value ? 1 : 0)});
        case FLOAT32 -> u32(Float.floatToRawIntBits((Float) value));
        case UINT32, INT32 -> u32((Integer) value);
        case ARRAY -> {
          List<?> list = (List<?>) value;
          Object first = list.get(0);
          Type type =
              first instanceof String
                  ? Type.STRING
                  : first instanceof Float ? Type.FLOAT32 : Type.INT32;
          u32(type.number);
          u64(list.size());
          list.forEach(this::element);
        }
      }
    }

    private void element(Object value) {
      if (value instanceof String text) {
        text(text);
      } else {
        u32(value instanceof Float number ? Float.floatToRawIntBits(number) : (Integer) value);
      }
    }

    private void text(String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      u64(bytes.length);
      raw(bytes);
    }

    private void u32(int value) {
      room(4);
      piece.putInt(value);
    }

    private void u64(long value) {
      room(8);
      piece.putLong(value);
    }

    private void raw(byte[] bytes) {
      room(bytes.length);
      piece.put(bytes);
    }

    private void room(int bytes) {
      if (piece.remaining() < bytes) {
        pieces.add(piece.flip());
        piece = fresh(Math.max(bytes, CHUNK));
      }
    }
  }
}
