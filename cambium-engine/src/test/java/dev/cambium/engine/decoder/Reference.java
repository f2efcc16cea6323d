package dev.cambium.engine.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cambium.artifact.huggingface.DecoderConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Values that {@code src/test/python/reference_logits.py} made with the reference implementation.
 */
final class Reference {

  static final JsonNode ROOT = read();

  private Reference() {}

  private static JsonNode read() {
    try (var in = Reference.class.getResourceAsStream("reference.json")) {
      return JsonMapper.builder().build().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static DecoderConfig config(String name) {
    ObjectNode config = ROOT.path("cases").path(name).path("config").deepCopy();
    boolean qwen = config.path("model_type").asText().equals("qwen2");
    config.putArray("architectures").add(qwen ? "Qwen2ForCausalLM" : "LlamaForCausalLM");
    return DecoderConfig.parse(config.toString());
  }

  static Decoder decoder(String name) {
    Decoder decoder = Decoder.random(config(name), 0);
    decoder.shapes().forEach((weight, shape) -> decoder.write(weight, filled(weight, shape)));
    return decoder;
  }

  /** The script's {@code fill}. */
  static float[] filled(String name, List<Long> shape) {
    long seed = 0;
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      seed = (seed * 31 + b) % 1000003;
    }
    int count = (int) shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      long index = i;
      long mixed = (index * 7919 + seed * 104729 + (index * index) % 8191 * 31) % 20011;
      double value = (mixed / 10005.5 - 1.0) * (shape.size() == 2 ? 0.5 : 0.25);
      values[i] = (float) (name.endsWith("norm.weight") ? value + 1 : value);
    }
    return values;
  }

  static int[][] rows() {
    JsonNode node = ROOT.path("rows");
    int[][] rows = new int[node.size()][];
    for (int b = 0; b < rows.length; b++) {
      rows[b] = new int[node.get(b).size()];
      for (int t = 0; t < rows[b].length; t++) {
        rows[b][t] = node.get(b).get(t).asInt();
      }
    }
    return rows;
  }

  /** The positions stored of every row. */
  static int[][] positions() {
    int[][] rows = rows();
    int[][] positions = new int[rows.length][];
    for (int b = 0; b < rows.length; b++) {
      positions[b] = new int[] {rows[b].length / 2, rows[b].length - 1};
    }
    return positions;
  }

  static float[] line(JsonNode logits, int row, int which) {
    JsonNode node = logits.get(row).get(which);
    float[] line = new float[node.size()];
    for (int i = 0; i < line.length; i++) {
      line[i] = (float) node.get(i).asDouble();
    }
    return line;
  }

  /** Largest difference over the largest magnitude expected. */
  static double relativeError(float[] actual, float[] expected) {
    double worst = 0;
    double scale = 0;
    for (int i = 0; i < expected.length; i++) {
      worst = Math.max(worst, Math.abs((double) actual[i] - expected[i]));
      scale = Math.max(scale, Math.abs(expected[i]));
    }
    return actual.length == expected.length ? worst / scale : Double.POSITIVE_INFINITY;
  }
}
