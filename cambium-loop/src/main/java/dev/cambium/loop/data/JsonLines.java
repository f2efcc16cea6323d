package dev.cambium.loop.data;

import dev.cambium.model.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The stored form of rows and items: canonical JSON, one value per line. */
final class JsonLines {

  private JsonLines() {}

  static byte[] encode(List<?> values) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Object value : values) {
      out.writeBytes(Json.canonical(value));
      out.write('\n');
    }
    return out.toByteArray();
  }

  static <T> List<T> decode(byte[] stored, Class<T> type) {
    return new String(stored, StandardCharsets.UTF_8)
        .lines()
        .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), type))
        .toList();
  }
}
