package dev.cambium.engine.training;

import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsException;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.engine.backend.Backend;
import dev.cambium.model.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of a run on disk: weights, both moments of the optimizer, the losses so far. Batches
 * and learning rates are functions of the step's number, so that number is the whole data cursor.
 *
 * <p>One safetensors file for each snapshot, written under another name, synced and renamed; its
 * metadata names the run and holds a SHA-256 of step and contents. The last two are kept, so that a
 * file damaged later still leaves one.
 */
final class Snapshots {

  private static final Logger log = LoggerFactory.getLogger(Snapshots.class);

  private static final String RUN = "run: ";
  private static final String TELEMETRY = "telemetry";
  private static final String PREFIX = "snapshot-";
  private static final String SUFFIX = ".safetensors";
  private static final int KEPT = 2;

  /** Elements of one entry: larger buffers are cut, as a ByteBuffer ends at 2 GiB. */
  private static final long CHUNK = 1L << 28;

  private final Path directory;
  private final SortedMap<String, String> run;

  /**
   * @param directory made if it is not there; for one run only
   * @param run everything that determines the result, by name
   */
  Snapshots(Path directory, SortedMap<String, String> run) {
    this.directory = directory;
    this.run = run;
  }

  /**
   * Where a run stands.
   *
   * @param telemetry the looks taken so far; empty without any
   */
  record Position(int step, float[] losses, float[] norms, String telemetry) {}

  /** Writes a snapshot and deletes all but the last two. */
  void write(Position position, Map<String, Tensor> state) {
    try (PointerScope scope = new PointerScope()) {
      Map<String, Tensor> readable = new LinkedHashMap<>();
      state.forEach((name, tensor) -> readable.put(name, Backend.instance().toHost(tensor)));
      writeReadable(position, readable);
    }
  }

  private void writeReadable(Position position, Map<String, Tensor> state) {
    SortedMap<String, SafetensorsWriter.Tensor> entries = new TreeMap<>();
    state.forEach(
        (name, tensor) ->
            chunks(name, tensor).forEach((entry, bytes) -> entries.put(entry, entry(bytes))));
    entries.put("losses", entry(bytes(position.losses)));
    entries.put("norms", entry(bytes(position.norms)));
    Map<String, ByteBuffer> contents = new TreeMap<>();
    entries.forEach((name, entry) -> contents.put(name, entry.bytes()));
    Map<String, String> metadata = new TreeMap<>();
    run.forEach((part, value) -> metadata.put(RUN + part, value));
    metadata.put("step", Integer.toString(position.step));
    if (!position.telemetry.isEmpty()) {
      metadata.put(TELEMETRY, position.telemetry);
    }
    metadata.put("digest", digest(position.step, position.telemetry, contents).toString());
    try {
      Files.createDirectories(directory);
      SafetensorsWriter.write(
          directory.resolve(String.format("%s%08d%s", PREFIX, position.step, SUFFIX)),
          entries,
          metadata);
      List<Path> files = files();
      for (Path old : files.subList(Math.min(KEPT, files.size()), files.size())) {
        Files.deleteIfExists(old);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write a snapshot to " + directory, e);
    }
  }

  /**
   * Restores the latest snapshot that is whole, if there is one.
   *
   * @param state buffers to fill
   * @throws IllegalStateException if the directory holds another run's
   */
  Optional<Position> restore(Map<String, Tensor> state) {
    deleteTemporaries();
    for (Path file : files()) {
      try (SafetensorsFile stored = SafetensorsFile.open(file)) {
        checkOwner(file, stored.metadata());
        int step = Integer.parseInt(stored.metadata().getOrDefault("step", "-1"));
        Map<String, ByteBuffer> contents = new TreeMap<>();
        stored.tensors().keySet().forEach(name -> contents.put(name, stored.bytes(name)));
        String telemetry = stored.metadata().getOrDefault(TELEMETRY, "");
        if (!digest(step, telemetry, contents).toString().equals(stored.metadata().get("digest"))) {
          log.warn(
              "{} is damaged: its contents do not have the digest it names; passed over", file);
          continue;
        }
        state.forEach((name, tensor) -> fill(name, tensor, stored));
        return Optional.of(
            new Position(step, floats(stored, "losses"), floats(stored, "norms"), telemetry));
      } catch (SafetensorsException e) {
        log.warn("{} is damaged: {}; passed over", file, e.getMessage());
      }
    }
    return Optional.empty();
  }

  private static void fill(String name, Tensor tensor, SafetensorsFile stored) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor host = Backend.instance().toHost(tensor);
      chunks(name, host).forEach((entry, target) -> target.put(stored.bytes(entry)));
      if (!host.equals(tensor)) {
        tensor.copy_(host);
      }
    }
  }

  private void checkOwner(Path file, Map<String, String> metadata) {
    List<String> differences = new ArrayList<>();
    run.forEach(
        (part, value) -> {
          String found = metadata.getOrDefault(RUN + part, "none");
          if (!found.equals(value)) {
            differences.add(part + ": expected " + value + ", found " + found);
          }
        });
    if (!differences.isEmpty()) {
      throw new IllegalStateException(
          file
              + " is a snapshot of another run ("
              + String.join("; ", differences)
              + "). Use another directory or delete it.");
    }
  }

  /** What a killed run was writing; nobody else writes here. */
  private void deleteTemporaries() {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (var files = Files.list(directory)) {
      for (Path file : files.filter(f -> f.getFileName().toString().startsWith(".tmp-")).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot tidy " + directory, e);
    }
  }

  /** Newest first. */
  private List<Path> files() {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (var files = Files.list(directory)) {
      return files
          .filter(f -> f.getFileName().toString().matches(PREFIX + "\\d{8}" + SUFFIX))
          .sorted(Comparator.reverseOrder())
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + directory, e);
    }
  }

  private static Map<String, ByteBuffer> chunks(String name, Tensor tensor) {
    Map<String, ByteBuffer> chunks = new LinkedHashMap<>();
    long count = tensor.numel();
    for (long start = 0; start < count; start += CHUNK) {
      long end = Math.min(count, start + CHUNK);
      BytePointer pointer = new BytePointer(tensor.data_ptr());
      pointer.limit(end * Float.BYTES).position(start * Float.BYTES);
      chunks.put(name + "." + start / CHUNK, pointer.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
    }
    return chunks;
  }

  private static SafetensorsWriter.Tensor entry(ByteBuffer bytes) {
    return new SafetensorsWriter.Tensor(
        DType.F32, List.of((long) bytes.remaining() / Float.BYTES), bytes);
  }

  private static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  private static float[] floats(SafetensorsFile stored, String name) {
    ByteBuffer bytes = stored.bytes(name).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static Digest digest(int step, String telemetry, Map<String, ByteBuffer> contents) {
    MessageDigest digest = Digest.sha256();
    digest.update(ByteBuffer.allocate(4).putInt(0, step));
    digest.update(telemetry.getBytes(StandardCharsets.UTF_8));
    contents.forEach(
        (name, bytes) -> {
          digest.update(name.getBytes(StandardCharsets.UTF_8));
          digest.update(bytes.duplicate());
        });
    return Digest.ofRaw(digest.digest());
  }
}
