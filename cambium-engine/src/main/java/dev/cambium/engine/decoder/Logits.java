package dev.cambium.engine.decoder;

import dev.cambium.engine.backend.Natives;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Unnormalised log-probabilities of the next token, one line of the vocabulary's size for each
 * position asked for, row by row in the order asked. Native memory: close it.
 */
public final class Logits implements AutoCloseable {

  private final Tensor values;
  private final int count;
  private final int vocabulary;

  /** Takes over a contiguous count × vocabulary tensor. */
  Logits(Tensor values) {
    values.retainReference();
    this.values = values;
    this.count = Math.toIntExact(values.size(0));
    this.vocabulary = Math.toIntExact(values.size(1));
  }

  /** Number of lines. */
  public int count() {
    return count;
  }

  /** Length of a line. */
  public int vocabulary() {
    return vocabulary;
  }

  /** A line, copied. */
  public float[] line(int index) {
    check(index);
    return Natives.read(values, (long) index * vocabulary, vocabulary);
  }

  /** The likeliest token of every line; the lowest id among equals. */
  public int[] argmax() {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor best = values.argmax(new LongOptional(1), false);
      long[] ids = Natives.readLongs(best);
      int[] result = new int[count];
      for (int i = 0; i < count; i++) {
        result[i] = (int) ids[i];
      }
      return result;
    }
  }

  /** The logit of one token a line. */
  public float[] at(int[] tokens) {
    float[] chosen = new float[count];
    for (int i = 0; i < count; i++) {
      chosen[i] = Natives.read(values, (long) i * vocabulary + tokens[i], 1)[0];
    }
    return chosen;
  }

  /** The log-probability of one token a line, in nats. */
  public float[] logProbabilities(int[] tokens) {
    if (tokens.length != count) {
      throw new IllegalArgumentException(tokens.length + " tokens for " + count + " lines");
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return Decoder.logProbabilities(values, tokens);
    }
  }

  /** The tensor, count × vocabulary, owned by this object. For other packages of the engine. */
  public Tensor tensor() {
    return values;
  }

  private void check(int index) {
    if (index < 0 || index >= count) {
      throw new IndexOutOfBoundsException("line " + index + " of " + count);
    }
  }

  @Override
  public void close() {
    values.close();
  }
}
