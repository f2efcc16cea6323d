package dev.cambium.loop.action;

import dev.cambium.model.Progress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Several worker processes. Independent actions run side by side, each with its share of the cores:
 * small models gain more from that than from more threads on one. Safe for use by many threads.
 */
public final class WorkerPool implements JobExecutor {

  private final List<WorkerProcess> workers = new ArrayList<>();
  private final BlockingQueue<WorkerProcess> idle = new LinkedBlockingQueue<>();

  /**
   * @param count processes, started when first needed
   * @param threads of each; part of the engine's fingerprint; 0 lets the engine choose
   * @param patience how long one may say nothing at its work before it is killed as hung
   * @param log file that their log lines are appended to
   */
  public WorkerPool(int count, int threads, Duration patience, Path log) {
    if (count < 1) {
      throw new IllegalArgumentException("a pool needs at least one worker, not " + count);
    }
    for (int i = 0; i < count; i++) {
      workers.add(new WorkerProcess(threads, patience, log));
    }
    idle.addAll(workers);
  }

  /** How many actions can run side by side. */
  @Override
  public int width() {
    return workers.size();
  }

  @Override
  public String fingerprint() {
    return workers.get(0).fingerprint();
  }

  @Override
  public void execute(Path jobDirectory, Progress progress) {
    WorkerProcess worker;
    try {
      worker = idle.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WorkerLostException("interrupted while waiting for a worker", e);
    }
    try {
      worker.execute(jobDirectory, progress);
    } finally {
      idle.add(worker);
    }
  }

  @Override
  public void close() {
    workers.forEach(WorkerProcess::close);
  }
}
