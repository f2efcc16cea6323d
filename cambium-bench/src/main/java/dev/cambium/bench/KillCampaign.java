package dev.cambium.bench;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.engine.backend.Backend;
import dev.cambium.loop.Cambium;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Kills real campaigns with SIGKILL at random instants, runs them again, and compares what they end
 * at with what an undisturbed campaign ends at.
 *
 * <p>The campaign founds a small fleet (one industrial model, one adapter, one application) on a
 * tiny foundation with the real engine, in a process of its own with its worker process. It is
 * killed, resumed and killed again until it has ended: the campaign's process, its worker, or both,
 * in turn. An instant is drawn as a share of the processor time that an undisturbed campaign takes,
 * from the start of the process or from the kill before, so that a busy machine does not bunch the
 * instants at the start.
 *
 * <p>Main: {@code KillCampaign [KILLS] [DIR]}; default 30 kills. A count can be reached in several
 * runs over one folder: {@value #RESULTS} in it keeps how each campaign ended, and those that it
 * names are not run again. An archive of classes that this process was started with ({@code
 * -XX:SharedArchiveFile}) is passed on: most of what a killed campaign does is to start.
 */
public final class KillCampaign {

  private static final String RESULTS = "results.txt";
  private static final long LOOK_EVERY_MILLIS = 25;

  private final Path directory;
  private final SmallFleet fleet;

  KillCampaign(Path directory) {
    this.directory = directory;
    this.fleet = new SmallFleet(directory.resolve("prepared"));
  }

  public static void main(String[] arguments) throws Exception {
    int kills = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 30;
    Path directory =
        arguments.length > 1 ? Path.of(arguments[1]) : Files.createTempDirectory("kill-campaign");
    Result result = new KillCampaign(directory).run(kills, System.out::println);
    System.out.printf(
        Locale.ROOT,
        "%d kills (%s) in %d campaigns, %d resumed to equal digests%n",
        result.kills(),
        result.victims(),
        result.campaigns(),
        result.equal());
    if (result.equal() != result.campaigns()) {
      System.exit(1);
    }
  }

  /**
   * What came of it.
   *
   * @param kills all of them
   * @param victims of what, how many
   * @param campaigns that were killed and resumed until they ended
   * @param equal those that ended at the same digests, with everything verified
   */
  record Result(int kills, Map<Victims, Integer> victims, int campaigns, int equal) {}

  /** What is killed, in turn. */
  enum Victims {
    CAMPAIGN,
    BOTH,
    WORKERS
  }

  /** Hears one line per campaign. */
  @FunctionalInterface
  interface Log {
    void line(String text);
  }

  Result run(int wanted, Log log) throws IOException, InterruptedException {
    Path results = directory.resolve(RESULTS);
    Path undisturbed = directory.resolve("undisturbed");
    if (!Files.exists(results)) {
      fleet.prepare(Progress.NONE);
      copy("undisturbed");
      Process process = start(undisturbed);
      long nanos = 0;
      while (process.isAlive()) {
        nanos = Math.max(nanos, cpu(process));
        process.waitFor(LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
      }
      require(process.waitFor() == 0, "the undisturbed campaign failed");
      Files.writeString(results, nanos + " ns\n");
    }
    List<String> lines = Files.readAllLines(results);
    long whole = Long.parseLong(lines.get(0).split(" ")[0]);
    SortedMap<String, Digest> expected = stable(undisturbed);
    log.line(
        String.format(
            Locale.ROOT,
            "undisturbed: %.1f s of processor time, %d lines released",
            whole / 1e9,
            expected.size()));
    Map<Victims, Integer> victims = new EnumMap<>(Victims.class);
    int kills = 0;
    int equal = 0;
    int campaigns = lines.size() - 1;
    for (String line : lines.subList(1, lines.size())) {
      String[] words = line.split(" ");
      for (String victim : words[1].split(",")) {
        if (!victim.isEmpty()) {
          kills++;
          victims.merge(Victims.valueOf(victim), 1, Integer::sum);
        }
      }
      equal += words[2].equals("equal") ? 1 : 0;
    }
    for (; kills < wanted; campaigns++) {
      Path copy = copy("campaign-" + campaigns);
      List<Victims> killed = disturb(copy, campaigns, whole, wanted - kills);
      for (Victims victim : killed) {
        kills++;
        victims.merge(victim, 1, Integer::sum);
      }
      boolean same = stable(copy).equals(expected) && intact(copy);
      equal += same ? 1 : 0;
      String line =
          campaigns
              + " "
              + killed.stream().map(Victims::name).collect(Collectors.joining(","))
              + (same ? " equal" : " DIFFERENT");
      Files.writeString(results, line + "\n", StandardOpenOption.APPEND);
      log.line(line + (same ? "" : " " + stable(copy)));
      if (same) {
        DirectoryTree.delete(copy);
        Files.deleteIfExists(log(copy));
      }
    }
    return new Result(kills, victims, campaigns, equal);
  }

  /** Kills and resumes a campaign until it has ended, or was killed often enough. */
  private static List<Victims> disturb(Path ecosystem, int number, long whole, int most)
      throws IOException, InterruptedException {
    SplittableRandom random = new SplittableRandom(number);
    List<Victims> killed = new ArrayList<>();
    Process process = start(ecosystem);
    long from = 0;
    while (killed.size() < most) {
      long instant = from + (long) (whole * random.nextDouble());
      while (process.isAlive() && cpu(process) < instant) {
        process.waitFor(LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
      }
      // not only where somebody looks
      TimeUnit.NANOSECONDS.sleep(random.nextInt((int) LOOK_EVERY_MILLIS * 1_000_000));
      List<ProcessHandle> workers = process.descendants().toList();
      if (!process.isAlive()) {
        break;
      }
      Victims victims = Victims.values()[random.nextInt(Victims.values().length)];
      if (victims != Victims.CAMPAIGN) {
        if (workers.isEmpty()) {
          victims = Victims.CAMPAIGN; // none has been started yet
        }
        workers.forEach(ProcessHandle::destroyForcibly); // SIGKILL
      }
      if (victims != Victims.WORKERS) {
        process.destroyForcibly().waitFor();
        process = start(ecosystem);
        from = 0;
      } else {
        from = cpu(process); // it goes on, with new workers
      }
      killed.add(victims);
    }
    boolean ended = process.waitFor() == 0;
    if (!ended && killed.contains(Victims.WORKERS)) {
      // Where workers died twice at one action the campaign stops, open, and says so.
      ended = start(ecosystem).waitFor() == 0;
    }
    require(ended, "a resumed campaign failed; see " + log(ecosystem));
    return killed;
  }

  /** Processor time of a process and those that it started, in nanoseconds. */
  private static long cpu(Process process) {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants())
        .mapToLong(one -> one.info().totalCpuDuration().map(Duration::toNanos).orElse(0L))
        .sum();
  }

  private static Path log(Path ecosystem) {
    return ecosystem.resolveSibling(ecosystem.getFileName() + ".log");
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalStateException(message);
    }
  }

  private static Process start(Path ecosystem) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("-XX:SharedArchiveFile="))
        .forEach(command::add);
    command.addAll(
        List.of(
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
            "-Dorg.bytedeco.javacpp.maxbytes=0",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1", // most of its life is its start
            "-cp",
            System.getProperty("java.class.path"),
            "dev.cambium.cli.Main",
            "run",
            "--yes",
            "--dir",
            ecosystem.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    Backend.processEnvironment().forEach(builder.environment()::putIfAbsent);
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log(ecosystem).toFile()));
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

  private Path copy(String name) {
    Path target = directory.resolve(name);
    DirectoryTree.delete(target);
    DirectoryTree.copy(fleet.directory(), target);
    return target;
  }
}
