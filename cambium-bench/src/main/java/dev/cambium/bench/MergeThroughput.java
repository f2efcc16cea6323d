package dev.cambium.bench;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.cli.Main;
import dev.cambium.engine.decoder.SplitMix64;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How fast {@code cambium merge} is beside {@code cat} of the same inputs, and how much memory it
 * takes. Four synthetic checkpoints in bf16, all different: a base and three that differ from it in
 * every element, as after training.
 *
 * <p>In each round: cat copies each input to one and the same output file, which is then written to
 * the disk; then the linear merge of the four; then TIES of three on the first. All of them read
 * the same bytes. A merge is the whole command, from the start of its process to its end, its
 * output on the disk as well. Memory is the process' peak of resident memory as the kernel counts
 * it.
 *
 * <p>Main: {@code MergeThroughput [MEGABYTES_EACH] [ROUNDS] [DIR]}; default 2,048, 1. Needs five
 * times the size on the disk. Inputs that are there from an earlier run are used again; remove the
 * directory afterwards.
 */
public final class MergeThroughput {

  private static final int INPUTS = 4;
  private static final long ROW = 4096;

  /** Numbers that are drawn; a power of two. */
  private static final int DRAWN = 1 << 22;

  private final Path directory;
  private final List<Path> inputs = new ArrayList<>();
  private long bytes;

  private MergeThroughput(Path directory) {
    this.directory = directory;
  }

  public static void main(String[] arguments) throws Exception {
    Arguments given = new Arguments(arguments);
    int megabytes = given.number(0, 2_048);
    int rounds = given.number(1, 1);
    MergeThroughput bench = new MergeThroughput(given.directory(2, "merge-throughput"));
    bench.prepare(megabytes);
    for (int round = 0; round < rounds; round++) {
      bench.round();
    }
  }

  private void prepare(int megabytes) throws IOException {
    for (int input = 0; input < INPUTS; input++) {
      Path model = directory.resolve("model-" + input);
      inputs.add(model);
      Path file = model.resolve("model.safetensors");
      SortedMap<String, TensorInfo> tensors = new TreeMap<>();
      long left = (megabytes * 1024L * 1024) / 2;
      for (int layer = 0; left > 0; layer++) {
        // Some large tensors and some tiny ones, as in a model.
        for (long rows : new long[] {11_008, 4_096, 1}) {
          if (left > 0) {
            long kept = Math.max(1, Math.min(rows, left / ROW));
            String name =
                "model.layers." + layer + ".of-" + rows + (rows == 1 ? ".norm" : ".weight");
            tensors.put(
                name,
                new TensorInfo(
                    name, DType.BF16, List.of(kept, ROW), 0, DType.BF16.bytes(kept * ROW)));
            left -= kept * ROW;
          }
        }
      }
      int seed = input;
      if (!Files.exists(file)) {
        Files.createDirectories(model);
        Files.writeString(model.resolve("config.json"), "{\"tie_word_embeddings\": false}");
        SafetensorsWriter.write(
            file,
            tensors,
            Map.of("format", "pt"),
            (channel, start, layout) -> fill(channel, layout, seed));
      }
      bytes += Files.size(file);
    }
  }

  /**
   * The base's numbers for everybody, and a change of a twentieth on top for the others. Both are
   * drawn once, the base repeats its own every 8 MiB, the changes are taken from another place each
   * time: what is measured does not look for repetition, and drawing would take longer than it.
   */
  private static void fill(FileChannel channel, List<TensorInfo> layout, int input)
      throws IOException {
    float[] base = numbers(1);
    float[] change = numbers(2);
    ByteBuffer block = ByteBuffer.allocateDirect(DRAWN * 2).order(ByteOrder.LITTLE_ENDIAN);
    short[] halves = new short[DRAWN];
    SplitMix64 random = new SplitMix64(input);
    for (TensorInfo tensor : layout) {
      long left = tensor.elements();
      while (left > 0) {
        int count = (int) Math.min(left, DRAWN);
        int from = random.nextInt(DRAWN);
        for (int i = 0; i < count; i++) {
          float value = base[i];
          if (input > 0) {
            value += 0.05f * change[(from + i) & (DRAWN - 1)];
          }
          halves[i] = (short) ((Float.floatToRawIntBits(value) + 0x8000) >>> 16);
        }
        block.clear();
        block.asShortBuffer().put(halves, 0, count);
        block.limit(2 * count);
        while (block.hasRemaining()) {
          channel.write(block);
        }
        left -= count;
      }
    }
  }

  private static float[] numbers(long seed) {
    float[] numbers = new float[DRAWN];
    new SplitMix64(seed).fillNormal(numbers, 0.02);
    return numbers;
  }

  private void round() throws IOException, InterruptedException {
    double cat = cat();
    System.out.printf(
        Locale.ROOT, "%-7s %7.2f s  %5.2f GB/s of input%n", "cat", cat, bytes / 1e9 / cat);
    List<String> all = inputs.stream().map(Path::toString).toList();
    List<String> linear = new ArrayList<>(List.of("merge", "linear"));
    linear.addAll(all);
    merge("linear", linear, cat);
    List<String> ties = new ArrayList<>(List.of("merge", "ties"));
    ties.addAll(all.subList(1, INPUTS));
    ties.addAll(List.of("--base", all.get(0), "--density", "0.2"));
    merge("ties", ties, cat);
  }

  /** Seconds to copy every input to one file, and to write that to the disk. */
  private double cat() throws IOException, InterruptedException {
    Path out = directory.resolve("cat.out");
    long start = System.nanoTime();
    for (Path input : inputs) {
      Process cat =
          new ProcessBuilder("cat", input.resolve("model.safetensors").toString())
              .redirectOutput(out.toFile())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      if (cat.waitFor() != 0) {
        throw new IOException("cat failed");
      }
      try (FileChannel written = FileChannel.open(out, StandardOpenOption.WRITE)) {
        written.force(true);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Files.delete(out);
    return seconds;
  }

  private void merge(String name, List<String> arguments, double cat)
      throws IOException, InterruptedException {
    Path out = directory.resolve("merged");
    DirectoryTree.delete(out);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(arguments);
    command.addAll(List.of("--out", out.toString(), "--no-reload"));
    long start = System.nanoTime();
    Process merge = new ProcessBuilder(command).inheritIO().start();
    long peak = 0;
    while (merge.isAlive()) {
      peak = Math.max(peak, peak(merge.pid()));
      Thread.sleep(20);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    if (merge.waitFor() != 0) {
      throw new IOException(name + " failed");
    }
    System.out.printf(
        Locale.ROOT,
        "%-7s %7.2f s  %5.2f GB/s of input  %.2f of cat  peak %d MB%n",
        name,
        seconds,
        bytes / 1e9 / seconds,
        cat / seconds,
        peak / 1000);
    DirectoryTree.delete(out);
  }

  /** The peak of resident memory so far, in kB; 0 when the process has ended. */
  private static long peak(long pid) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith("VmHWM:")) {
          return Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    } catch (IOException | NumberFormatException e) {
      // It has just ended.
    }
    return 0;
  }
}
