package dev.cambium.bench.stream;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A way to learn a stream, update by update. What is done stays on disk: a learner that is made
 * again over the same folder returns it without doing it again.
 */
interface Learner extends AutoCloseable {

  /**
   * What a learner has come to.
   *
   * @param model Hugging Face directory
   * @param adapter PEFT directory on it, if the learner keeps one
   * @param note how that came about, for people
   */
  record Pupil(Path model, @Nullable Path adapter, @Nullable String note) {}

  /**
   * Learns the next update.
   *
   * @param index of it, from 0; each one is asked for once, in order
   */
  Pupil learn(int index) throws IOException;

  /** Rows that trainings have read so far, replayed ones included: steps × rows of a step. */
  long rowsRead();

  @Override
  default void close() {}
}
