package dev.cambium.bench;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.cli.Main;
import dev.cambium.ledger.ArtifactCheck;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.LedgerState;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.plan.CostModel;
import dev.cambium.loop.plan.Plan;
import dev.cambium.loop.plan.Planner;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What a large fleet costs: the log by its number of records, planning and looking by the number of
 * lines, the store by its bytes; with heap and file sizes, each beside what the machine itself can
 * do.
 *
 * <p>Main: {@code Large [RECORDS] [LINES] [VERSIONS_A_LINE] [MEGABYTES] [DIR]}; default 10,000,
 * 1,000, 10 and 256. A part whose first number is 0 is left out.
 */
public final class Large {

  private static final int BATCH = 20_000;
  private static final int ROUNDS = 7;

  /** Records that are appended before anything is timed: they compile the code. */
  private static final int FIRST = 20_000;

  /** Of a round that is compared with the disk's own speed. */
  private static final int WRITES = 500;

  private final Path directory;

  private Large(Path directory) {
    this.directory = directory;
  }

  public static void main(String[] arguments) throws Exception {
    Arguments given = new Arguments(arguments);
    int records = given.number(0, 10_000);
    int lines = given.number(1, 1_000);
    int versions = given.number(2, 10);
    int megabytes = given.number(3, 256);
    Path directory = given.directory(4, "large");
    Files.createDirectories(directory);
    Large large = new Large(directory);
    if (records > 0) {
      large.disk();
      large.disk(2);
      large.disk(8);
      large.log(records);
    }
    if (lines > 0) {
      large.fleet(lines, versions);
    }
    if (megabytes > 0) {
      large.artifacts(megabytes);
    }
    DirectoryTree.delete(directory);
  }

  // ------------------------------------------------------------------------------- the disk

  /** One append after the other beside one write and fsync after the other, in turn. */
  private void disk() throws Exception {
    Path home = Files.createDirectories(directory.resolve("single"));
    try (FileChannel channel = scratch();
        Ledger ledger = Ledger.create(home, InstantSource.system())) {
      GeneratedHistory history = history(100);
      append(ledger, history, FIRST, 1);
      double[] raw = new double[ROUNDS];
      double[] ours = new double[ROUNDS];
      for (int i = 0; i < ROUNDS; i++) {
        raw[i] = WRITES / seconds(() -> synced(channel));
        ours[i] = WRITES / append(ledger, history, WRITES, 1);
      }
      beside("one by one", ours, raw);
    }
  }

  /**
   * Waves of a campaign, some lines at once: each line's records one after the other, and each
   * durable before the next, as {@link #disk} has them.
   */
  private void disk(int threads) throws Exception {
    Path home = Files.createDirectories(directory.resolve("threads-" + threads));
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try (FileChannel channel = scratch();
        Ledger ledger = Ledger.create(home, InstantSource.system())) {
      GeneratedHistory history = history(100);
      double[] raw = new double[ROUNDS];
      double[] ours = new double[ROUNDS];
      append(ledger, history, FIRST, 1);
      wave(history).forEach(step -> ledger.append("bench", step.facts(), List.of())); // the rest
      for (int i = -1; i < ROUNDS; i++) { // the first one makes the threads
        List<GeneratedHistory.Step> wave = wave(history);
        int records = wave.stream().mapToInt(step -> step.facts().size()).sum();
        double write = WRITES / seconds(() -> synced(channel));
        double append = records / seconds(() -> append(ledger, wave, pool));
        if (i >= 0) {
          raw[i] = write;
          ours[i] = append;
        }
      }
      beside(String.format(Locale.ROOT, "one by one, %d lines at once", threads), ours, raw);
      require(ledger.verify(ArtifactCheck.NONE).intact());
    } finally {
      pool.shutdown();
    }
  }

  private static void beside(String what, double[] ours, double[] raw) {
    say(
        "%s, durable: %,.0f records/s; a write of 4 KiB and its fsync %,.0f/s (medians of %d rounds"
            + " in turn)",
        what, middle(ours), middle(raw), ROUNDS);
  }

  private FileChannel scratch() throws IOException {
    return FileChannel.open(
        directory.resolve("fsync"),
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE);
  }

  private static List<GeneratedHistory.Step> wave(GeneratedHistory history) {
    List<GeneratedHistory.Step> steps = new ArrayList<>();
    do {
      steps.add(history.nextStep());
    } while (!(steps.get(steps.size() - 1).facts().get(0) instanceof Fact.CampaignClosed));
    return steps;
  }

  private static int append(
      Ledger ledger, List<GeneratedHistory.Step> steps, ExecutorService threads) throws Exception {
    List<Future<?>> running = new ArrayList<>();
    for (GeneratedHistory.Step step : steps) {
      if (step.alone()) {
        await(running);
      }
      running.add(
          threads.submit(
              () -> step.facts().forEach(f -> ledger.append("bench", List.of(f), List.of()))));
      if (step.alone()) {
        await(running);
      }
    }
    await(running);
    return steps.size();
  }

  private static void await(List<Future<?>> running) throws Exception {
    for (Future<?> one : running) {
      one.get();
    }
    running.clear();
  }

  private static int synced(FileChannel channel) throws IOException {
    for (int i = 0; i < WRITES; i++) {
      channel.write(ByteBuffer.allocate(4096));
      channel.force(false);
    }
    return WRITES;
  }

  // -------------------------------------------------------------------------------- the log

  private static GeneratedHistory history(int lines) {
    return new GeneratedHistory(lines, new GeneratedHistory.Artifacts());
  }

  /** Seconds that appending takes, without making what is appended. */
  private static double append(Ledger ledger, GeneratedHistory history, int count, int batch)
      throws Exception {
    double seconds = 0;
    List<Fact> facts = new ArrayList<>(batch);
    for (int i = 1; i <= count; i++) {
      facts.add(history.next());
      if (facts.size() == batch || i == count) {
        seconds += seconds(() -> ledger.append("bench", facts, List.of()));
        facts.clear();
      }
    }
    return seconds;
  }

  private void log(int records) throws Exception {
    Path home = Files.createDirectories(directory.resolve("log"));
    GeneratedHistory history = history(1000);
    try (Ledger ledger = Ledger.create(home, InstantSource.system())) {
      int size = 0;
      for (int target = Math.min(10_000, records); ; target = Math.min(target * 10, records)) {
        int added = target - size;
        double appended = append(ledger, history, added, BATCH);
        size = target;
        double replayed = seconds(ledger::replay);
        double verified = seconds(() -> require(ledger.verify(ArtifactCheck.NONE).intact()));
        long middle = size / 2;
        long all = size;
        double proved = median(() -> require(!ledger.proveInclusion(middle, all).isEmpty()));
        say(
            "%,d records: appended by %,d %,.0f/s; replayed %.1f s, %,.0f/s; verified %.1f s,"
                + " %,.0f/s; inclusion proof %.2f ms; database %,d MB; heap %,d MB",
            target,
            BATCH,
            added / appended,
            replayed,
            size / replayed,
            verified,
            size / verified,
            1000 * proved,
            Files.size(home.resolve(".cambium/ledger.db")) >> 20,
            heap());
        if (target == records) {
          return;
        }
      }
    }
  }

  // -------------------------------------------------------------------------------- a fleet

  private void fleet(int lines, int versions) throws Exception {
    Path home = Files.createDirectories(directory.resolve("fleet"));
    GeneratedHistory shape = history(lines);
    StringBuilder yaml = new StringBuilder();
    yaml.append("name: large\nrecipes:\n  tune: { method: full, steps: 1, batch-rows: 4,");
    yaml.append(" max-tokens: 32, learning-rate: 0.001 }\n");
    yaml.append("capabilities:\n  all: { owner: a, suite: all.jsonl, scorer: exact-match,");
    yaml.append(" margin: 0.05 }\nlines:\n");
    yaml.append("  base: { tier: foundation, contract: { capabilities: [all] } }\n");
    for (int i = 1; i < lines; i++) {
      yaml.append("  ").append(GeneratedHistory.name(i)).append(": { tier: ");
      yaml.append(shape.isIndustrial(i) ? "industrial" : "application-model");
      yaml.append(", parent: ").append(shape.parent(i)).append(", recipe: tune }\n");
    }
    StringBuilder items = new StringBuilder();
    for (int i = 0; i < GeneratedHistory.ITEMS; i++) {
      items.append("{\"id\":\"").append(i).append("\",\"messages\":[{\"role\":\"user\",");
      items.append("\"content\":\"").append(i).append("?\"}],\"answer\":\"!\"}\n");
    }
    Files.writeString(home.resolve("all.jsonl"), items);
    Files.writeString(home.resolve("ecosystem.yaml"), yaml);
    Cambium.create(home, yaml.toString(), "bench", InstantSource.system()).close();
    try (Cambium cambium = Cambium.open(home, "bench", InstantSource.system())) {
      cambium.declare();
    }
    double made = seconds(() -> generate(home, lines, versions));
    say("%,d lines, %,d versions generated in %.1f s", lines, (long) lines * versions, made);
    try (Cambium cambium = Cambium.open(home, "bench", InstantSource.system())) {
      say("declaration read, checked and recorded: %.2f s", seconds(cambium::declare));
      say("declaration, read again: %.0f ms", 1000 * median(cambium::declare));
      Declaration declaration = cambium.declare();
      Callable<Plan> plan = () -> planned(cambium.state(), declaration, cambium.store());
      require(plan.call().steps().size() == lines);
      say("planned an upgrade of the foundation: %.2f s, heap %,d MB", median(plan), heap());
    }
    for (String command :
        List.of(
            "status",
            "status --json",
            "why " + GeneratedHistory.name(lines - 1) + "@stable",
            "why " + GeneratedHistory.name(1) + "@stable")) {
      say("%s: %.0f ms", command, 1000 * median(() -> run(home, command)));
    }
    say(
        "database %,d MB, heap %,d MB",
        Files.size(home.resolve(".cambium/ledger.db")) >> 20, heap());
  }

  /** A command from the opening of the ecosystem to its last line, without the start of a JVM. */
  private static int run(Path home, String command) {
    StringWriter out = new StringWriter();
    PrintWriter to = new PrintWriter(out);
    List<String> arguments = new ArrayList<>(List.of(command.split(" ")));
    arguments.addAll(List.of("--dir", home.toString()));
    int code = Main.run(to, to, arguments.toArray(String[]::new));
    if (code != 0) {
      throw new IllegalStateException(command + " gives " + code + ": " + out);
    }
    return code;
  }

  /**
   * The artifacts that records of the last two waves name, and every foundation's manifest: all
   * that is read to explain the newest versions and to plan. (Kept for all waves, they are some
   * hundred thousand files, which take minutes to write and to remove.) Weights and rows are
   * nowhere.
   */
  private static final class Stored extends GeneratedHistory.Artifacts {
    private final Path objects;
    private final Ledger ledger;
    private final int waves;
    private final LocalArtifactStore store;
    private final Declaration declaration;
    private final Digest suite;
    private final List<Fact> waiting = new ArrayList<>();

    private Stored(Path home, Ledger ledger, int waves) {
      this.waves = waves;
      Path root = home.resolve(".cambium/objects");
      this.objects = root.resolve("objects").resolve("sha256");
      this.ledger = ledger;
      this.store = LocalArtifactStore.open(root);
      this.declaration = Declaration.load(home);
      this.suite =
          Objects.requireNonNull(
              ledger.state().ecosystem().orElseThrow().fact().suites().get("all"));
    }

    /** As the store keeps it, but without waiting for the disk: there are hundreds of thousands. */
    @Override
    Digest put(Object value, int wave) {
      boolean foundation = value instanceof Manifest manifest && manifest.parent() == null;
      return foundation || wave >= waves - 1 ? put(value) : super.put(value, wave);
    }

    private Digest put(Object value) {
      byte[] bytes = Json.canonical(value);
      Digest digest = Digest.of(bytes);
      Path folder = objects.resolve(digest.hex().substring(0, 2));
      Path file = folder.resolve(digest.hex().substring(2));
      try {
        Files.createDirectories(folder);
        if (!Files.exists(file)) {
          Files.write(file, bytes);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return digest;
    }

    @Override
    Digest plan(int wave) {
      flush();
      return wave < waves ? super.plan(wave) : put(planned(ledger.state(), declaration, store));
    }

    @Override
    Digest suite() {
      return suite;
    }

    private void add(Fact fact) {
      waiting.add(fact);
      if (waiting.size() == BATCH) {
        flush();
      }
    }

    private void flush() {
      if (!waiting.isEmpty()) {
        ledger.append("bench", waiting, List.of());
        waiting.clear();
      }
    }
  }

  private static Plan planned(LedgerState state, Declaration declaration, ArtifactStore store) {
    return new Planner(state, declaration, store, CostModel.of(state, store)).plan();
  }

  /** Some waves of updates, and the arrival of the next foundation. */
  private static int generate(Path home, int lines, int versions) {
    try (Ledger ledger = Ledger.open(home, InstantSource.system())) {
      Stored stored = new Stored(home, ledger, versions);
      GeneratedHistory history = new GeneratedHistory(lines, stored);
      Fact fact;
      do {
        fact = history.next();
        stored.add(fact);
      } while (!(fact instanceof Fact.SignalReceived && history.wave() > versions));
      stored.flush();
      return lines;
    }
  }

  // ------------------------------------------------------------------------------ artifacts

  private void artifacts(int megabytes) throws Exception {
    Path file = directory.resolve("weights");
    byte[] block = new byte[1 << 20];
    new java.util.Random(1).nextBytes(block);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (int i = 0; i < megabytes; i++) {
        channel.write(ByteBuffer.wrap(block));
      }
    }
    LocalArtifactStore store = LocalArtifactStore.open(directory.resolve("store"));
    Digest digest = store.put(file);
    double ours =
        median(
            () -> {
              store.verify(digest);
              return 0;
            });
    double theirs =
        median(
            () ->
                new ProcessBuilder("sha256sum", file.toString())
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor());
    say(
        "verify of an artifact: %,.0f MB/s; sha256sum of the same bytes: %,.0f MB/s",
        megabytes / ours, megabytes / theirs);
  }

  // -------------------------------------------------------------------------------- helpers

  private static double seconds(Callable<?> work) throws Exception {
    long start = System.nanoTime();
    work.call();
    return (System.nanoTime() - start) / 1e9;
  }

  /** Of some rounds, after as many that compile the code. */
  private static double median(Callable<?> work) throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      work.call();
    }
    double[] times = new double[ROUNDS];
    for (int i = 0; i < times.length; i++) {
      times[i] = seconds(work);
    }
    return middle(times);
  }

  private static double middle(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static long heap() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory() >> 20;
  }

  private static boolean require(boolean condition) {
    if (!condition) {
      throw new IllegalStateException("the generated ecosystem is not as it should be");
    }
    return true;
  }

  private static void say(String format, Object... values) {
    System.out.printf(Locale.ROOT, format + "%n", values);
  }
}
