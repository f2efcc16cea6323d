package dev.cambium.engine.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.huggingface.DecoderConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/** Values that {@code src/test/python/family_logits.py} made with the reference implementation. */
final class Families {

  private static final JsonNode ROOT = read();

  private Families() {}

  private static JsonNode read() {
    try (var in = Families.class.getResourceAsStream("families.json")) {
      return JsonMapper.builder().build().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<String> names() {
    return ROOT.path("cases").propertyStream().map(java.util.Map.Entry::getKey).toList();
  }

  private static JsonNode of(String name) {
    return ROOT.path("cases").path(name);
  }

  /** Spelled as by transformers 5. */
  static DecoderConfig config(String name) {
    return DecoderConfig.parse(of(name).path("config").toString());
  }

  /** Spelled as by transformers 4. */
  static DecoderConfig oldConfig(String name) {
    return DecoderConfig.parse(of(name).path("old").toString());
  }

  static Decoder decoder(String name) {
    Decoder decoder = Decoder.random(config(name), 0);
    decoder
        .shapes()
        .forEach((weight, shape) -> decoder.write(weight, Reference.filled(weight, shape)));
    return decoder;
  }

  static int[][] rows() {
    int[][] rows = new int[ROOT.path("rows").size()][];
    for (int b = 0; b < rows.length; b++) {
      rows[b] = ints(ROOT.path("rows").path(b));
    }
    return rows;
  }

  /** How many tokens of each row are read at once before the others follow one by one. */
  static int[] prompts() {
    return ints(ROOT.path("prompts"));
  }

  /** Logits in the middle and at the end of a row read as a whole. */
  static float[] whole(String name, int row, int which) {
    return floats(of(name).path("whole").path(row).path(which));
  }

  /** Logits at the end of a row read token by token after its prompt. */
  static float[] stepped(String name, int row) {
    return floats(of(name).path("stepped").path(row));
  }

  private static int[] ints(JsonNode node) {
    int[] values = new int[node.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = node.get(i).asInt();
    }
    return values;
  }

  private static float[] floats(JsonNode node) {
    float[] values = new float[node.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) node.get(i).asDouble();
    }
    return values;
  }
}
