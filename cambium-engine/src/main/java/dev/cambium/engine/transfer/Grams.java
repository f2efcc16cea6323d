package dev.cambium.engine.transfer;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.RowFile;
import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.PassObserver;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What goes into the linear modules of a model on some text: for each input the mean of x·xᵀ over
 * tokens, inputs × inputs, in double precision. Sums of as many layers as fit into a gigabyte are
 * taken in one reading of the text and then lie in files, so that memory is that of the model and
 * no more.
 */
final class Grams {

  /** Bytes of sums held at once. */
  private static final long HELD = 1L << 30;

  private static final int BATCH_TOKENS = 2048;

  /** Elements moved at once between a file and a matrix. */
  private static final int PIECE = 1 << 16;

  /** Where the matrix for a weight lies. */
  private record Place(Path file, String tensor) {}

  private final Path model;
  private final Map<String, Place> places = new HashMap<>();

  private Grams(Path model) {
    this.model = model;
  }

  /**
   * Reads text with a model.
   *
   * @param texts files of rows
   * @param tokens read at most; rows in the order of a digest of their ids, the last one cut
   * @param folder where the matrices are kept; the caller's to delete
   * @throws IllegalArgumentException if there is no text, or what it gives is not finite
   */
  static Grams measure(Path model, List<Path> texts, int tokens, Path folder, Progress progress) {
    Grams grams = new Grams(model);
    try (Decoder decoder = Decoder.load(model)) {
      List<int[]> rows = rows(model, texts, tokens, decoder.config().contextLength());
      int layers = decoder.config().layers();
      int next = 0;
      while (next <= layers) { // the head's input counts as that of a further layer
        next = grams.measure(decoder, rows, next, folder, progress);
      }
    }
    return grams;
  }

  private static List<int[]> rows(Path model, List<Path> texts, int tokens, int longest) {
    record Found(Row row, Path file, String order) {}
    List<Found> found = new ArrayList<>();
    for (Path file : texts) {
      for (Row row : RowFile.read(file)) {
        found.add(new Found(row, file, Digest.ofText(row.id()).hex()));
      }
    }
    found.sort(Comparator.comparing(Found::order));
    List<int[]> rows = new ArrayList<>();
    int left = tokens;
    try (RowEncoder encoder = RowEncoder.load(model)) {
      for (Found one : found) {
        if (left == 0) {
          break;
        }
        try {
          int[] ids = encoder.row(one.row, Math.min(longest, left)).ids();
          if (ids.length > 0) {
            rows.add(ids);
            left -= ids.length;
          }
        } catch (TemplateException | IllegalArgumentException e) {
          throw new IllegalArgumentException(
              one.file + ", row " + one.row.id() + ": " + e.getMessage(), e);
        }
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(model + ": " + e.getMessage(), e);
    }
    if (rows.isEmpty()) {
      throw new IllegalArgumentException(model + ": no text in " + texts);
    }
    return rows;
  }

  /** Takes as many layers as memory allows, at least one; returns the first that is left. */
  private int measure(
      Decoder decoder, List<int[]> rows, int first, Path folder, Progress progress) {
    try (Sums sums = new Sums(first, decoder.config().layers())) {
      decoder.observe(sums);
      int done = 0;
      while (done < rows.size()) {
        List<int[]> batch = new ArrayList<>();
        int size = 0;
        while (done < rows.size() && (batch.isEmpty() || size < BATCH_TOKENS)) {
          size += rows.get(done).length;
          batch.add(rows.get(done++));
        }
        int[][] last = new int[batch.size()][];
        Arrays.setAll(last, i -> new int[] {0}); // logits are not wanted, but somebody must ask
        decoder.logits(batch.toArray(int[][]::new), last).close();
        progress.at("read layers from " + first, done, rows.size(), "");
      }
      sums.write(folder);
      return sums.last + 1;
    } finally {
      decoder.observe(null);
    }
  }

  /** Whether the input of a weight was measured. */
  boolean knows(String weight) {
    return places.containsKey(weight);
  }

  /** The matrix for a weight's input, in the caller's scope. */
  Tensor read(String weight) {
    Place place = places.get(weight);
    if (place == null) {
      throw new IllegalArgumentException("nothing was measured of the input of " + weight);
    }
    try (SafetensorsFile file = SafetensorsFile.open(place.file)) {
      List<Long> shape = Objects.requireNonNull(file.tensors().get(place.tensor)).shape();
      Tensor matrix =
          torch.empty(
              new long[] {shape.get(0), shape.get(1)},
              new TensorOptions(ScalarType.Double),
              new MemoryFormatOptional());
      long elements = shape.get(0) * shape.get(1);
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(PIECE * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      double[] values = new double[PIECE];
      DoublePointer target = new DoublePointer(matrix.data_ptr());
      for (long start = 0; start < elements; start += PIECE) {
        int count = (int) Math.min(PIECE, elements - start);
        bytes.clear().limit(count * Double.BYTES);
        file.read(place.tensor, start * Double.BYTES, bytes);
        bytes.flip().asDoubleBuffer().get(values, 0, count);
        target.position(start).put(values, 0, count);
      }
      return matrix;
    }
  }

  /** The sums of some layers in a row. */
  private final class Sums implements PassObserver, AutoCloseable {
    private final SortedMap<Integer, SortedMap<String, Tensor>> sums = new TreeMap<>();
    private final Map<String, List<String>> modules = new HashMap<>();
    private final int first;
    private final int head;
    private int last;
    private long held;
    private long tokens;

    Sums(int first, int layers) {
      this.first = first;
      this.head = layers;
      this.last = first;
    }

    @Override
    public boolean hearsInputs() {
      return true;
    }

    @Override
    public void units(int layer, Tensor activations) {}

    @Override
    public void inputs(int layer, List<String> sharing, Tensor inputs) {
      add(layer, sharing, inputs);
    }

    @Override
    public void states(Tensor states) {
      add(head, List.of("lm_head"), states);
      tokens += states.size(0);
    }

    private void add(int layer, List<String> sharing, Tensor inputs) {
      if (layer < first || layer > limit(layer, inputs.size(1))) {
        return;
      }
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        Tensor exact = inputs.to(ScalarType.Double);
        Tensor product = exact.t().mm(exact);
        SortedMap<String, Tensor> ofLayer = sums.computeIfAbsent(layer, l -> new TreeMap<>());
        Tensor sum = ofLayer.get(sharing.get(0));
        if (sum == null) {
          product.retainReference();
          ofLayer.put(sharing.get(0), product);
          modules.put(sharing.get(0), sharing);
        } else {
          sum.add_(product);
        }
      }
    }

    /** The last layer that is taken; decided as the first batch comes by. */
    private int limit(int layer, long width) {
      if (tokens == 0 && layer >= last) {
        if (layer == last || held < HELD) {
          last = layer;
          held += width * width * Double.BYTES;
        }
      }
      return last;
    }

    void write(Path folder) {
      sums.forEach(
          (layer, ofLayer) -> {
            Path file = folder.resolve("layer-" + layer + ".safetensors");
            SortedMap<String, TensorInfo> shapes = new TreeMap<>();
            ofLayer.forEach(
                (name, sum) -> {
                  long width = sum.size(0);
                  shapes.put(
                      name,
                      new TensorInfo(
                          name, DType.F64, List.of(width, width), 0, width * width * Double.BYTES));
                  Objects.requireNonNull(modules.get(name))
                      .forEach(m -> places.put(m + ".weight", new Place(file, name)));
                });
            SafetensorsWriter.write(
                file,
                shapes,
                Map.of(),
                (channel, dataStart, layout) -> {
                  ByteBuffer bytes =
                      ByteBuffer.allocateDirect(PIECE * Double.BYTES)
                          .order(ByteOrder.LITTLE_ENDIAN);
                  double[] values = new double[PIECE];
                  for (TensorInfo info : layout) {
                    try (PointerScope scope = new PointerScope();
                        NoGradGuard guard = new NoGradGuard()) {
                      Tensor sum =
                          Backend.instance()
                              .toHost(Objects.requireNonNull(ofLayer.get(info.name())));
                      DoublePointer source = new DoublePointer(sum.data_ptr());
                      for (long start = 0; start < info.elements(); start += PIECE) {
                        int count = (int) Math.min(PIECE, info.elements() - start);
                        source.position(start).get(values, 0, count);
                        for (int i = 0; i < count; i++) {
                          values[i] /= tokens;
                          if (!Double.isFinite(values[i])) {
                            throw new IllegalArgumentException(
                                model
                                    + ": on its text what goes into "
                                    + info.name()
                                    + " is not finite");
                          }
                        }
                        bytes.clear();
                        bytes.asDoubleBuffer().put(values, 0, count);
                        bytes.limit(count * Double.BYTES);
                        while (bytes.hasRemaining()) {
                          channel.write(bytes);
                        }
                      }
                    }
                  }
                });
          });
    }

    @Override
    public void close() {
      sums.values().forEach(ofLayer -> ofLayer.values().forEach(Tensor::close));
    }
  }
}
