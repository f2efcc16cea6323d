package dev.cambium.loop.action;

import dev.cambium.model.Progress;
import java.nio.file.Path;

/**
 * Carries out what a job directory says; see {@link Job} for the contract. A worker process here, a
 * cluster's scheduler where one machine is not enough.
 */
public interface JobExecutor extends AutoCloseable {

  /**
   * The engine's fingerprint: same fingerprint and action, same bytes.
   *
   * @throws WorkerLostException if there is no engine to be had
   */
  String fingerprint();

  /** How many jobs it carries out side by side; more callers wait. */
  default int width() {
    return 1;
  }

  /**
   * Carries out a job; returns when {@code result.json} is there. A job that was under way when an
   * earlier process died continues from its snapshots.
   *
   * @throws ActionFailedException if no result could be had
   * @throws WorkerLostException if whether one can be had is not known
   */
  void execute(Path jobDirectory, Progress progress);

  @Override
  void close();
}
