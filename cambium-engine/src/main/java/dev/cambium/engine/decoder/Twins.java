package dev.cambium.engine.decoder;

import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.backend.Lanes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;

/**
 * A decoder and others on the same weights, each with gradients of its own, that take their share
 * of a batch side by side (data parallelism within one process).
 *
 * <p>How many there are, which rows each takes and in which order their gradients are added depends
 * on the number of threads alone, which is part of the engine's fingerprint.
 */
final class Twins implements AutoCloseable {

  /** Gradients, in numbers, that all lanes but the first may hold: for small models only. */
  private static final long MOST_GRADIENTS = 1L << 26;

  /** What a lane does with its share; returns a part of a sum. */
  interface Share {
    double of(Decoder decoder, int lane);
  }

  private record Twin(Decoder decoder, FlatWeights gradients) {}

  private final Decoder first;
  private final List<Twin> others = new ArrayList<>();
  private final Lanes lanes;

  private Twins(Decoder first, int count) {
    this.first = first;
    this.lanes = new Lanes(count);
    for (int lane = 1; lane < count; lane++) {
      Twin twin = new Twin(first.twin(), new FlatWeights(first.parameters()));
      twin.decoder.leaves().forEach(leaf -> leaf.collectInto(twin.gradients));
      others.add(twin);
    }
  }

  /** One for each thread of the engine, if their gradients are small; else the first alone. */
  static Twins of(Decoder decoder) {
    Backend backend = Backend.instance();
    boolean several =
        backend.device().equals("cpu")
            && (backend.threads() - 1) * decoder.parameters() <= MOST_GRADIENTS;
    return several ? of(decoder, backend.threads()) : alone(decoder);
  }

  static Twins of(Decoder decoder, int count) {
    return new Twins(decoder, count);
  }

  /** The decoder alone. */
  static Twins alone(Decoder decoder) {
    return of(decoder, 1);
  }

  int lanes() {
    return lanes.count();
  }

  /** What one lane takes of a batch: every lane has rows from its beginning to its end. */
  int[][] dealt(int[][] rows, int lane) {
    return IntStream.range(0, rows.length)
        .filter(row -> row % lanes() == lane)
        .mapToObj(row -> rows[row])
        .toArray(int[][]::new);
  }

  /** Adds the gradients of all shares to the first decoder's; returns the sum of their results. */
  double sum(FlatWeights gradients, Share share) {
    double[] sums = new double[lanes()];
    lanes.run(
        lane -> {
          Decoder decoder = lane == 0 ? first : others.get(lane - 1).decoder;
          decoder.mixed(first.mixed());
          sums[lane] = share.of(decoder, lane);
        });
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (Twin twin : others) {
        gradients.buffer().add_(twin.gradients.buffer());
        twin.gradients.buffer().zero_();
      }
    }
    return Arrays.stream(sums).sum();
  }

  /** Before the first decoder is closed. */
  @Override
  public void close() {
    lanes.close();
    for (Twin twin : others) {
      twin.decoder.leaves().forEach(Leaf::freeze);
      twin.gradients.close();
      twin.decoder.close();
    }
  }
}
