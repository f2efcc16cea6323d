package dev.cambium.engine.transfer;

import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.decoder.Decoder;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Shows that a model on disk is the one that was computed. The weights go, as they are written,
 * into a decoder as well, one that was built from the model merged and not from the result; the
 * result, loaded as anybody would load it, must give the logits of that decoder. A head that is
 * tied in one and not in the other, a weight that was left out, a file or a configuration that says
 * something else: all of it shows.
 */
final class Reload implements AutoCloseable {

  private final Decoder expected;
  private final SortedMap<String, Long> missing = new TreeMap<>();
  private boolean closed;

  private Reload(Decoder expected) {
    this.expected = expected;
    expected
        .shapes()
        .forEach(
            (name, shape) ->
                missing.put(name, shape.stream().reduce(1L, (one, other) -> one * other)));
  }

  /**
   * Begins.
   *
   * @param pattern the model that configuration and text of the result come from
   * @throws IllegalArgumentException if the engine cannot run such a model
   */
  static Reload expecting(Weights pattern) {
    return new Reload(Decoder.load(pattern.directory));
  }

  /**
   * Takes in part of a weight as it is written. Thread-safe.
   *
   * @param bytes from position to limit; not moved
   */
  void take(TensorInfo info, long start, ByteBuffer bytes) {
    float[] values = new float[(int) (bytes.remaining() / info.dtype().bytes())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Floats.get(bytes, info.dtype(), i);
    }
    synchronized (this) {
      expected.write(info.name(), start, values);
      missing.merge(info.name(), (long) -values.length, Long::sum);
    }
  }

  /**
   * Compares.
   *
   * @throws IllegalStateException if the model in that directory is not what was taken in
   */
  void require(Path directory) {
    SortedSet<String> incomplete = new TreeSet<>();
    for (Map.Entry<String, Long> weight : missing.entrySet()) {
      if (weight.getValue() != 0) {
        incomplete.add(weight.getKey());
      }
    }
    if (!incomplete.isEmpty()) {
      throw new IllegalStateException("weights that were not merged: " + incomplete);
    }
    ProbeLogits wanted = ProbeLogits.of(expected);
    close(); // two whole models need not be held at once
    ProbeLogits found;
    try (Decoder again = Decoder.load(directory)) {
      if (again.config().vocabularySize() != expected.config().vocabularySize()) {
        throw new IllegalStateException(
            "the merged model, loaded again, has "
                + again.config().vocabularySize()
                + " tokens instead of "
                + expected.config().vocabularySize());
      }
      found = ProbeLogits.of(again);
    }
    wanted.requireSame(found, "the merged model, loaded again,");
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      expected.close();
    }
  }
}
