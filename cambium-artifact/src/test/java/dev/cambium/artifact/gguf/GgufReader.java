package dev.cambium.artifact.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads GGUF as its specification has it, for tests; shares nothing with the writer. */
final class GgufReader {

  /** A tensor: dimensions innermost first, type, place from the beginning of the data. */
  record Tensor(List<Long> dimensions, int type, long offset) {
    long elements() {
      return dimensions.stream().reduce(1L, (a, b) -> a * b);
    }

    long bytes() {
      return switch (type) {
        case 0 -> elements() * 4;
        case 1 -> elements() * 2;
        case 8 -> elements() / 32 * 34;
        default -> throw new AssertionError("type " + type);
      };
    }
  }

  final Map<String, Object> metadata = new LinkedHashMap<>();
  final Map<String, Tensor> tensors = new LinkedHashMap<>();
  final long dataStart;
  final long size;
  private final ByteBuffer in;

  GgufReader(Path file) throws IOException {
    in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    size = in.limit();
    byte[] magic = new byte[4];
    in.get(magic);
    if (!new String(magic, StandardCharsets.US_ASCII).equals("GGUF") || in.getInt() != 3) {
      throw new AssertionError("no GGUF 3");
    }
    long count = in.getLong();
    long keys = in.getLong();
    for (long i = 0; i < keys; i++) {
      String key = text();
      metadata.put(key, value(in.getInt()));
    }
    for (long i = 0; i < count; i++) {
      String name = text();
      List<Long> dimensions = new ArrayList<>();
      int rank = in.getInt();
      for (int d = 0; d < rank; d++) {
        dimensions.add(in.getLong());
      }
      tensors.put(name, new Tensor(dimensions, in.getInt(), in.getLong()));
    }
    dataStart = (in.position() + 31L) / 32 * 32;
  }

  private String text() {
    byte[] bytes = new byte[(int) in.getLong()];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private Object value(int type) {
    return switch (type) {
      case 4, 5 -> in.getInt();
      case 6 -> in.getFloat();
      case 7 -> in.get() == 1;
      case 8 -> text();
      case 9 -> {
        int of = in.getInt();
        long count = in.getLong();
        List<Object> list = new ArrayList<>();
        for (long i = 0; i < count; i++) {
          list.add(value(of));
        }
        yield list;
      }
      default -> throw new AssertionError("type " + type);
    };
  }

  /** A tensor's bytes. */
  ByteBuffer data(String name) {
    Tensor tensor = tensors.get(name);
    return in.slice((int) (dataStart + tensor.offset()), (int) tensor.bytes())
        .order(ByteOrder.LITTLE_ENDIAN);
  }
}
