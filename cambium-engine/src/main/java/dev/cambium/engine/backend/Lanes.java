package dev.cambium.engine.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;

/**
 * Parts of one computation side by side, each on a thread of its own whose operations use no other.
 *
 * <p>Two threads in one product wait for each other after it, and for sums over many rows a BLAS
 * shares the work out badly. Two products on a thread each do neither.
 *
 * <p>While lanes run nothing else may compute in this process: how many threads a product uses is
 * the BLAS's for all of it.
 */
public final class Lanes implements AutoCloseable {

  private final int count;
  private final ExecutorService others;

  /**
   * Starts threads.
   *
   * @param count at least 1; the calling thread is one of them
   */
  public Lanes(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("lanes must be at least 1: " + count);
    }
    this.count = count;
    this.others =
        Executors.newFixedThreadPool(
            Math.max(1, count - 1),
            task -> {
              Thread thread = new Thread(task, "cambium-lane");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** How many run side by side. */
  public int count() {
    return count;
  }

  /**
   * Runs the work of every lane and returns when all are done, also if one fails.
   *
   * @param work called once with each number from 0 to {@link #count()}
   * @throws RuntimeException what the work of the first lane that failed threw
   */
  public void run(IntConsumer work) {
    Backend backend = Backend.instance();
    List<Future<?>> running = new ArrayList<>();
    threads(1);
    List<Throwable> failures = new ArrayList<>();
    try {
      for (int lane = 1; lane < count; lane++) {
        int number = lane;
        running.add(
            others.submit(
                () -> {
                  torch.set_num_threads(1);
                  work.accept(number);
                }));
      }
      work.accept(0);
    } catch (RuntimeException | Error e) {
      failures.add(e);
    }
    running.forEach(future -> await(future, failures));
    threads(backend.threads());
    for (Throwable failure : failures) {
      if (failure instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) failure; // the work declares no other
    }
  }

  private static void threads(int count) {
    // The binding looks its function up anew at each call, and leaves the pointers to the
    // collector.
    try (PointerScope scope = new PointerScope()) {
      openblas_nolapack.blas_set_num_threads(count);
    }
    torch.set_num_threads(count);
  }

  private static void await(Future<?> future, List<Throwable> failures) {
    boolean interrupted = false;
    while (true) {
      try {
        future.get();
        break;
      } catch (InterruptedException e) {
        interrupted = true; // what runs natively cannot be left: its tensors are ours
      } catch (ExecutionException e) {
        failures.add(e.getCause());
        break;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    others.shutdown();
  }
}
