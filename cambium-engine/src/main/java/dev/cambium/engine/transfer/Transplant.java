package dev.cambium.engine.transfer;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.safetensors.DType;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.text.ModelText;
import dev.cambium.engine.text.TokenMap;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Carries a change of weights to a new base: new + alpha · (tuned − old) (task arithmetic; Ilharco
 * et al., 2023), element by element in double precision, rounded once, to nearest and to even, into
 * the new base's own type.
 *
 * <p>All three models must have the same weights of the same shapes; what is missing, extra or of
 * another shape is named. Tokens are the same by their texts, not by their ids: where the new base
 * counts them in another order, rows of embedding and head follow the texts; where it has other
 * tokens, it is refused. Where embeddings are tied, a head that a file holds all the same is left
 * out of account, for it is the embedding once more. The result takes configuration and text files
 * from the new base, unchanged.
 */
public final class Transplant {

  private static final String ADAPTER = "adapter_model.safetensors";
  private static final String ADAPTER_CONFIG = "adapter_config.json";

  private Transplant() {}

  /**
   * Carries a full-weight change to a new base.
   *
   * @param oldBase what {@code tuned} was made from
   * @param newBase the base it is carried to
   * @param alpha 0 gives the new base, 1 the whole change
   * @param out directory of the result; made if it is not there
   * @throws IllegalArgumentException if the three do not fit together, naming what does not
   */
  public static void model(
      Path oldBase, Path newBase, Path tuned, double alpha, Path out, Progress progress) {
    requireFinite(alpha);
    model(oldBase, newBase, tuned, weight -> alpha, out, progress);
  }

  /**
   * As above, with an alpha for each weight.
   *
   * @param alpha by the name of the weight
   */
  public static void model(
      Path oldBase,
      Path newBase,
      Path tuned,
      ToDoubleFunction<String> alpha,
      Path out,
      Progress progress) {
    try (Weights before = Weights.open(oldBase);
        Weights base = Weights.open(newBase);
        Weights after = Weights.open(tuned)) {
      if (before.tied != base.tied || before.tied != after.tied) {
        throw new IllegalArgumentException(
            "tied embeddings: old base "
                + before.tied
                + ", new base "
                + base.tied
                + ", tuned "
                + after.tied
                + "; a tied and an untied head cannot be subtracted");
      }
      base.requireSame(before);
      base.requireSame(after);
      TokenMap tokens = tokens(oldBase, newBase);
      Files.createDirectories(out);
      int done = 0;
      for (Path file : base.files) {
        SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
          for (TensorInfo info : source.tensors().values()) {
            if (base.where.containsKey(info.name())) {
              tensors.put(
                  info.name(),
                  new SafetensorsWriter.Tensor(
                      info.dtype(),
                      info.shape(),
                      combined(
                          info,
                          source,
                          before.file(info.name()),
                          after.file(info.name()),
                          finite(alpha, info.name()),
                          tokens)));
              progress.at("transplant", ++done, base.where.size(), info.name());
            }
          }
          SafetensorsWriter.write(out.resolve(file.getFileName()), tensors, source.metadata());
        }
      }
      copy(newBase, out, "config.json");
      copy(newBase, out, Weights.INDEX);
      for (Path text : ModelText.files(newBase)) {
        copy(newBase, out, text.getFileName().toString());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    }
  }

  /**
   * Scales an adapter's update: every {@code lora_B} times alpha. Lengths of rows (DoRA) and
   * modules stored whole stay as they are. With alpha 1 the files are the same to the byte.
   *
   * @param adapter PEFT directory
   * @param out directory of the result; made if it is not there
   */
  public static void adapter(Path adapter, double alpha, Path out) {
    requireFinite(alpha);
    adapter(adapter, weight -> alpha, out);
  }

  /**
   * As above, with an alpha for each module.
   *
   * @param alphas by the name of the module's {@code lora_B}
   */
  public static void adapter(Path adapter, ToDoubleFunction<String> alphas, Path out) {
    try (SafetensorsFile source = SafetensorsFile.open(adapter.resolve(ADAPTER))) {
      Files.createDirectories(out);
      SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
      int scaled = 0;
      for (TensorInfo info : source.tensors().values()) {
        ByteBuffer bytes = source.bytes(info.name());
        boolean up = info.name().contains(".lora_B.");
        if (up) {
          Weights.requireFloat(info, adapter);
          double alpha = finite(alphas, info.name());
          ByteBuffer result = allocate(info);
          int count = Math.toIntExact(info.elements());
          for (int i = 0; i < count; i++) {
            Floats.put(result, info.dtype(), i, alpha * Floats.get(bytes, info.dtype(), i));
          }
          bytes = result;
          scaled++;
        }
        tensors.put(info.name(), new SafetensorsWriter.Tensor(info.dtype(), info.shape(), bytes));
      }
      if (scaled == 0) {
        throw new IllegalArgumentException(adapter + ": the adapter has no lora_B weights");
      }
      SafetensorsWriter.write(out.resolve(ADAPTER), tensors, source.metadata());
      copy(adapter, out, ADAPTER_CONFIG);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    }
  }

  /**
   * Carries a change of an adapter's own weights: new + alpha · (tuned − old). With one base twice
   * the result lies between it and what was tuned.
   *
   * @param oldBase PEFT directory of what {@code tuned} was continued from
   * @param newBase PEFT directory of what it is carried to
   * @param out directory of the result; made if it is not there
   * @throws IllegalArgumentException if the three do not have the same weights, naming them
   */
  public static void adapters(Path oldBase, Path newBase, Path tuned, double alpha, Path out) {
    requireFinite(alpha);
    try (SafetensorsFile before = SafetensorsFile.open(oldBase.resolve(ADAPTER));
        SafetensorsFile base = SafetensorsFile.open(newBase.resolve(ADAPTER));
        SafetensorsFile after = SafetensorsFile.open(tuned.resolve(ADAPTER))) {
      requireSame(base, before);
      requireSame(base, after);
      Files.createDirectories(out);
      SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
      for (TensorInfo info : base.tensors().values()) {
        Weights.requireFloat(info, newBase);
        tensors.put(
            info.name(),
            new SafetensorsWriter.Tensor(
                info.dtype(), info.shape(), combined(info, base, before, after, alpha, null)));
      }
      SafetensorsWriter.write(out.resolve(ADAPTER), tensors, base.metadata());
      copy(newBase, out, ADAPTER_CONFIG);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    }
  }

  private static void requireSame(SafetensorsFile pattern, SafetensorsFile other) {
    SortedMap<String, String> expected = shapes(pattern);
    SortedMap<String, String> found = shapes(other);
    if (!expected.equals(found)) {
      SortedMap<String, String> missing = new TreeMap<>(expected);
      missing.entrySet().removeAll(found.entrySet());
      found.entrySet().removeAll(expected.entrySet());
      throw new IllegalArgumentException(
          other.file()
              + " does not fit "
              + pattern.file()
              + ": missing "
              + missing
              + ", instead "
              + found);
    }
  }

  private static SortedMap<String, String> shapes(SafetensorsFile file) {
    SortedMap<String, String> shapes = new TreeMap<>();
    file.tensors().values().forEach(info -> shapes.put(info.name(), info.shape().toString()));
    return shapes;
  }

  private static double finite(ToDoubleFunction<String> alphas, String weight) {
    double alpha = alphas.applyAsDouble(weight);
    requireFinite(alpha);
    return alpha;
  }

  private static void requireFinite(double alpha) {
    if (!Double.isFinite(alpha)) {
      throw new IllegalArgumentException("alpha must be a finite number, not " + alpha);
    }
  }

  /** Which tokens are which; none where they are as they were, or nothing tells. */
  private static @Nullable TokenMap tokens(Path oldBase, Path newBase) {
    if (!Files.exists(oldBase.resolve("tokenizer.json"))
        || !Files.exists(newBase.resolve("tokenizer.json"))) {
      return null;
    }
    TokenMap tokens = TokenMap.between(oldBase, newBase);
    if (!tokens.sameTokens()) {
      throw new IllegalArgumentException(
          "the two bases have other tokens: of "
              + tokens.oldSize()
              + " in the old vocabulary and "
              + tokens.newSize()
              + " in the new one, "
              + tokens.common()
              + " are the same; their embeddings cannot be subtracted");
    }
    return tokens.isIdentity() ? null : tokens;
  }

  private static ByteBuffer combined(
      TensorInfo info,
      SafetensorsFile base,
      SafetensorsFile before,
      SafetensorsFile after,
      double alpha,
      @Nullable TokenMap tokens) {
    boolean byToken =
        tokens != null
            && (info.name().equals(DecoderConfig.EMBEDDING)
                || info.name().equals(DecoderConfig.HEAD));
    int width = byToken ? Math.toIntExact(info.shape().get(1)) : 1;
    ByteBuffer result = allocate(info);
    ByteBuffer baseBytes = base.bytes(info.name());
    ByteBuffer beforeBytes = before.bytes(info.name());
    ByteBuffer afterBytes = after.bytes(info.name());
    DType beforeType = type(before, info.name());
    DType afterType = type(after, info.name());
    int count = Math.toIntExact(info.elements());
    for (int i = 0; i < count; i++) {
      int from = i;
      if (byToken && tokens != null) {
        int row = tokens.source(i / width);
        from = row < 0 ? i : row * width + i % width; // rows behind all tokens stay
      }
      double change =
          Floats.get(afterBytes, afterType, from) - Floats.get(beforeBytes, beforeType, from);
      double sum = Floats.get(baseBytes, info.dtype(), i) + alpha * change;
      Floats.put(result, info.dtype(), i, sum);
    }
    return result;
  }

  private static DType type(SafetensorsFile file, String name) {
    return java.util.Objects.requireNonNull(file.tensors().get(name)).dtype();
  }

  private static ByteBuffer allocate(TensorInfo info) {
    return ByteBuffer.allocate(Math.toIntExact(info.size())).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void copy(Path from, Path to, String name) throws IOException {
    if (Files.exists(from.resolve(name))) {
      Files.copy(from.resolve(name), to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
