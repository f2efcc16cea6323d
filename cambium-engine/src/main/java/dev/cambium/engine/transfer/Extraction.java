package dev.cambium.engine.transfer;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.DurableFile;
import dev.cambium.artifact.huggingface.AdapterDirectory;
import dev.cambium.artifact.huggingface.AdapterKeys;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.text.ModelText;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Takes a low-rank adapter out of a model that was tuned as a whole: for each projection the best
 * approximation of W − W₀ of some rank (Eckart and Young, 1936), by the eigenvectors of the smaller
 * of its two Gram matrices in double precision. Norms, embedding and head that changed are stored
 * whole; what an adapter cannot hold is refused by name.
 *
 * <p>The adapter appears whole or not at all, and only after base and adapter, loaded as anybody
 * would load them, gave the logits of the base with the same update written into its weights.
 */
public final class Extraction {

  /** Singular values whose share of the largest is below this are rounding of the weights. */
  private static final double NOISE = 1e-7;

  /** What may come of other orders of sums; relative to the largest logit. */
  private static final double ROUNDING = 1e-4;

  private final int rank;
  private final double energy;

  private Extraction(int rank, double energy) {
    this.rank = rank;
    this.energy = energy;
  }

  /** Updates of one rank; of less where a matrix has less. */
  public static Extraction ofRank(int rank) {
    if (rank < 1) {
      throw new IllegalArgumentException("the rank must be at least 1, not " + rank);
    }
    return new Extraction(rank, 1);
  }

  /**
   * For each module the least rank that keeps a share of its change.
   *
   * @param energy share of the sum of the squared singular values, in (0, 1]
   */
  public static Extraction ofEnergy(double energy) {
    if (!(energy > 0 && energy <= 1)) {
      throw new IllegalArgumentException("energy must be above 0 and at most 1, not " + energy);
    }
    return new Extraction(Integer.MAX_VALUE, energy);
  }

  /**
   * A module with an update.
   *
   * @param energy share of the squared singular values of its change that the update has
   * @param norm the change's Frobenius norm
   */
  public record Module(String name, int rank, double energy, double norm) {}

  /**
   * What came of it.
   *
   * @param modules in the order of their names
   * @param whole modules that are stored whole
   * @param energy share of the squared change of all projections that the updates have
   * @param kept 1 − ‖adapter's logits − tuned model's‖ ÷ ‖base's − tuned model's‖ on probe tokens
   */
  public record Report(List<Module> modules, List<String> whole, double energy, double kept) {
    public Report {
      modules = List.copyOf(modules);
      whole = List.copyOf(whole);
    }
  }

  /** B (outputs × rank) and A (rank × inputs) of an update B·A. */
  private record Factors(Module module, float[] up, float[] down, long outputs, long inputs) {}

  /**
   * Writes a PEFT directory.
   *
   * @param tuned Hugging Face directory
   * @param base of the same weights and tokens, which {@code tuned} was made from
   * @param out directory of the adapter, which must not exist
   * @throws IllegalArgumentException naming what does not fit, or what an adapter cannot hold
   * @throws IllegalStateException if the adapter, loaded again, is not what was computed
   */
  public Report adapter(Path tuned, Path base, Path out, Progress progress) {
    if (Files.exists(out)) {
      throw new IllegalArgumentException(out + " exists; give a directory that does not");
    }
    Path partial = out.toAbsolutePath().normalize();
    partial = partial.resolveSibling("." + partial.getFileName() + ".partial");
    try (Weights before = Weights.open(base);
        Weights after = Weights.open(tuned)) {
      DirectoryTree.delete(partial);
      Fit.require(before, after);
      List<Factors> updates = new ArrayList<>();
      SortedSet<String> whole = new TreeSet<>();
      SortedSet<String> refused = new TreeSet<>();
      double changed = 0;
      double kept = 0;
      int done = 0;
      for (String name : before.where.keySet()) {
        if (isProjection(name)) {
          Factors factors = factors(before, after, name);
          if (factors != null) {
            updates.add(factors);
            double square = factors.module.norm * factors.module.norm;
            changed += square;
            kept += square * factors.module.energy;
          }
        } else if (differs(before, after, name)) {
          (name.endsWith(".weight") ? whole : refused).add(name);
        }
        progress.at("extract", ++done, before.where.size(), name);
      }
      if (!refused.isEmpty()) {
        throw new IllegalArgumentException(
            tuned
                + ": these changed, and an adapter has no place for them: "
                + refused
                + "; keep the model as it is");
      }
      if (updates.isEmpty()) {
        throw new IllegalArgumentException(
            whole.isEmpty()
                ? tuned + " has the weights of " + base + ": there is nothing to extract"
                : tuned + ": no projection changed, only " + whole + "; an adapter needs one");
      }
      SortedMap<String, String> stored = stored(before, whole);
      Files.createDirectories(partial);
      write(partial, updates, stored, after, String.valueOf(base.getFileName()));
      copyText(base, tuned, partial);
      double logits = compare(partial, base, tuned, updates, stored, after);
      Files.move(partial, out, StandardCopyOption.ATOMIC_MOVE);
      return new Report(
          updates.stream().map(Factors::module).toList(),
          List.copyOf(stored.keySet()),
          kept / changed,
          logits);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out + ": " + e, e);
    } finally {
      DirectoryTree.delete(partial);
    }
  }

  private static boolean isProjection(String weight) {
    return weight.startsWith("model.layers.")
        && Recipe.Lora.ALL_PROJECTIONS.stream().anyMatch(p -> weight.endsWith("." + p + ".weight"));
  }

  // ---- singular values ----

  /** The update of a projection; null if it did not change. */
  private @org.jspecify.annotations.Nullable Factors factors(
      Weights before, Weights after, String name) {
    TensorInfo info = before.info(name);
    long outputs = info.shape().get(0);
    long inputs = info.shape().get(1);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor change =
          matrix(after, name).to(ScalarType.Double).sub(matrix(before, name).to(ScalarType.Double));
      double norm = change.norm().item_double();
      if (norm == 0) {
        return null;
      }
      boolean wide = outputs <= inputs;
      Tensor side = wide ? change : change.t();
      T_TensorTensor_T eigen = torch.linalg_eigh(side.mm(side.t()));
      double[] squares = descending(eigen.get0());
      int chosen = chosen(squares);
      double all = 0;
      double share = 0;
      for (int i = 0; i < squares.length; i++) {
        all += squares[i];
        share += i < chosen ? squares[i] : 0;
      }
      // The last columns belong to the largest values. U of an update U·(Uᵀ·D).
      Tensor vectors = eigen.get1().narrow(1, squares.length - chosen, chosen);
      Tensor projected = vectors.t().mm(side);
      // The same length for both, so that neither is lost in a type of less precision.
      Tensor balance =
          projected
              .norm(new org.bytedeco.pytorch.ScalarOptional(new Scalar(2.0)), new long[] {1}, false)
              .sqrt();
      Tensor up = vectors.mul(balance.unsqueeze(0));
      Tensor down = projected.div(balance.unsqueeze(1));
      Module module =
          new Module(
              name.substring(0, name.length() - ".weight".length()),
              chosen,
              Math.min(1, share / all),
              norm);
      return wide
          ? new Factors(module, floats(up), floats(down), outputs, inputs)
          : new Factors(module, floats(down.t()), floats(up.t()), outputs, inputs);
    }
  }

  private static double[] descending(Tensor ascending) {
    double[] values = new double[Math.toIntExact(ascending.size(0))];
    Tensor plain = ascending.contiguous();
    new org.bytedeco.javacpp.DoublePointer(plain.data_ptr()).get(values, 0, values.length);
    double[] reversed = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      reversed[i] = Math.max(0, values[values.length - 1 - i]);
    }
    return reversed;
  }

  private int chosen(double[] squares) {
    double all = 0;
    for (double square : squares) {
      all += square;
    }
    int chosen = 0;
    double sum = 0;
    while (chosen < Math.min(rank, squares.length)
        && (chosen == 0
            || ((energy == 1 || sum < energy * all)
                && squares[chosen] > NOISE * NOISE * squares[0]))) {
      sum += squares[chosen++];
    }
    return chosen;
  }

  private static float[] floats(Tensor values) {
    Tensor single = values.to(ScalarType.Float).contiguous();
    return Natives.read(single, 0, Math.toIntExact(single.numel()));
  }

  private static Tensor matrix(Weights weights, String name) {
    List<Long> shape = weights.info(name).shape();
    return Natives.floats(values(weights, name), shape.get(0), shape.get(1));
  }

  private static float[] values(Weights weights, String name) {
    TensorInfo info = weights.info(name);
    ByteBuffer bytes = weights.bytes(name);
    float[] values = new float[Math.toIntExact(info.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Floats.get(bytes, info.dtype(), i);
      if (!Float.isFinite(values[i])) {
        throw new IllegalArgumentException(
            weights.directory + ": " + name + ", element " + i + " is " + values[i]);
      }
    }
    return values;
  }

  private static boolean differs(Weights before, Weights after, String name) {
    float[] one = values(before, name);
    float[] other = values(after, name);
    for (int i = 0; i < one.length; i++) {
      if (one[i] != other[i]) {
        return true;
      }
    }
    return false;
  }

  // ---- the adapter's files ----

  /**
   * What is stored whole: for each weight of the adapter the one of the tuned model. Modules are
   * chosen by the ends of their names, so where one layer's norm changed those of all layers go in;
   * and a head that was tied is stored beside its embedding, because in PEFT a stored module is
   * tied to nothing.
   */
  private static SortedMap<String, String> stored(Weights base, SortedSet<String> changed) {
    SortedMap<String, String> stored = new TreeMap<>();
    for (String end : ends(changed)) {
      for (String weight : base.where.keySet()) {
        if (weight.endsWith(end + ".weight")) {
          stored.put(weight, weight);
        }
      }
    }
    if (base.tied && stored.containsKey(Weights.EMBEDDING)) {
      stored.put(Weights.HEAD, Weights.EMBEDDING);
    }
    return stored;
  }

  private static SortedSet<String> ends(Iterable<String> weights) {
    SortedSet<String> ends = new TreeSet<>();
    for (String weight : weights) {
      String module = weight.substring(0, weight.length() - ".weight".length());
      // "norm" alone would be every norm.
      ends.add(
          module.equals("model.norm") ? module : module.substring(module.lastIndexOf('.') + 1));
    }
    return ends;
  }

  private static void write(
      Path directory,
      List<Factors> updates,
      SortedMap<String, String> stored,
      Weights after,
      String baseName)
      throws IOException {
    SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
    int largest = 1;
    for (Factors update : updates) {
      String key = AdapterKeys.PREFIX + update.module.name;
      long rank = update.module.rank;
      tensors.put(key + ".lora_A.weight", tensor(update.down, rank, update.inputs));
      tensors.put(key + ".lora_B.weight", tensor(update.up, update.outputs, rank));
      largest = Math.max(largest, update.module.rank);
    }
    stored.forEach(
        (weight, source) -> {
          TensorInfo info = after.info(source);
          tensors.put(
              AdapterKeys.PREFIX + weight,
              new SafetensorsWriter.Tensor(info.dtype(), info.shape(), after.bytes(source)));
        });
    SafetensorsWriter.write(
        directory.resolve(AdapterDirectory.WEIGHTS), tensors, Map.of("format", "pt"));
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    for (Factors update : updates) {
      if (update.module.rank != largest) {
        String pattern = update.module.name.replace(".", "\\.");
        ranks.put(pattern, update.module.rank);
        alphas.put(pattern, (double) update.module.rank); // a scale of 1, as everywhere
      }
    }
    LoraConfig config =
        new LoraConfig(
            largest,
            largest,
            false,
            false,
            new LoraConfig.Modules(updates.stream().map(u -> u.module.name).toList(), null),
            LoraConfig.Modules.NONE,
            List.of(),
            List.of(),
            ranks,
            alphas,
            List.copyOf(ends(stored.keySet())),
            baseName);
    byte[] json = config.toJson().getBytes(StandardCharsets.UTF_8);
    DurableFile.write(
        directory.resolve("adapter_config.json"),
        channel -> {
          ByteBuffer rest = ByteBuffer.wrap(json);
          while (rest.hasRemaining()) {
            channel.write(rest);
          }
        });
  }

  private static SafetensorsWriter.Tensor tensor(float[] values, long rows, long columns) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new SafetensorsWriter.Tensor(DType.F32, List.of(rows, columns), bytes);
  }

  /** Where the tuned model speaks another template, the adapter brings text files of its own. */
  private static void copyText(Path base, Path tuned, Path out) throws IOException {
    boolean other = false;
    for (Path file : ModelText.files(tuned)) {
      Path like = base.resolve(file.getFileName());
      other |= !Files.exists(like) || Files.mismatch(file, like) >= 0;
    }
    if (other) {
      for (Path file : ModelText.files(tuned)) {
        Files.copy(file, out.resolve(file.getFileName()));
      }
    }
  }

  // ---- the check ----

  private static double compare(
      Path adapter,
      Path base,
      Path tuned,
      List<Factors> updates,
      SortedMap<String, String> stored,
      Weights after) {
    ProbeLogits plain;
    ProbeLogits wanted;
    try (Decoder decoder = Decoder.load(base)) {
      plain = ProbeLogits.of(decoder);
      for (Factors update : updates) {
        String name = update.module.name + ".weight";
        try (PointerScope scope = new PointerScope();
            NoGradGuard guard = new NoGradGuard()) {
          Tensor up = Natives.floats(update.up, update.outputs, update.module.rank);
          Tensor down = Natives.floats(update.down, update.module.rank, update.inputs);
          Tensor sum =
              Natives.floats(decoder.read(name), update.outputs, update.inputs)
                  .to(ScalarType.Double)
                  .add(up.to(ScalarType.Double).mm(down.to(ScalarType.Double)));
          decoder.write(name, floats(sum));
        }
      }
      stored.forEach(
          (weight, source) -> {
            if (decoder.shapes().containsKey(weight)) {
              decoder.write(weight, values(after, source));
            }
          });
      wanted = ProbeLogits.of(decoder);
    }
    ProbeLogits found;
    try (Decoder decoder = Decoder.load(base);
        LoraAdapter lora = LoraAdapter.load(adapter, decoder.config())) {
      decoder.attach(lora);
      found = ProbeLogits.of(decoder);
      decoder.detach();
    }
    double change = wanted.distance(plain);
    double difference = wanted.distance(found);
    if (!(wanted.difference(found) <= ROUNDING * wanted.largest())
        || !(difference <= 0.1 * change)) {
      throw new IllegalStateException(
          "the adapter, loaded again, gives other logits than its update in the base's weights:"
              + " distance "
              + difference
              + ", of a change of "
              + change
              + "; nothing was kept");
    }
    try (Decoder decoder = Decoder.load(tuned)) {
      ProbeLogits goal = ProbeLogits.of(decoder);
      return 1 - found.distance(goal) / plain.distance(goal);
    }
  }
}
