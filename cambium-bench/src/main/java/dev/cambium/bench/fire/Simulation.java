package dev.cambium.bench.fire;

import dev.cambium.artifact.DirectoryTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Lives many histories and reports those that break an invariant, shortened.
 *
 * <p>Main: {@code Simulation [COUNT] [FIRST_SEED] [THREADS] [DIR]}; default 1,000 from seed 1, two
 * threads, under {@code /dev/shm} where that is: a simulated crash loses nothing that was written,
 * so a real disk would only make it slow.
 */
public final class Simulation {

  private final Path directory;
  private final Fleet fleet;

  Simulation(Path directory) throws IOException {
    this.directory = directory;
    this.fleet = Fleet.found(directory.resolve("template"));
  }

  /** A history that broke something. */
  record Failure(long seed, History history, List<Violation> violations) {

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder("seed ").append(seed).append(" breaks:\n");
      for (Violation violation : violations) {
        text.append("  ").append(violation.invariant()).append(": ").append(violation.what());
        text.append('\n');
      }
      return text.append("by\n").append(history).toString();
    }
  }

  public static void main(String[] arguments) throws Exception {
    int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1000;
    long first = arguments.length > 1 ? Long.parseLong(arguments[1]) : 1;
    int threads = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 2;
    Path directory =
        arguments.length > 3 ? Path.of(arguments[3]) : Files.createTempDirectory(memory(), "fire");
    Simulation simulation = new Simulation(directory);
    long start = System.nanoTime();
    List<Failure> failures = simulation.run(count, first, threads);
    double seconds = (System.nanoTime() - start) / 1e9;
    Map<Invariant, Integer> broken = new TreeMap<>();
    for (Failure failure : failures) {
      failure.violations().stream()
          .map(Violation::invariant)
          .distinct()
          .forEach(i -> broken.merge(i, 1, Integer::sum));
    }
    System.out.printf(
        Locale.ROOT,
        "%d histories (seeds %d to %d) in %.0f s, %.1f/s: %d broke an invariant %s%n",
        count,
        first,
        first + count - 1,
        seconds,
        count / seconds,
        failures.size(),
        broken);
    for (Failure failure : failures.subList(0, Math.min(5, failures.size()))) {
      System.out.println(simulation.shrink(failure));
    }
    DirectoryTree.delete(directory);
    System.exit(failures.isEmpty() ? 0 : 1);
  }

  /** Memory that looks like a disk, where the system has it. */
  private static Path memory() {
    Path shared = Path.of("/dev/shm");
    return Files.isWritable(shared) ? shared : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /** Lives the histories of some seeds, side by side. */
  List<Failure> run(int count, long first, int threads) throws InterruptedException {
    List<Failure> failures = new ArrayList<>();
    AtomicLong next = new AtomicLong(first);
    AtomicInteger done = new AtomicInteger();
    List<Thread> running = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      Path scratch = directory.resolve("life-" + t);
      Thread thread =
          new Thread(
              () -> {
                for (long seed = next.getAndIncrement();
                    seed < first + count;
                    seed = next.getAndIncrement()) {
                  History history = History.draw(seed);
                  List<Violation> violations = live(history, scratch, Sabotage.NONE);
                  if (!violations.isEmpty()) {
                    synchronized (failures) {
                      failures.add(new Failure(seed, history, violations));
                      System.out.println("seed " + seed + ": " + violations.get(0));
                    }
                  }
                  if (done.incrementAndGet() % 1000 == 0) {
                    System.out.println(done + " histories, " + failures.size() + " failures");
                  }
                }
              });
      thread.start();
      running.add(thread);
    }
    for (Thread thread : running) {
      thread.join();
    }
    return failures;
  }

  /** Lives one history; what it breaks. */
  List<Violation> live(History history, Sabotage sabotage) {
    return live(history, directory.resolve("life-0"), sabotage);
  }

  private List<Violation> live(History history, Path scratch, Sabotage sabotage) {
    try {
      return World.live(fleet, scratch, history, sabotage);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** The shortest history with the same first broken invariant. */
  Failure shrink(Failure failure) {
    return shrink(failure, Sabotage.NONE);
  }

  Failure shrink(Failure failure, Sabotage sabotage) {
    Invariant broken = failure.violations().get(0).invariant();
    History small =
        failure
            .history()
            .shrink(
                history -> live(history, sabotage).stream().anyMatch(v -> v.invariant() == broken));
    return new Failure(failure.seed(), small, live(small, sabotage));
  }
}
