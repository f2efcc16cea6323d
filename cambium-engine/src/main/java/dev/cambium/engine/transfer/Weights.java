package dev.cambium.engine.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * All weights of a Hugging Face model directory, open. Where embeddings are tied, a head that a
 * file holds all the same is left out of account, for it is the embedding once more.
 */
final class Weights implements AutoCloseable {

  static final String INDEX = "model.safetensors.index.json";
  static final String EMBEDDING = DecoderConfig.EMBEDDING;
  static final String HEAD = DecoderConfig.HEAD;
  private static final String SINGLE = "model.safetensors";
  private static final Set<DType> FLOATS = Set.of(DType.F32, DType.BF16, DType.F16);
  private static final JsonMapper JSON = JsonMapper.builder().build();

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
      TensorInfo head = file.tensors().get(HEAD);
      if (head != null && !(where.containsKey(EMBEDDING) && isEmbedding(file, head))) {
        throw new IllegalArgumentException(
            file.file() + ": the config ties the head to the embedding, but the file's differs");
      }
    }
  }

  /** Compares piece by piece: an embedding may be larger than a mapping. */
  private boolean isEmbedding(SafetensorsFile file, TensorInfo head) {
    TensorInfo embedding = info(EMBEDDING);
    if (head.dtype() != embedding.dtype() || !head.shape().equals(embedding.shape())) {
      return false;
    }
    ByteBuffer one = ByteBuffer.allocate(1 << 20);
    ByteBuffer other = ByteBuffer.allocate(1 << 20);
    for (long start = 0; start < head.size(); start += one.capacity()) {
      int count = (int) Math.min(one.capacity(), head.size() - start);
      file.read(HEAD, start, one.clear().limit(count));
      read(EMBEDDING, start, other.clear().limit(count));
      if (!one.flip().equals(other.flip())) {
        return false;
      }
    }
    return true;
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
    JSON.readTree(Files.readAllBytes(index)).path("weight_map").forEach(n -> names.add(n.asText()));
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

  /** Reads part of a weight; see {@link SafetensorsFile#read}. */
  void read(String name, long offset, ByteBuffer into) {
    file(name).read(name, offset, into);
  }

  /** The file that a weight is in. */
  SafetensorsFile file(String name) {
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

  /** Refuses another model that lacks, adds or reshapes a weight of this one, naming them all. */
  void requireSame(Weights other) {
    SortedSet<String> missing = new TreeSet<>(where.keySet());
    missing.removeAll(other.where.keySet());
    SortedSet<String> extra = new TreeSet<>(other.where.keySet());
    extra.removeAll(where.keySet());
    List<String> shapes = new ArrayList<>();
    for (String name : where.keySet()) {
      if (other.where.containsKey(name) && !info(name).shape().equals(other.info(name).shape())) {
        shapes.add(name + " " + other.info(name).shape() + " against " + info(name).shape());
      }
    }
    if (!missing.isEmpty() || !extra.isEmpty() || !shapes.isEmpty()) {
      throw new IllegalArgumentException(
          other.directory
              + " does not fit "
              + directory
              + ": missing "
              + missing
              + ", extra "
              + extra
              + ", other shapes "
              + shapes);
    }
  }

  /** Refuses what is no floating-point type that models are kept in. */
  static void requireFloat(TensorInfo info, Path where) {
    if (!FLOATS.contains(info.dtype())) {
      throw new IllegalArgumentException(
          where + ": " + info.name() + " is " + info.dtype() + "; supported: F32, BF16, F16");
    }
  }
}
