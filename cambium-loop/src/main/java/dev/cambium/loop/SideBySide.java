package dev.cambium.loop;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Does independent pieces of work, several at a time. */
final class SideBySide {

  private SideBySide() {}

  /**
   * Does all of them.
   *
   * @param width how many at a time
   * @return results in the order of the pieces
   */
  static <T> List<T> all(List<Callable<T>> pieces, int width) {
    ExecutorService threads = Executors.newFixedThreadPool(Math.max(1, width));
    try {
      List<Future<T>> begun = pieces.stream().map(threads::submit).toList();
      List<T> results = new ArrayList<>();
      for (Future<T> piece : begun) {
        results.add(piece.get());
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } finally {
      threads.shutdownNow();
    }
  }
}
