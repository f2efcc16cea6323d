package dev.cambium.engine.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.DirectoryTree;
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
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Merges Hugging Face model directories of any size in bounded memory: weights are read, merged and
 * written piece by piece, on several threads, with the same result whatever their number.
 *
 * <p>All models must have the same weights of the same shapes and the same tokens; what differs is
 * named. Where embeddings are tied, the head is the embedding once more, and merged once. Type,
 * shards, configuration and text of the result are those of the base or, without one, of the first
 * model.
 */
public final class Merge {

  /** Elements of a piece: small enough for the inner cache, large enough for the disk. */
  private static final int PIECE = 1 << 17;

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final MergeMethod method;
  private final @Nullable Weights base;
  private final List<Weights> models;
  private final int threads;
  private final Progress progress;
  private final AtomicLong done = new AtomicLong();
  private final ThreadLocal<Piece> pieces = ThreadLocal.withInitial(Piece::new);
  private long total;

  private Merge(
      MergeMethod method,
      @Nullable Weights base,
      List<Weights> models,
      int threads,
      Progress progress) {
    this.method = method;
    this.base = base;
    this.models = models;
    this.threads = threads;
    this.progress = progress;
  }

  /**
   * Merges models.
   *
   * @param models as many as the method has weights
   * @param base what all were made from; null for a method that needs none
   * @param out directory of the result, which must not exist; it appears whole or not at all
   * @param threads at least 1
   * @throws IllegalArgumentException naming what does not fit, or the weight that is not a number
   *     or too large for its type
   */
  public static void models(
      List<Path> models,
      @Nullable Path base,
      MergeMethod method,
      Path out,
      int threads,
      Progress progress) {
    if (models.size() != method.weights().size()) {
      throw new IllegalArgumentException(
          models.size() + " models for " + method.weights().size() + " weights");
    }
    if (method.needsBase() != (base != null)) {
      throw new IllegalArgumentException(
          method.needsBase()
              ? "the method needs the base that all models were made from"
              : "the method takes no base: it knows the models themselves only");
    }
    if (Files.exists(out)) {
      throw new IllegalArgumentException(out + " exists; give a directory that does not");
    }
    List<Weights> open = new ArrayList<>();
    Path partial = out.toAbsolutePath().normalize();
    partial = partial.resolveSibling("." + partial.getFileName() + ".partial");
    try {
      DirectoryTree.delete(partial);
      for (Path model : models) {
        open.add(Weights.open(model));
      }
      @Nullable Weights origin = null;
      if (base != null) {
        origin = Weights.open(base);
        open.add(origin);
      }
      Weights pattern = open.get(open.size() > models.size() ? open.size() - 1 : 0);
      for (Weights other : open) {
        requireFits(pattern, other);
      }
      Files.createDirectories(partial);
      new Merge(method, origin, open.subList(0, models.size()), threads, progress)
          .write(pattern, partial);
      Files.move(partial, out, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out + ": " + e, e);
    } finally {
      open.forEach(Weights::close);
      DirectoryTree.delete(partial);
    }
  }

  // ---- what fits together ----

  private static void requireFits(Weights pattern, Weights other) throws IOException {
    if (pattern.tied != other.tied) {
      throw new IllegalArgumentException(
          "tied embeddings: "
              + pattern.directory
              + " "
              + pattern.tied
              + ", "
              + other.directory
              + " "
              + other.tied
              + "; a tied and an untied head cannot be merged");
    }
    pattern.requireSame(other);
    SortedMap<String, Long> expected = tokens(pattern.directory);
    SortedMap<String, Long> found = tokens(other.directory);
    for (Map.Entry<String, Long> token : expected.entrySet()) {
      Long id = found.get(token.getKey());
      if (!token.getValue().equals(id)) {
        throw otherTokens(pattern, other, token.getKey(), token.getValue(), id);
      }
    }
    for (Map.Entry<String, Long> token : found.entrySet()) {
      if (!expected.containsKey(token.getKey())) {
        throw otherTokens(pattern, other, token.getKey(), null, token.getValue());
      }
    }
  }

  private static IllegalArgumentException otherTokens(
      Weights pattern, Weights other, String token, @Nullable Long expected, @Nullable Long found) {
    return new IllegalArgumentException(
        "the token '"
            + token
            + "' has "
            + (expected == null ? "no id" : "id " + expected)
            + " in "
            + pattern.directory
            + " and "
            + (found == null ? "no id" : "id " + found)
            + " in "
            + other.directory
            + "; rows of embeddings that mean different tokens cannot be merged");
  }

  /** Ids by token; none where there is no tokenizer. */
  private static SortedMap<String, Long> tokens(Path directory) throws IOException {
    SortedMap<String, Long> tokens = new TreeMap<>();
    Path file = directory.resolve("tokenizer.json");
    if (Files.exists(file)) {
      JsonNode tree = JSON.readTree(Files.readAllBytes(file));
      JsonNode vocabulary = tree.path("model").path("vocab");
      if (vocabulary.isArray()) { // Unigram: pairs of token and score, in the order of ids
        for (int id = 0; id < vocabulary.size(); id++) {
          tokens.put(vocabulary.get(id).path(0).asText(), (long) id);
        }
      } else {
        vocabulary.properties().forEach(t -> tokens.put(t.getKey(), t.getValue().asLong()));
      }
      tree.path("added_tokens")
          .forEach(t -> tokens.put(t.path("content").asText(), t.path("id").asLong()));
    }
    return tokens;
  }

  // ---- writing ----

  private void write(Weights pattern, Path out) throws IOException {
    for (String name : pattern.where.keySet()) {
      total += pattern.info(name).elements();
    }
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      for (Path file : pattern.files) {
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
          SortedMap<String, TensorInfo> tensors = new TreeMap<>(source.tensors());
          tensors.keySet().retainAll(pattern.where.keySet());
          SafetensorsWriter.write(
              out.resolve(file.getFileName()),
              tensors,
              source.metadata(),
              (channel, dataStart, layout) -> {
                for (TensorInfo info : layout) {
                  merge(info, channel, dataStart + info.begin(), pool);
                }
              });
        }
      }
    } finally {
      pool.shutdownNow();
    }
    copy(pattern.directory, out, "config.json");
    copy(pattern.directory, out, Weights.INDEX);
    for (Path text : ModelText.files(pattern.directory)) {
      copy(pattern.directory, out, text.getFileName().toString());
    }
  }

  private static void copy(Path from, Path to, String name) throws IOException {
    if (Files.exists(from.resolve(name))) {
      Files.copy(from.resolve(name), to.resolve(name));
    }
  }

  private void merge(TensorInfo info, FileChannel channel, long position, ExecutorService pool)
      throws IOException {
    TensorMerge merge = TensorMerge.of(method, info.name(), info.elements());
    for (int pass = 0; pass < merge.passes(); pass++) {
      int current = pass;
      merge.conclude(
          pass,
          pieces(
              info,
              pool,
              (piece, start, count) -> {
                piece.read(info.name(), start, count);
                return merge.look(current, piece.base, piece.models, count);
              }));
    }
    pieces(
        info,
        pool,
        (piece, start, count) -> {
          piece.read(info.name(), start, count);
          merge.merge(start, piece.base, piece.models, count, piece.result);
          ByteBuffer bytes = piece.encoded(info, start, count);
          long at = position + info.dtype().bytes(start);
          while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
          }
          progress.at("merge", done.addAndGet(count), total, info.name());
          return true;
        });
  }

  private interface Work<T> {
    T on(Piece piece, long start, int count) throws IOException;
  }

  /** Does a work on every piece of a tensor; the results in the order of the pieces. */
  private <T> List<T> pieces(TensorInfo info, ExecutorService pool, Work<T> work)
      throws IOException {
    List<Future<T>> running = new ArrayList<>();
    for (long start = 0; start < info.elements(); start += PIECE) {
      long from = start;
      int count = (int) Math.min(PIECE, info.elements() - start);
      running.add(pool.submit(() -> work.on(pieces.get(), from, count)));
    }
    List<T> results = new ArrayList<>(running.size());
    for (Future<T> one : running) {
      try {
        results.add(one.get());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while merging " + info.name(), e);
      } catch (ExecutionException e) {
        running.forEach(other -> other.cancel(true));
        if (e.getCause() instanceof RuntimeException exception) {
          throw exception;
        }
        throw new IOException(info.name() + ": " + e.getCause(), e.getCause());
      }
    }
    return results;
  }

  /** One thread's buffers. */
  private final class Piece {
    private final ByteBuffer bytes =
        ByteBuffer.allocateDirect(PIECE * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final short[] halves = new short[PIECE];
    private final float[] base = new float[Merge.this.base == null ? 0 : PIECE];
    private final float[][] models = new float[Merge.this.models.size()][PIECE];
    private final double[] result = new double[PIECE];

    void read(String name, long start, int count) {
      for (int m = 0; m < models.length; m++) {
        read(Merge.this.models.get(m), name, start, count, models[m]);
      }
      if (Merge.this.base != null) {
        read(Merge.this.base, name, start, count, base);
      }
    }

    private void read(Weights weights, String name, long start, int count, float[] into) {
      DType type = weights.info(name).dtype();
      bytes.clear().limit((int) type.bytes(count));
      weights.read(name, type.bytes(start), bytes);
      bytes.flip();
      switch (type) {
        case F32 -> bytes.asFloatBuffer().get(into, 0, count);
        case BF16 -> {
          bytes.asShortBuffer().get(halves, 0, count);
          for (int i = 0; i < count; i++) {
            into[i] = Float.intBitsToFloat(halves[i] << 16);
          }
        }
        default -> {
          for (int i = 0; i < count; i++) {
            into[i] = (float) Floats.get(bytes, type, i);
          }
        }
      }
    }

    ByteBuffer encoded(TensorInfo info, long start, int count) {
      double limit = Floats.limit(info.dtype());
      for (int i = 0; i < count; i++) {
        if (!(Math.abs(result[i]) < limit)) {
          throw refusal(info, start, i);
        }
      }
      bytes.clear();
      switch (info.dtype()) {
        case F32 -> {
          for (int i = 0; i < count; i++) {
            bytes.putFloat(4 * i, (float) result[i]);
          }
        }
        case BF16 -> {
          for (int i = 0; i < count; i++) {
            halves[i] = Floats.bfloat16(result[i]);
          }
          bytes.asShortBuffer().put(halves, 0, count);
        }
        default -> {
          for (int i = 0; i < count; i++) {
            Floats.put(bytes, info.dtype(), i, result[i]);
          }
        }
      }
      return bytes.position(0).limit((int) info.dtype().bytes(count));
    }

    private IllegalArgumentException refusal(TensorInfo info, long start, int i) {
      String where = info.name() + ", element " + (start + i);
      for (int m = 0; m < models.length; m++) {
        if (!Float.isFinite(models[m][i])) {
          return new IllegalArgumentException(
              Merge.this.models.get(m).directory + ": " + where + " is " + models[m][i]);
        }
      }
      if (Merge.this.base != null && !Float.isFinite(base[i])) {
        return new IllegalArgumentException(
            Merge.this.base.directory + ": " + where + " is " + base[i]);
      }
      return new IllegalArgumentException(
          where
              + " would be "
              + result[i]
              + ", too large for "
              + info.dtype()
              + "; take smaller weights, or a base in BF16 or F32");
    }
  }
}
