package dev.cambium.engine.transfer;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Moves a model's residual channels, feed-forward units and heads to other places. The result
 * computes the same, so what {@link Align} carries to it has an answer that is known: tests and
 * benchmarks make bases by it.
 */
public final class Permutation {

  private final DecoderConfig config;
  private final int[] channels;
  private final List<int[]> units = new ArrayList<>();
  private final List<int[]> queries = new ArrayList<>();
  private final List<int[]> keys = new ArrayList<>();

  /**
   * A random permutation for models of a shape.
   *
   * @param seed the same one gives the same permutation
   */
  public Permutation(DecoderConfig config, long seed) {
    this.config = config;
    Random random = new Random(seed);
    channels = shuffled(config.hiddenSize(), random);
    int share = config.heads() / config.keyValueHeads();
    for (int l = 0; l < config.layers(); l++) {
      units.add(shuffled(config.intermediateSize(), random));
      int[] groups = shuffled(config.keyValueHeads(), random);
      int[] heads = new int[config.heads()];
      for (int g = 0; g < groups.length; g++) {
        int[] within = shuffled(share, random);
        for (int i = 0; i < share; i++) {
          heads[g * share + i] = groups[g] * share + within[i];
        }
      }
      queries.add(blocks(heads, config.headDim()));
      keys.add(blocks(groups, config.headDim()));
    }
  }

  private static int[] shuffled(int size, Random random) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      order.add(i);
    }
    Collections.shuffle(order, random);
    return order.stream().mapToInt(Integer::intValue).toArray();
  }

  private static int[] blocks(int[] places, int width) {
    int[] all = new int[places.length * width];
    for (int b = 0; b < places.length; b++) {
      for (int i = 0; i < width; i++) {
        all[b * width + i] = places[b] * width + i;
      }
    }
    return all;
  }

  /**
   * Writes a permuted copy of a model directory, its text files unchanged, in fp32.
   *
   * @param out absent or empty
   */
  public static void write(Path model, Path out, long seed) throws IOException {
    DirectoryTree.copy(model, out);
    try (Decoder from = Decoder.load(model);
        Decoder to = from.copy()) {
      new Permutation(from.config(), seed).copy(from, to);
      to.save(out, Precision.F32);
    }
  }

  /** Writes the permuted weights of one decoder into another of the same shape. */
  public void copy(Decoder from, Decoder to) {
    from.shapes().forEach((name, shape) -> to.write(name, moved(name, shape, from.read(name))));
  }

  private float[] moved(String name, List<Long> shape, float[] values) {
    int[] rows = null;
    int[] columns = null;
    int layer = name.startsWith("model.layers.") ? Integer.parseInt(name.split("\\.")[2]) : -1;
    if (name.endsWith("q_proj.weight") || name.endsWith("q_proj.bias")) {
      rows = queries.get(layer);
      columns = channels;
    } else if (name.contains("k_proj") || name.contains("v_proj")) {
      rows = keys.get(layer);
      columns = channels;
    } else if (name.contains("o_proj")) {
      rows = channels;
      columns = queries.get(layer);
    } else if (name.contains("gate_proj") || name.contains("up_proj")) {
      rows = units.get(layer);
      columns = channels;
    } else if (name.contains("down_proj")) {
      rows = channels;
      columns = units.get(layer);
    } else if (shape.size() == 1) {
      rows = channels;
    } else {
      columns = channels; // embedding and head
    }
    int height = Math.toIntExact(shape.get(0));
    int width = shape.size() == 1 ? 1 : Math.toIntExact(shape.get(1));
    float[] result = new float[values.length];
    for (int r = 0; r < height; r++) {
      for (int c = 0; c < width; c++) {
        int row = rows == null ? r : rows[r];
        int column = columns == null || width == 1 ? c : columns[c];
        result[row * width + column] = values[r * width + c];
      }
    }
    return result;
  }
}
