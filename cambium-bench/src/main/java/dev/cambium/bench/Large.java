package dev.cambium.bench;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.ledger.Ledger;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.plan.CostModel;
import dev.cambium.loop.plan.Plan;
import dev.cambium.loop.plan.Planner;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
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
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/**
 * What a large fleet costs: the log by its number of records, planning by the number of lines, the
 * store by its bytes; with heap and file sizes, each beside what the machine itself can do.
 *
 * <p>Main: {@code Large [RECORDS] [LINES] [VERSIONS_A_LINE] [DIR]}; default 10,000, 1,000 and 10.
 */
public final class Large {

  private static final int BATCH = 1000;

  private final Path directory;

  private Large(Path directory) {
    this.directory = directory;
  }

  public static void main(String[] arguments) throws Exception {
    int records = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 10_000;
    int lines = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1_000;
    int versions = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 10;
    Path directory =
        arguments.length > 3 ? Path.of(arguments[3]) : Files.createTempDirectory("large");
    Large large = new Large(directory);
    large.disk();
    large.log(records);
    large.fleet(lines, versions);
    large.artifacts(256);
    DirectoryTree.delete(directory);
  }

  // ------------------------------------------------------------------------------- the disk

  private void disk() throws Exception {
    Path file = directory.resolve("fsync");
    int writes = 200;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      double seconds =
          seconds(
              () -> {
                for (int i = 0; i < writes; i++) {
                  channel.write(ByteBuffer.allocate(4096));
                  channel.force(false);
                }
                return 0;
              });
      say("raw fsync of 4 KiB appended: %,.0f/s", writes / seconds);
    }
    Path home = Files.createDirectories(directory.resolve("single"));
    try (Ledger ledger = Ledger.create(home, InstantSource.system())) {
      append(ledger, 0, 100, 1); // the first ones compile the code
      double seconds = seconds(() -> append(ledger, 100, writes, 1));
      say("records appended one by one, durable: %,.0f/s", writes / seconds);
    }
  }

  // -------------------------------------------------------------------------------- the log

  private static int append(Ledger ledger, int from, int count, int batch) {
    List<Fact> facts = new ArrayList<>(batch);
    for (int i = from; i < from + count; i++) {
      Digest key = Digest.ofText("action " + i);
      facts.add(
          new Fact.ActionFinished(
              key,
              "evaluate",
              Digest.ofText("spec " + i),
              new TreeMap<>(java.util.Map.of("outcomes.jsonl", Digest.ofText("outcomes " + i))),
              i % 100 / 10.0,
              "generated"));
      if (facts.size() == batch || i == from + count - 1) {
        ledger.append("bench", facts, List.of());
        facts.clear();
      }
    }
    return count;
  }

  private void log(int records) throws Exception {
    Path home = Files.createDirectories(directory.resolve("log"));
    try (Ledger ledger = Ledger.create(home, InstantSource.system())) {
      int size = 0;
      for (int target = Math.min(10_000, records); ; target = Math.min(target * 10, records)) {
        int added = target - size;
        int from = size;
        double appended = seconds(() -> append(ledger, from, added, BATCH));
        size = target;
        double verified = seconds(() -> require(ledger.verify(d -> Optional.empty()).intact()));
        long middle = size / 2;
        long all = size;
        double proved =
            median(
                () -> {
                  require(!ledger.proveInclusion(middle, all).isEmpty());
                  return 0;
                });
        say(
            "%,d records: appended by %,d %,.0f/s; verified (replayed from zero, hashed, compared)"
                + " %,.1f s, %,.0f/s; inclusion proof %.2f ms; database %,d MB; heap %,d MB",
            target,
            BATCH,
            added / appended,
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

  /** One foundation, industrial models on it, adapters on these and applications on those. */
  private void fleet(int lines, int versions) throws Exception {
    Path home = Files.createDirectories(directory.resolve("fleet"));
    StringBuilder yaml = new StringBuilder();
    yaml.append("name: large\nrecipes:\n  tune: { method: full, steps: 1, batch-rows: 4,");
    yaml.append(" max-tokens: 32, learning-rate: 0.001 }\n");
    yaml.append("capabilities:\n  all: { owner: a, suite: all.jsonl, scorer: exact-match,");
    yaml.append(" margin: 0.05 }\nlines:\n");
    yaml.append("  base: { tier: foundation, contract: { capabilities: [all] } }\n");
    int industrial = Math.max(1, lines / 50);
    for (int i = 1; i < lines; i++) {
      boolean first = i <= industrial;
      yaml.append("  line").append(i).append(": { tier: ");
      yaml.append(first ? "industrial" : "application-model").append(", parent: ");
      yaml.append(parent(i, industrial)).append(", recipe: tune }\n");
    }
    Files.writeString(
        home.resolve("all.jsonl"),
        "{\"id\":\"1\",\"messages\":"
            + "[{\"role\":\"user\",\"content\":\"?\"}],\"answer\":\"!\"}\n");
    Files.writeString(home.resolve("ecosystem.yaml"), yaml);
    Cambium.create(home, yaml.toString(), "bench", InstantSource.system()).close();
    LocalArtifactStore store = LocalArtifactStore.open(home.resolve(".cambium/objects"));
    try (Ledger ledger = Ledger.open(home, InstantSource.system())) {
      double made = seconds(() -> generate(ledger, store, lines, versions, industrial));
      say("%,d lines, %,d versions generated in %.1f s", lines, (long) lines * versions, made);
    }
    try (Cambium cambium = Cambium.open(home, "bench", InstantSource.system())) {
      say("declaration read, checked and recorded: %.2f s", seconds(cambium::declare));
      Declaration declaration = cambium.declare();
      Callable<Plan> plan =
          () ->
              new Planner(
                      cambium.state(),
                      declaration,
                      cambium.store(),
                      CostModel.of(cambium.state(), cambium.store()))
                  .plan();
      require(plan.call().steps().size() == lines);
      say("planned an upgrade of the foundation: %.2f s, heap %,d MB", median(plan), heap());
      String last = "line" + (lines - 1);
      say(
          "why %s: %.1f ms",
          last, 1000 * median(() -> cambium.why(new VersionRef(last, versions))));
      say(
          "database %,d MB, heap %,d MB",
          Files.size(home.resolve(".cambium/ledger.db")) >> 20, heap());
    }
  }

  private static String parent(int line, int industrial) {
    return line <= industrial ? "base" : "line" + (1 + line % industrial);
  }

  private static int generate(
      Ledger ledger, LocalArtifactStore store, int lines, int versions, int industrial) {
    VersionRef founded = new VersionRef("base", versions);
    Digest evidence =
        store.put(
            Json.canonical(
                new Verdict(
                    founded, null, Decision.PASS, "generated", List.of(), List.of(), null, null)));
    List<Fact> facts = new ArrayList<>();
    for (int number = 1; number <= versions; number++) {
      for (int i = 0; i < lines; i++) {
        String line = i == 0 ? "base" : "line" + i;
        VersionRef ref = new VersionRef(line, number);
        VersionRef parent = i == 0 ? null : new VersionRef(parent(i, industrial), number);
        Manifest manifest =
            new Manifest(
                VersionKind.MODEL,
                parent == null ? null : Digest.ofText(parent.toString()),
                List.of(new FileEntry("model.safetensors", 1, Digest.ofText("weights " + ref))));
        facts.add(
            new Fact.VersionRegistered(
                ref,
                manifest.digest(),
                VersionKind.MODEL,
                parent,
                number == 1 ? null : new VersionRef(line, number - 1),
                null,
                null,
                null,
                List.of(Digest.ofText("data of " + line)),
                "generated"));
        if (number == versions) {
          facts.add(new Fact.VerdictReached(ref, null, Decision.PASS, evidence, null));
          facts.add(
              new Fact.ChannelMoved(
                  line, Channel.STABLE, null, ref, Fact.Movement.RELEASE, evidence, "generated"));
        }
        if (facts.size() >= BATCH) {
          ledger.append("bench", facts, List.of());
          facts.clear();
        }
      }
    }
    VersionRef next = new VersionRef("base", versions + 1);
    facts.add(
        new Fact.VersionRegistered(
            next,
            Digest.ofText("next"),
            VersionKind.MODEL,
            null,
            null,
            null,
            null,
            null,
            List.of(),
            "the upgrade"));
    facts.add(
        new Fact.SignalReceived(
            "s1", Fact.SignalKind.UPSTREAM, "base", null, null, 0, next, "upgrade"));
    ledger.append("bench", facts, List.of());
    return facts.size();
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

  /** Of five, after one that compiles the code. */
  private static double median(Callable<?> work) throws Exception {
    work.call();
    double[] times = new double[5];
    for (int i = 0; i < times.length; i++) {
      times[i] = seconds(work);
    }
    Arrays.sort(times);
    return times[times.length / 2];
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
