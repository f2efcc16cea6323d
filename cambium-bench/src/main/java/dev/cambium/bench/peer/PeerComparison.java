package dev.cambium.bench.peer;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.bench.peer.Comparison.Measured;
import dev.cambium.engine.Engine;
import dev.cambium.engine.backend.Backend;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Runs Cambium and Python side by side.
 *
 * <p>Each side of each work is a process of its own that loads once and then works when it is
 * asked: first every setting once to choose the fastest, then both sides in turn, round by round,
 * while the other sleeps. So whatever else the machine does meets both alike, and the ratio of a
 * round is what counts.
 */
@Command(
    name = "peer-comparison",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Runs Cambium and Python (torch, transformers, PEFT) side by side on the same rows, in turn,"
            + " and writes a table of their speeds.")
public final class PeerComparison implements Callable<Integer> {

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  @Option(
      names = "--model",
      description =
          "Hugging Face directory of the model; without it only the work that makes its own is done.")
  private @Nullable Path model;

  @Option(
      names = "--python",
      description =
          "An interpreter with torch, transformers and peft (default: CAMBIUM_PYTHON); without one"
              + " Cambium runs alone.")
  private @Nullable String python = System.getenv("CAMBIUM_PYTHON");

  @Option(names = "--out", description = "Directory of the results.", defaultValue = "target/peer")
  private Path out = Path.of("target/peer");

  @Option(names = "--rounds", description = "Default: ${DEFAULT-VALUE}.", defaultValue = "5")
  private int rounds;

  @Option(
      names = "--only",
      split = ",",
      description = "Which work: ${COMPLETION-CANDIDATES} (default: all).",
      completionCandidates = Ids.class)
  private List<String> only = new ArrayList<>();

  @Option(
      names = "--threads",
      split = ",",
      description = "Numbers of threads to try on both sides (default: 1 and all cores).")
  private List<Integer> threads = new ArrayList<>();

  /** Names of all works. */
  static final class Ids extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Ids() {
      for (Work work : Work.values()) {
        add(work.id());
      }
    }
  }

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new PeerComparison()).execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    Files.createDirectories(out);
    if (threads.isEmpty()) {
      int cores = Runtime.getRuntime().availableProcessors();
      threads = cores == 1 ? List.of(1) : List.of(1, cores);
    }
    String versions = python == null ? "" : versions(python);
    if (python == null) {
      System.out.println(
          "No Python: give --python or CAMBIUM_PYTHON, an interpreter with what"
              + " interchange/requirements.txt names. Cambium runs alone.");
    }
    List<Comparison> comparisons = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    Tasks tasks = new Tasks(out.toAbsolutePath());
    for (Work work : Work.values()) {
      if (!only.isEmpty() && !only.contains(work.id())) {
        continue;
      }
      if (work.needsModel() && model == null) {
        notes.add(work.title() + ": skipped, no --model");
        continue;
      }
      Task task = tasks.of(work, model == null ? out : model);
      if (python == null) {
        notes.add(alone(task));
      } else if (work == Work.LOAD) {
        comparisons.addAll(loads(task));
      } else {
        comparisons.addAll(compare(task));
      }
      write(comparisons, notes, versions);
    }
    System.out.println();
    System.out.println(Files.readString(out.resolve("comparison.md")));
    return 0;
  }

  private static String versions(String python) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                python,
                "-c",
                "import sys, torch, transformers, peft;"
                    + "print('Python', sys.version.split()[0] + ', torch', torch.__version__"
                    + " + ', transformers', transformers.__version__ + ', PEFT', peft.__version__)")
            .redirectErrorStream(true)
            .start();
    String text =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new CommandLine.ParameterException(
          new CommandLine(new PeerComparison()),
          python
              + " cannot run the Python side; install what interchange/requirements.txt names: "
              + text);
    }
    return text;
  }

  private String alone(Task task) throws IOException {
    try (Side side = cambium(task, threads.get(threads.size() - 1), List.of())) {
      side.run();
      Reply reply = side.run();
      return String.format(
          Locale.ROOT,
          "%s: %.2f %s, without comparison",
          task.work().title(),
          reply.speed(),
          task.work().unit());
    }
  }

  private List<Comparison> compare(Task task) throws IOException {
    Work work = task.work();
    Map<String, Double> triedHere = new LinkedHashMap<>();
    Map<String, Double> triedThere = new LinkedHashMap<>();
    Setting here = new Setting("plain", 0, Double.POSITIVE_INFINITY);
    Setting there = here;
    for (int count : threads) {
      here = here.or(tried(() -> cambium(task, count, List.of()), "plain", count, triedHere));
      for (String variant : work.peerVariants()) {
        there = there.or(tried(() -> peer(task, variant, count), variant, count, triedThere));
      }
    }
    double[] ours = new double[rounds];
    double[] theirs = new double[rounds];
    double[] ratios = new double[rounds];
    double[] processor = new double[rounds];
    Setting chosenHere = here;
    Setting chosenThere = there;
    try (Side cambium = cambium(task, chosenHere.threads(), List.of());
        Side peer = peer(task, chosenThere.variant(), chosenThere.threads())) {
      cambium.run();
      peer.run();
      @Nullable Reply one = null;
      @Nullable Reply other = null;
      for (int round = 0; round < rounds; round++) {
        if (round % 2 == 0) {
          one = cambium.run();
          other = peer.run();
        } else {
          other = peer.run();
          one = cambium.run();
        }
        ours[round] = one.speed();
        theirs[round] = other.speed();
        ratios[round] = ours[round] / theirs[round];
        processor[round] =
            other.processorSeconds() / other.units() / (one.processorSeconds() / one.units());
        System.out.printf(
            Locale.ROOT,
            "%s, round %d: %.2f and %.2f %s, ratio %.2f%n",
            work.id(),
            round + 1,
            ours[round],
            theirs[round],
            work.unit(),
            ratios[round]);
      }
      if (one == null || other == null) {
        throw new IllegalArgumentException("--rounds must be at least 1: " + rounds);
      }
      List<Comparison> result = new ArrayList<>();
      result.add(
          new Comparison(
              work.id(),
              work.title(),
              work.unit(),
              work.goal(),
              new Measured(chosenHere.text(), triedHere, ours),
              new Measured(chosenThere.text(), triedThere, theirs),
              ratios,
              Comparison.median(processor),
              Comparison.agreement(one.answer(), other.answer())));
      if (work.isLora()) {
        double[] here1 = {one.peakBytes() / 1e9};
        double[] there1 = {other.peakBytes() / 1e9};
        result.add(
            new Comparison(
                work.id() + "-memory",
                work == Work.LORA_FP32 ? "peak memory of LoRA, fp32" : "peak memory of LoRA, bf16",
                "GB",
                1.0,
                new Measured(chosenHere.text(), Map.of(), here1),
                new Measured(chosenThere.text(), Map.of(), there1),
                new double[] {here1[0] / there1[0]},
                0,
                -1));
      }
      return result;
    }
  }

  /** New processes each time: from their start, and from when their libraries are loaded. */
  private List<Comparison> loads(Task task) throws IOException {
    int count = threads.get(threads.size() - 1);
    Path archive = out.toAbsolutePath().resolve("classes.jsa");
    Files.deleteIfExists(archive);
    try (Side side = cambium(task, count, List.of("-XX:ArchiveClassesAtExit=" + archive))) {
      side.run();
    }
    if (!Files.exists(archive)) {
      System.err.println(
          "load: Java made no archive of classes (see cambium.log); loading without");
    }
    // As the launcher does for `chat`.
    List<String> shared =
        Files.exists(archive)
            ? List.of("-XX:SharedArchiveFile=" + archive, "-XX:TieredStopAtLevel=1")
            : List.of("-XX:TieredStopAtLevel=1");
    try (Side side = peer(task, "plain", count)) {
      side.run();
    }
    double[][] ours = new double[2][rounds];
    double[][] theirs = new double[2][rounds];
    double agreement = 0;
    for (int round = 0; round < rounds; round++) {
      List<String> answer;
      long start = System.nanoTime();
      try (Side side = cambium(task, count, shared)) {
        Reply reply = side.run();
        ours[0][round] = 1e9 / (System.nanoTime() - start);
        ours[1][round] = reply.speed();
        answer = reply.answer();
      }
      start = System.nanoTime();
      try (Side side = peer(task, "plain", count)) {
        Reply reply = side.run();
        theirs[0][round] = 1e9 / (System.nanoTime() - start);
        theirs[1][round] = reply.speed();
        agreement += Comparison.agreement(answer, reply.answer()) / rounds;
      }
      System.out.printf(
          Locale.ROOT,
          "load, round %d: %.2f s and %.2f s from the start, %.2f s and %.2f s of loading%n",
          round + 1,
          1 / ours[0][round],
          1 / theirs[0][round],
          1 / ours[1][round],
          1 / theirs[1][round]);
    }
    List<Comparison> result = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      double[] ratios = new double[rounds];
      for (int round = 0; round < rounds; round++) {
        ratios[round] = ours[i][round] / theirs[i][round];
      }
      result.add(
          new Comparison(
              i == 0 ? "load" : "load-alone",
              Work.LOAD.title()
                  + (i == 0 ? ", from the start of the process" : ", in a process that is up"),
              "1/s",
              Work.LOAD.goal(),
              new Measured(count + " threads", Map.of(), ours[i]),
              new Measured(count + " threads", Map.of(), theirs[i]),
              ratios,
              0,
              agreement));
    }
    return result;
  }

  private record Setting(String variant, int threads, double seconds) {

    Setting or(Setting other) {
      return other.seconds < seconds ? other : this;
    }

    String text() {
      String count = threads == 1 ? "1 thread" : threads + " threads";
      return variant.equals("plain") ? count : variant + ", " + count;
    }
  }

  /** Starts a side. */
  private interface Starter {
    Side start() throws IOException;
  }

  private static Setting tried(
      Starter starter, String variant, int threads, Map<String, Double> seconds)
      throws IOException {
    try (Side side = starter.start()) {
      side.run();
      Setting setting = new Setting(variant, threads, side.run().seconds());
      seconds.put(setting.text(), setting.seconds());
      return setting;
    }
  }

  private Path file(Task task, String side) throws IOException {
    Path file = out.toAbsolutePath().resolve(task.work().id() + "-" + side + ".json");
    JSON.writeValue(file.toFile(), task);
    return file;
  }

  private Side cambium(Task task, int threads, List<String> options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // As the launcher sets them.
    command.addAll(
        List.of(
            "-Xmx2g",
            "-XX:+UseSerialGC",
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
            "-Dorg.bytedeco.javacpp.maxbytes=0"));
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(CambiumWorker.class.getName());
    command.add(file(task.with("plain", threads), "cambium").toString());
    Map<String, String> environment = new LinkedHashMap<>(Backend.processEnvironment());
    environment.put("CAMBIUM_THREADS", Integer.toString(threads));
    return Side.start(command, environment, out.resolve("cambium.log"));
  }

  private Side peer(Task task, String variant, int threads) throws IOException {
    Path script = out.toAbsolutePath().resolve("peer.py");
    try (InputStream in = PeerComparison.class.getResourceAsStream("peer.py")) {
      if (in == null) {
        throw new IllegalStateException("peer.py is not on the class path");
      }
      Files.write(script, in.readAllBytes());
    }
    return Side.start(
        List.of(
            String.valueOf(python),
            script.toString(),
            file(task.with(variant, threads), "peer").toString()),
        Map.of(
            "OMP_NUM_THREADS", Integer.toString(threads),
            "MKL_NUM_THREADS", Integer.toString(threads)),
        out.resolve("peer.log"));
  }

  private void write(List<Comparison> comparisons, List<String> notes, String versions)
      throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("machine", machine());
    all.put("cambium", Engine.open().fingerprint());
    all.put("python", versions);
    all.put("comparisons", comparisons);
    all.put("notes", notes);
    JSON.writeValue(out.resolve("comparison.json").toFile(), all);
    StringBuilder text = new StringBuilder();
    text.append("Machine: ").append(machine()).append("\n\nCambium: ");
    text.append(Engine.open().fingerprint()).append("\n\nPython: ").append(versions);
    text.append("\n\n").append(Comparison.HEADER);
    comparisons.forEach(c -> text.append(c.line()).append('\n'));
    text.append("\nSeconds of one run under each setting that was tried:\n\n");
    for (Comparison c : comparisons) {
      if (!c.peer().tried().isEmpty()) {
        text.append("- ").append(c.work()).append(": Cambium ").append(seconds(c.cambium()));
        text.append("; Python ").append(seconds(c.peer())).append('\n');
      }
    }
    notes.forEach(note -> text.append("- ").append(note).append('\n'));
    Files.writeString(out.resolve("comparison.md"), text);
  }

  private static String seconds(Measured side) {
    List<String> parts = new ArrayList<>();
    side.tried()
        .forEach((setting, s) -> parts.add(String.format(Locale.ROOT, "%s %.2f", setting, s)));
    return String.join(", ", parts);
  }

  private static String machine() {
    long memory = 0;
    try (var lines = Files.lines(Path.of("/proc/meminfo"))) {
      memory =
          lines
              .filter(l -> l.startsWith("MemTotal:"))
              .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
              .findFirst()
              .orElse(0);
    } catch (IOException | UncheckedIOException e) {
      memory = 0;
    }
    return Runtime.getRuntime().availableProcessors()
        + " cores, "
        + (memory == 0 ? "" : Math.round(memory * 1024 / 1e9) + " GB, ")
        + System.getProperty("os.name")
        + " "
        + System.getProperty("os.arch");
  }
}
