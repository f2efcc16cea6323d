package dev.cambium.artifact;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Digest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A random history of a store that several writers and a collector use at once. Writers put objects
 * of a small set, so that they often meet, and then record some of them and forget the others; the
 * collector takes what no record names. Every now and then much more time passes than the grace
 * period, but never while a writer has put and not yet recorded: a writer that slow is against the
 * rule.
 *
 * <p>At any time, what a record names must be there.
 */
public final class GarbageHistory implements InstantSource {

  private static final Duration GRACE = Duration.ofHours(1);
  private static final int CONTENTS = 5;

  private final long seed;
  private final int writers;
  private final int rounds;
  private final AtomicLong passed = new AtomicLong();
  private final Set<Digest> recorded = ConcurrentHashMap.newKeySet();

  /** Shared: between a put and its record. Exclusive: while time passes. */
  private final ReadWriteLock time = new ReentrantReadWriteLock(true);

  public GarbageHistory(long seed, int writers, int rounds) {
    this.seed = seed;
    this.writers = writers;
    this.rounds = rounds;
  }

  /** The history's clock, which the store must use. */
  @Override
  public Instant instant() {
    return Instant.now().plusSeconds(passed.get());
  }

  /** How much time has passed in it so far, beyond the real one. */
  public Duration passed() {
    return Duration.ofSeconds(passed.get());
  }

  /** Runs it; throws if something was lost, or garbage stays for ever. */
  public void run(ArtifactStore store) throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(writers + 1);
    try {
      Future<?> collector =
          threads.submit(
              () -> {
                while (!done.get()) {
                  store.collect(() -> Set.copyOf(recorded), GRACE);
                }
                return null;
              });
      List<Future<?>> writing = new ArrayList<>();
      for (int w = 0; w < writers; w++) {
        Random random = new Random(seed * 31 + w);
        writing.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < rounds; i++) {
                    write(store, random);
                  }
                  return null;
                }));
      }
      for (Future<?> writer : writing) {
        writer.get();
      }
      done.set(true);
      collector.get();
    } finally {
      done.set(true);
      threads.shutdown();
      assertThat(threads.awaitTermination(5, TimeUnit.MINUTES)).isTrue();
    }
    assertThat(store.list()).containsAll(recorded);
    passed.addAndGet(GRACE.toSeconds() * 3);
    store.collect(() -> Set.copyOf(recorded), GRACE);
    assertThat(store.list()).containsExactlyInAnyOrderElementsOf(recorded);
    recorded.forEach(store::verify);
  }

  private void write(ArtifactStore store, Random random) {
    if (random.nextInt(4) == 0) {
      time.writeLock().lock();
      try {
        passed.addAndGet(GRACE.toSeconds() * 3);
      } finally {
        time.writeLock().unlock();
      }
    }
    time.readLock().lock();
    try {
      Digest digest = store.put(("content " + seed + " " + random.nextInt(CONTENTS)).getBytes());
      for (int pause = random.nextInt(3); pause > 0; pause--) {
        Thread.yield();
      }
      store.verify(digest); // It is there for as long as a writer may take.
      if (random.nextInt(12) == 0) {
        recorded.add(digest);
      }
    } finally {
      time.readLock().unlock();
    }
    recorded.forEach(store::verify);
  }
}
