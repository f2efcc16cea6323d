package dev.cambium.artifact.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.cambium.artifact.DurableFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes safetensors files. The same tensors and metadata give the same bytes, whatever the order
 * of the maps: tensors lie by falling element size, then by name, so that each is aligned to its
 * element size (the order that Hugging Face's own writer uses).
 */
public final class SafetensorsWriter {

  private static final Comparator<TensorInfo> ORDER =
      Comparator.comparingInt((TensorInfo t) -> t.dtype().bits())
          .reversed()
          .thenComparing(t -> t.dtype().label())
          .thenComparing(TensorInfo::name);

  private SafetensorsWriter() {}

  /**
   * A tensor to write.
   *
   * @param shape sizes, outermost first; empty for a scalar
   * @param bytes from position to limit: the elements in row-major order, little-endian. Neither
   *     copied nor moved
   */
  public record Tensor(DType dtype, List<Long> shape, ByteBuffer bytes) {

    public Tensor {
      shape = List.copyOf(shape);
      long expected = dtype.bytes(TensorInfo.elements(shape));
      if (bytes.remaining() != expected) {
        throw new IllegalArgumentException(
            "shape %s of %s takes %d bytes; got %d"
                .formatted(shape, dtype.label(), expected, bytes.remaining()));
      }
    }
  }

  /**
   * Writes a file: temporary file, fsync, atomic rename. Readers see the old file or all of the new
   * one.
   *
   * @throws IllegalArgumentException if a name is not Unicode text or is reserved
   * @throws UncheckedIOException if writing fails; the file is then as it was before
   */
  public static void write(
      Path file, SortedMap<String, Tensor> tensors, Map<String, String> metadata) {
    SortedMap<String, TensorInfo> shapes = new TreeMap<>();
    tensors.forEach(
        (name, t) ->
            shapes.put(name, new TensorInfo(name, t.dtype(), t.shape(), 0, t.bytes().remaining())));
    write(
        file,
        shapes,
        metadata,
        (channel, dataStart, layout) -> {
          for (TensorInfo info : layout) {
            Tensor tensor = tensors.get(info.name());
            if (tensor != null) {
              writeAll(channel, tensor.bytes().duplicate());
            }
          }
        });
  }

  /** Fills in the tensors of a file whose header is written. */
  @FunctionalInterface
  public interface Filler {
    /**
     * Writes every tensor's bytes, in any order, by any threads.
     *
     * @param tensors all of the file; {@link TensorInfo#begin} counts from {@code dataStart}
     */
    void fill(FileChannel channel, long dataStart, List<TensorInfo> tensors) throws IOException;
  }

  /**
   * Writes a file whose tensors are larger than memory: like {@link #write}, but their bytes are
   * written by the caller.
   *
   * @param shapes type and shape of every tensor, by name
   */
  public static void write(
      Path file,
      SortedMap<String, TensorInfo> shapes,
      Map<String, String> metadata,
      Filler filler) {
    List<TensorInfo> layout = layout(new ArrayList<>(shapes.values()));
    ByteBuffer header = header(layout, metadata);
    DurableFile.write(
        file,
        channel -> {
          long dataStart = header.remaining();
          writeAll(channel, header);
          filler.fill(channel, dataStart, layout);
        });
  }

  private static void writeAll(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static List<TensorInfo> layout(List<TensorInfo> sorted) {
    for (TensorInfo t : sorted) {
      checkText(t.name());
      if (t.name().equals(Header.METADATA)) {
        throw new IllegalArgumentException("a tensor cannot be named " + t.name());
      }
    }
    sorted.sort(ORDER);
    List<TensorInfo> layout = new ArrayList<>();
    long position = 0;
    for (TensorInfo t : sorted) {
      long end = position + t.size();
      layout.add(new TensorInfo(t.name(), t.dtype(), t.shape(), position, end));
      position = end;
    }
    return layout;
  }

  /** The length and the JSON, padded with spaces so that the data begin at a multiple of 8. */
  private static ByteBuffer header(List<TensorInfo> layout, Map<String, String> metadata) {
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    try (JsonGenerator generator = new JsonFactory().createGenerator(json)) {
      generator.writeStartObject();
      if (!metadata.isEmpty()) {
        generator.writeObjectFieldStart(Header.METADATA);
        for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
          checkText(entry.getKey());
          checkText(entry.getValue());
          generator.writeStringField(entry.getKey(), entry.getValue());
        }
        generator.writeEndObject();
      }
      for (TensorInfo tensor : layout) {
        generator.writeObjectFieldStart(tensor.name());
        generator.writeStringField("dtype", tensor.dtype().label());
        generator.writeFieldName("shape");
        long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
        generator.writeArray(shape, 0, shape.length);
        generator.writeFieldName("data_offsets");
        generator.writeArray(new long[] {tensor.begin(), tensor.end()}, 0, 2);
        generator.writeEndObject();
      }
      generator.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    while (json.size() % Long.BYTES != 0) {
      json.write(' ');
    }
    ByteBuffer header =
        ByteBuffer.allocate(Long.BYTES + json.size()).order(ByteOrder.LITTLE_ENDIAN);
    return header.putLong(json.size()).put(json.toByteArray()).flip();
  }

  private static void checkText(String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException("not Unicode text (half a surrogate pair): " + text);
    }
  }
}
