package dev.cambium.bench;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.loop.Cambium;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Kills a real campaign with SIGKILL at many instants, runs it again, and compares what it ends at
 * with what an undisturbed campaign ends at.
 *
 * <p>The campaign founds a small fleet (one industrial model, one adapter, one application) on a
 * tiny foundation with the real engine, in a process of its own with its worker process. At every
 * other point the worker is killed with it. Main: {@code KillCampaign [POINTS] [DIR]}; default 30
 * points.
 */
public final class KillCampaign {

  private final Path directory;
  private final SmallFleet fleet;

  KillCampaign(Path directory) {
    this.directory = directory;
    this.fleet = new SmallFleet(directory.resolve("prepared"));
  }

  public static void main(String[] arguments) throws Exception {
    int points = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 30;
    Path directory =
        arguments.length > 1 ? Path.of(arguments[1]) : Files.createTempDirectory("kill-campaign");
    Result result = new KillCampaign(directory).run(points, System.out::println);
    System.out.printf(
        Locale.ROOT,
        "%d points tried, %d killed before the campaign had ended, %d resumed to equal digests%n",
        result.tried(),
        result.killed(),
        result.equal());
    if (result.equal() != result.tried()) {
      System.exit(1);
    }
  }

  /**
   * What came of it.
   *
   * @param tried instants
   * @param killed those at which the campaign was still running
   * @param equal those after which the same digests were reached
   */
  record Result(int tried, int killed, int equal) {}

  /** What is killed at a point, in turn. */
  private enum Victims {
    CAMPAIGN("the campaign alone"),
    BOTH("the campaign and its workers"),
    WORKERS("the workers alone");

    private final String words;

    Victims(String words) {
      this.words = words;
    }
  }

  /** Hears one line per point. */
  @FunctionalInterface
  interface Log {
    void line(String text);
  }

  Result run(int points, Log log) throws IOException, InterruptedException {
    fleet.prepare(Progress.NONE);
    Path undisturbed = copy("undisturbed");
    long start = System.nanoTime();
    require(start(undisturbed).waitFor() == 0, "the undisturbed campaign failed");
    double seconds = (System.nanoTime() - start) / 1e9;
    SortedMap<String, Digest> expected = stable(undisturbed);
    log.line(
        String.format(
            Locale.ROOT, "undisturbed: %.1f s, %d lines released", seconds, expected.size()));
    int killed = 0;
    int equal = 0;
    for (int i = 0; i < points; i++) {
      Path copy = copy("point-" + i);
      Process process = start(copy);
      long millis = (long) (1000 * seconds * (i + 0.5) / points);
      boolean ended = process.waitFor(millis, TimeUnit.MILLISECONDS);
      Victims victims = Victims.values()[i % Victims.values().length];
      if (!ended) {
        killed++;
        List<ProcessHandle> handles = new ArrayList<>();
        if (victims != Victims.WORKERS) {
          handles.add(process.toHandle());
        }
        if (victims != Victims.CAMPAIGN) {
          process.descendants().forEach(handles::add);
        }
        handles.forEach(ProcessHandle::destroyForcibly); // SIGKILL
        process.waitFor(); // without its workers it goes on, with new ones
      }
      require(start(copy).waitFor() == 0 || ended, "the resumed campaign failed");
      boolean same = stable(copy).equals(expected) && intact(copy);
      equal += same ? 1 : 0;
      log.line(
          String.format(
              Locale.ROOT,
              "point %d: killed after %.2f s%s, %s",
              i,
              millis / 1e3,
              ended ? " (had ended)" : ", " + victims.words,
              same ? "resumed to equal digests" : "DIFFERENT: " + stable(copy)));
      if (same) {
        DirectoryTree.delete(copy);
      }
    }
    return new Result(points, killed, equal);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalStateException(message);
    }
  }

  private static Process start(Path ecosystem) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
            "-Dorg.bytedeco.javacpp.maxbytes=0",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.cambium.cli.Main",
            "run",
            "--yes",
            "--dir",
            ecosystem.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putIfAbsent("OMP_WAIT_POLICY", "PASSIVE");
    Path log = ecosystem.resolveSibling(ecosystem.getFileName() + ".log");
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    return builder.start();
  }

  private static SortedMap<String, Digest> stable(Path ecosystem) {
    SortedMap<String, Digest> stable = new TreeMap<>();
    try (Cambium cambium = Cambium.open(ecosystem, "bench", InstantSource.system())) {
      cambium
          .state()
          .allAt(Channel.STABLE)
          .forEach((line, ref) -> stable.put(line, cambium.version(ref).manifest()));
    }
    return stable;
  }

  private static boolean intact(Path ecosystem) {
    try (Cambium cambium = Cambium.open(ecosystem, "bench", InstantSource.system())) {
      return cambium.verify(Progress.NONE).intact();
    }
  }

  private Path copy(String name) throws IOException {
    Path target = directory.resolve(name);
    DirectoryTree.delete(target);
    Path source = fleet.directory();
    try (Stream<Path> paths = Files.walk(source)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        Path to = target.resolve(source.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(to);
        } else {
          Files.copy(path, to, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
    return target;
  }
}
