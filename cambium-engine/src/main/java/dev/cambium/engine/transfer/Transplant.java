package dev.cambium.engine.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.text.ModelText;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Carries a change of weights to a new base: new + alpha · (tuned − old) (task arithmetic; Ilharco
 * et al., 2023), element by element in double precision, rounded once, to nearest and to even, into
 * the new base's own type.
 *
 * <p>All three models must have the same weights of the same shapes; what is missing, extra or of
 * another shape is named. Where embeddings are tied, a head that a file holds all the same is left
 * out of account, for it is the embedding once more. The result takes configuration and text files
 * from the new base, unchanged.
 */
public final class Transplant {

  private static final String EMBEDDING = "model.embed_tokens.weight";
  private static final String HEAD = "lm_head.weight";
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final String ADAPTER = "adapter_model.safetensors";
  private static final String ADAPTER_CONFIG = "adapter_config.json";
  private static final Set<DType> FLOATS = Set.of(DType.F32, DType.BF16, DType.F16);
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private Transplant() {}

  /**
   * Carries a full-weight change to a new base.
   *
   * @param oldBase what {@code tuned} was made from
   * @param newBase the base it is carried to
   * @param alpha 0 gives the new base, 1 the whole change
   * @param out directory of the result; made if it is not there
   * @throws IllegalArgumentException if the three do not fit together, naming what does not
   */
  public static void model(
      Path oldBase, Path newBase, Path tuned, double alpha, Path out, Progress progress) {
    requireFinite(alpha);
    try (Weights before = Weights.open(oldBase);
        Weights base = Weights.open(newBase);
        Weights after = Weights.open(tuned)) {
      if (before.tied != base.tied || before.tied != after.tied) {
        throw new IllegalArgumentException(
            "tied embeddings: old base "
                + before.tied
                + ", new base "
                + base.tied
                + ", tuned "
                + after.tied
                + "; a tied and an untied head cannot be subtracted");
      }
      requireSame(base, before);
      requireSame(base, after);
      Files.createDirectories(out);
      int done = 0;
      for (Path file : base.files) {
        SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
          for (TensorInfo info : source.tensors().values()) {
            if (base.where.containsKey(info.name())) {
              tensors.put(
                  info.name(),
                  new SafetensorsWriter.Tensor(
                      info.dtype(), info.shape(), combined(info, base, before, after, alpha)));
              progress.at("transplant", ++done, base.where.size(), info.name());
            }
          }
          SafetensorsWriter.write(out.resolve(file.getFileName()), tensors, source.metadata());
        }
      }
      copy(newBase, out, "config.json");
      copy(newBase, out, INDEX);
      for (Path text : ModelText.files(newBase)) {
        copy(newBase, out, text.getFileName().toString());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    }
  }

  /**
   * Scales an adapter's update: every {@code lora_B} times alpha. Lengths of rows (DoRA) and
   * modules stored whole stay as they are. With alpha 1 the files are the same to the byte.
   *
   * @param adapter PEFT directory
   * @param out directory of the result; made if it is not there
   */
  public static void adapter(Path adapter, double alpha, Path out) {
    requireFinite(alpha);
    try (SafetensorsFile source = SafetensorsFile.open(adapter.resolve(ADAPTER))) {
      Files.createDirectories(out);
      SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
      int scaled = 0;
      for (TensorInfo info : source.tensors().values()) {
        ByteBuffer bytes = source.bytes(info.name());
        boolean up = info.name().contains(".lora_B.");
        if (up) {
          requireFloat(info, adapter);
          ByteBuffer result = allocate(info);
          int count = Math.toIntExact(info.elements());
          for (int i = 0; i < count; i++) {
            Floats.put(result, info.dtype(), i, alpha * Floats.get(bytes, info.dtype(), i));
          }
          bytes = result;
          scaled++;
        }
        tensors.put(info.name(), new SafetensorsWriter.Tensor(info.dtype(), info.shape(), bytes));
      }
      if (scaled == 0) {
        throw new IllegalArgumentException(adapter + ": the adapter has no lora_B weights");
      }
      SafetensorsWriter.write(out.resolve(ADAPTER), tensors, source.metadata());
      copy(adapter, out, ADAPTER_CONFIG);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    }
  }

  private static void requireFinite(double alpha) {
    if (!Double.isFinite(alpha)) {
      throw new IllegalArgumentException("alpha must be a finite number, not " + alpha);
    }
  }

  private static ByteBuffer combined(
      TensorInfo info, Weights base, Weights before, Weights after, double alpha) {
    ByteBuffer result = allocate(info);
    ByteBuffer baseBytes = base.bytes(info.name());
    ByteBuffer beforeBytes = before.bytes(info.name());
    ByteBuffer afterBytes = after.bytes(info.name());
    DType beforeType = before.info(info.name()).dtype();
    DType afterType = after.info(info.name()).dtype();
    int count = Math.toIntExact(info.elements());
    for (int i = 0; i < count; i++) {
      double change = Floats.get(afterBytes, afterType, i) - Floats.get(beforeBytes, beforeType, i);
      double sum = Floats.get(baseBytes, info.dtype(), i) + alpha * change;
      Floats.put(result, info.dtype(), i, sum);
    }
    return result;
  }

  private static ByteBuffer allocate(TensorInfo info) {
    return ByteBuffer.allocate(Math.toIntExact(info.size())).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void copy(Path from, Path to, String name) throws IOException {
    if (Files.exists(from.resolve(name))) {
      Files.copy(from.resolve(name), to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void requireSame(Weights base, Weights other) {
    SortedSet<String> missing = new TreeSet<>(base.where.keySet());
    missing.removeAll(other.where.keySet());
    SortedSet<String> extra = new TreeSet<>(other.where.keySet());
    extra.removeAll(base.where.keySet());
    List<String> shapes = new ArrayList<>();
    for (String name : base.where.keySet()) {
      if (other.where.containsKey(name)
          && !base.info(name).shape().equals(other.info(name).shape())) {
        shapes.add(name + " " + other.info(name).shape() + " against " + base.info(name).shape());
      }
    }
    if (!missing.isEmpty() || !extra.isEmpty() || !shapes.isEmpty()) {
      throw new IllegalArgumentException(
          other.directory
              + " does not fit the new base "
              + base.directory
              + ": missing "
              + missing
              + ", extra "
              + extra
              + ", other shapes "
              + shapes);
    }
  }

  private static void requireFloat(TensorInfo info, Path where) {
    if (!FLOATS.contains(info.dtype())) {
      throw new IllegalArgumentException(
          where + ": " + info.name() + " is " + info.dtype() + "; supported: F32, BF16, F16");
    }
  }

  /** All weights of a model directory, open. */
  private static final class Weights implements AutoCloseable {
    final Path directory;
    final boolean tied;
    final List<Path> files;
    final SortedMap<String, SafetensorsFile> where = new TreeMap<>();
    private final Map<Path, SafetensorsFile> open = new LinkedHashMap<>();

    private Weights(Path directory, boolean tied, List<Path> files) {
      this.directory = directory;
      this.tied = tied;
      this.files = files;
    }

    static Weights open(Path directory) throws IOException {
      JsonNode config = JSON.readTree(Files.readAllBytes(directory.resolve("config.json")));
      boolean tied = config.path("tie_word_embeddings").asBoolean(false);
      Weights weights = new Weights(directory, tied, files(directory));
      try {
        for (Path file : weights.files) {
          SafetensorsFile tensors = SafetensorsFile.open(file);
          weights.open.put(file, tensors);
          for (TensorInfo info : tensors.tensors().values()) {
            boolean derived =
                info.name().endsWith(".rotary_emb.inv_freq") || (tied && info.name().equals(HEAD));
            if (!derived) {
              requireFloat(info, file);
              if (weights.where.put(info.name(), tensors) != null) {
                throw new IllegalArgumentException(file + ": " + info.name() + " is there twice");
              }
            }
          }
        }
        weights.checkTiedHead();
      } catch (RuntimeException e) {
        weights.close();
        throw e;
      }
      return weights;
    }

    private void checkTiedHead() {
      if (!tied) {
        return;
      }
      for (SafetensorsFile file : open.values()) {
        if (file.tensors().containsKey(HEAD)
            && (!where.containsKey(EMBEDDING) || !file.bytes(HEAD).equals(bytes(EMBEDDING)))) {
          throw new IllegalArgumentException(
              file.file() + ": the config ties the head to the embedding, but the file's differs");
        }
      }
    }

    private static List<Path> files(Path directory) throws IOException {
      if (Files.exists(directory.resolve(SINGLE))) {
        return List.of(directory.resolve(SINGLE));
      }
      Path index = directory.resolve(INDEX);
      if (!Files.exists(index)) {
        throw new IllegalArgumentException(directory + ": neither " + SINGLE + " nor " + INDEX);
      }
      SortedSet<String> names = new TreeSet<>();
      JSON.readTree(Files.readAllBytes(index))
          .path("weight_map")
          .forEach(n -> names.add(n.asText()));
      List<Path> files = new ArrayList<>();
      for (String name : names) {
        if (name.contains("/") || name.contains("\\") || !name.endsWith(".safetensors")) {
          throw new IllegalArgumentException(index + ": not a file beside it: '" + name + "'");
        }
        files.add(directory.resolve(name));
      }
      return files;
    }

    TensorInfo info(String name) {
      TensorInfo info = file(name).tensors().get(name);
      if (info == null) {
        throw new IllegalArgumentException(directory + " has no " + name);
      }
      return info;
    }

    ByteBuffer bytes(String name) {
      return file(name).bytes(name);
    }

    private SafetensorsFile file(String name) {
      SafetensorsFile file = where.get(name);
      if (file == null) {
        throw new IllegalArgumentException(directory + " has no " + name);
      }
      return file;
    }

    @Override
    public void close() {
      open.values().forEach(SafetensorsFile::close);
    }
  }
}
