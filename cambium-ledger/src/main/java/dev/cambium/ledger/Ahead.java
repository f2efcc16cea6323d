package dev.cambium.ledger;

import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Work on a sequence that other cores do ahead of whoever needs its results in order. Only the
 * owner's thread reads the sequence, so it may come from a database's connection. Where no core is
 * free, the owner does the work itself. Few batches are held at once.
 */
final class Ahead<R, T> implements Iterator<T> {

  /** Too few to be worth another thread. */
  private static final int ALONE = 32;

  private static final int BATCH = 256;

  /** Of a list, whose owner has other work to do beside: soon there is something to go on with. */
  private static final int LIST_BATCH = 64;

  private static final int DEPTH = 8;

  /** Where a sequence comes from. */
  interface Source<R> {
    /** The next element; null after the last. */
    @Nullable R next() throws SQLException;
  }

  private final Source<R> source;
  private final Function<R, T> work;
  private final int batch;
  private final Deque<FutureTask<List<T>>> tasks = new ArrayDeque<>();
  private Iterator<T> current = List.<T>of().iterator();
  private boolean ended;

  /**
   * @param batch how many elements are handed to another core at once
   */
  Ahead(Source<R> source, Function<R, T> work, int batch) {
    this.source = source;
    this.work = work;
    this.batch = batch;
  }

  /** Works on a list; in the caller's thread if it is short. */
  static <R, T> Ahead<R, T> of(List<R> elements, Function<R, T> work) {
    Iterator<R> iterator = elements.iterator();
    Ahead<R, T> ahead =
        new Ahead<>(() -> iterator.hasNext() ? iterator.next() : null, work, LIST_BATCH);
    if (elements.size() < ALONE) {
      ahead.current = elements.stream().map(work).iterator();
      ahead.ended = true;
    }
    return ahead;
  }

  /** Works on rows. */
  static <R, T> Ahead<R, T> of(Source<R> source, Function<R, T> work) {
    return new Ahead<>(source, work, BATCH);
  }

  @Override
  public boolean hasNext() {
    while (!current.hasNext()) {
      fill();
      FutureTask<List<T>> head = tasks.poll();
      if (head == null) {
        return false;
      }
      head.run(); // unless another thread has begun it
      current = result(head).iterator();
    }
    return true;
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return current.next();
  }

  private void fill() {
    while (!ended && tasks.size() < DEPTH) {
      List<R> elements = new ArrayList<>(batch);
      try {
        while (elements.size() < batch) {
          R element = source.next();
          if (element == null) {
            ended = true;
            break;
          }
          elements.add(element);
        }
      } catch (SQLException e) {
        throw SqlProjections.failed(e);
      }
      FutureTask<List<T>> task =
          new FutureTask<>(
              () -> {
                List<T> results = new ArrayList<>(elements.size());
                for (R element : elements) {
                  results.add(work.apply(element));
                }
                return results;
              });
      tasks.add(task);
      ForkJoinPool.commonPool().execute(task);
    }
  }

  /** Waits for a result, and throws what went wrong as it was thrown. */
  static <T> T result(Future<T> task) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true; // the work is short, and half of a result is none
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
