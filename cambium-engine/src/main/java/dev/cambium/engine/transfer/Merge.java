package dev.cambium.engine.transfer;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.text.ModelText;
import dev.cambium.model.MergeMethod;
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
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges Hugging Face model directories of any size in bounded memory: weights are read, merged and
 * written piece by piece, on several threads, with the same result whatever their number.
 *
 * <p>All models must have the same weights of the same shapes, the same computation and the same
 * tokens; what differs is named. Where embeddings are tied, the head is the embedding once more,
 * and merged once. Type, shards, configuration and text of the result are those of the base or,
 * without one, of the first model.
 *
 * <p>The result appears whole or not at all, and by default only after it was loaded again and gave
 * the logits of what was merged ({@link Reload}). That, and methods that look at layers' inputs,
 * need memory for one whole model.
 */
public final class Merge {

  /** Elements of a piece: small enough for the inner cache, large enough for the disk. */
  private static final int PIECE = 1 << 17;

  private static final Logger LOG = LoggerFactory.getLogger(Merge.class);

  private final MergeMethod method;
  private final @Nullable Weights base;
  private final List<Weights> models;
  private final List<Grams> inputs;
  private final @Nullable Reload reload;
  private final int threads;
  private final Progress progress;
  private final AtomicLong done = new AtomicLong();
  private final ThreadLocal<Piece> pieces = ThreadLocal.withInitial(Piece::new);
  private long total;

  private Merge(
      Builder builder,
      @Nullable Weights base,
      List<Weights> models,
      List<Grams> inputs,
      @Nullable Reload reload) {
    this.method = builder.method;
    this.base = base;
    this.models = models;
    this.inputs = inputs;
    this.reload = reload;
    this.threads = builder.threads;
    this.progress = builder.progress;
  }

  /** A merge by a method, of as many models as it has weights. */
  public static Builder by(MergeMethod method) {
    return new Builder(method);
  }

  /** What a merge starts from. */
  public static final class Builder {
    private final MergeMethod method;
    private @Nullable Path base;
    private List<List<Path>> texts = List.of();
    private boolean reloaded = true;
    private int threads = Runtime.getRuntime().availableProcessors();
    private Progress progress = Progress.NONE;

    private Builder(MergeMethod method) {
      this.method = method;
    }

    /** What all models were made from; for a method that sees them as its changes. */
    public Builder base(@Nullable Path directory) {
      base = directory;
      return this;
    }

    /**
     * Files of rows whose text shows what goes into layers; for a method that looks at that.
     *
     * @param files for each model its own
     */
    public Builder texts(List<List<Path>> files) {
      texts = List.copyOf(files);
      return this;
    }

    /** Whether the result must give the right logits when it is loaded again, before it counts. */
    public Builder reloaded(boolean wanted) {
      reloaded = wanted;
      return this;
    }

    /** At least 1; changes no byte of the result. */
    public Builder threads(int count) {
      threads = count;
      return this;
    }

    /** Who hears how far it is. */
    public Builder progress(Progress listener) {
      progress = listener;
      return this;
    }

    /**
     * Merges.
     *
     * @param out directory of the result, which must not exist; it appears whole or not at all
     * @throws IllegalArgumentException naming what does not fit, or the weight that is not a number
     *     or too large for its type
     * @throws IllegalStateException if the result, loaded again, is not what was merged
     * @throws dev.cambium.engine.backend.InsufficientMemoryException if it could not be loaded
     *     again; nothing is written then
     */
    public void into(Path out, List<Path> directories) {
      requireSensible(directories.size());
      if (Files.exists(out)) {
        throw new IllegalArgumentException(out + " exists; give a directory that does not");
      }
      List<Weights> open = new ArrayList<>();
      Path partial = out.toAbsolutePath().normalize();
      Path measured = partial.resolveSibling("." + partial.getFileName() + ".inputs");
      partial = partial.resolveSibling("." + partial.getFileName() + ".partial");
      try {
        DirectoryTree.delete(partial);
        DirectoryTree.delete(measured);
        for (Path model : directories) {
          open.add(Weights.open(model));
        }
        @Nullable Weights origin = null;
        if (base != null) {
          origin = Weights.open(base);
          open.add(origin);
        }
        Weights pattern = origin == null ? open.get(0) : origin;
        for (Weights other : open) {
          Fit.require(pattern, other);
        }
        List<Grams> inputs = inputs(directories, measured);
        Files.createDirectories(partial);
        try (Reload reload = reloaded ? Reload.expecting(pattern) : null) {
          new Merge(this, origin, open.subList(0, directories.size()), inputs, reload)
              .write(pattern, partial);
          if (reload != null) {
            reload.require(partial);
          }
        }
        Files.move(partial, out, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write " + out + ": " + e, e);
      } finally {
        open.forEach(Weights::close);
        DirectoryTree.delete(partial);
        DirectoryTree.delete(measured);
      }
    }

    private void requireSensible(int models) {
      if (models != method.weights().size()) {
        throw new IllegalArgumentException(
            models + " models for " + method.weights().size() + " weights");
      }
      if (method.needsBase() != (base != null)) {
        throw new IllegalArgumentException(
            method.needsBase()
                ? "the method needs the base that all models were made from"
                : "the method takes no base: it knows the models themselves only");
      }
      if (texts.size() != (method.needsCalibration() ? models : 0)) {
        throw new IllegalArgumentException(
            method.needsCalibration()
                ? "the method looks at texts of each model: "
                    + texts.size()
                    + " texts for "
                    + models
                    + " models"
                : "the method looks at no text");
      }
    }

    private List<Grams> inputs(List<Path> directories, Path folder) throws IOException {
      List<Grams> inputs = new ArrayList<>();
      if (method instanceof MergeMethod.RegMean regression) {
        for (int m = 0; m < directories.size(); m++) {
          Path own = Files.createDirectories(folder.resolve(Integer.toString(m)));
          inputs.add(
              Grams.measure(directories.get(m), texts.get(m), regression.tokens(), own, progress));
        }
      }
      return inputs;
    }
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
                  if (!inputs.isEmpty() && inputs.get(0).knows(info.name())) {
                    regress(info, channel, dataStart + info.begin());
                  } else {
                    merge(info, channel, dataStart + info.begin(), pool);
                  }
                }
              });
        }
      }
    } finally {
      end(pool);
    }
    copy(pattern.directory, out, "config.json");
    copy(pattern.directory, out, Weights.INDEX);
    for (Path text : ModelText.files(pattern.directory)) {
      copy(pattern.directory, out, text.getFileName().toString());
    }
  }

  /** Nobody may still write when files and decoder are closed. */
  private static void end(ExecutorService pool) {
    pool.shutdownNow();
    try {
      while (!pool.awaitTermination(1, TimeUnit.MINUTES)) {
        LOG.warn("waiting for the threads of a merge to end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
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
          write(piece, info, start, count, channel, position);
          return true;
        });
  }

  private void write(
      Piece piece, TensorInfo info, long start, int count, FileChannel channel, long position)
      throws IOException {
    ByteBuffer bytes = piece.encoded(info, start, count);
    if (reload != null) {
      reload.take(info, start, bytes);
    }
    long at = position + info.dtype().bytes(start);
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
    progress.at("merge", done.addAndGet(count), total, info.name());
  }

  /** A matrix by regression: as a whole, for every element of a row depends on all others. */
  private void regress(TensorInfo info, FileChannel channel, long position) throws IOException {
    Piece piece = pieces.get();
    MergeMethod.RegMean regression = (MergeMethod.RegMean) method;
    try (Regression solved =
        Regression.of(
            regression,
            info,
            inputs,
            (m, start, count) -> {
              float[] values = piece.read(m, info.name(), start, count);
              for (int i = 0; i < count; i++) {
                if (!Float.isFinite(values[i])) {
                  throw notFinite(models.get(m), info, start + i, values[i]);
                }
              }
              return values;
            })) {
      for (long start = 0; start < info.elements(); start += PIECE) {
        int count = (int) Math.min(PIECE, info.elements() - start);
        solved.read(start, count, piece.result);
        write(piece, info, start, count, channel, position);
      }
    }
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

  private static IllegalArgumentException notFinite(
      Weights weights, TensorInfo info, long element, float value) {
    return new IllegalArgumentException(
        weights.directory + ": " + info.name() + ", element " + element + " is " + value);
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
        read(m, name, start, count);
      }
      if (Merge.this.base != null) {
        read(Merge.this.base, name, start, count, base);
      }
    }

    /** Part of a weight of one model; valid until the next piece. */
    float[] read(int model, String name, long start, int count) {
      read(Merge.this.models.get(model), name, start, count, models[model]);
      return models[model];
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
      read(info.name(), start, i + 1);
      for (int m = 0; m < models.length; m++) {
        if (!Float.isFinite(models[m][i])) {
          return notFinite(Merge.this.models.get(m), info, start + i, models[m][i]);
        }
      }
      if (Merge.this.base != null && !Float.isFinite(base[i])) {
        return notFinite(Merge.this.base, info, start + i, base[i]);
      }
      return new IllegalArgumentException(
          info.name()
              + ", element "
              + (start + i)
              + " would be "
              + result[i]
              + ", too large for "
              + info.dtype()
              + "; take smaller weights, or a base in BF16 or F32");
    }
  }
}
