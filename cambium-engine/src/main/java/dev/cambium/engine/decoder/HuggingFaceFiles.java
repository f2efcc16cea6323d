package dev.cambium.engine.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.artifact.DurableFile;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.SafetensorsWriter;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.backend.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** Weights in and out of safetensors files, with exact two-way coverage of names and shapes. */
final class HuggingFaceFiles {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private HuggingFaceFiles() {}

  /** The weight files of a model directory: one, or the shards that its index names. */
  static List<Path> weightFiles(Path directory) {
    Path single = directory.resolve("model.safetensors");
    if (Files.exists(single)) {
      return List.of(single);
    }
    Path index = directory.resolve("model.safetensors.index.json");
    if (!Files.exists(index)) {
      throw new IllegalArgumentException(
          directory + ": neither model.safetensors nor model.safetensors.index.json");
    }
    JsonNode map;
    try {
      map = JSON.readTree(index.toFile()).path("weight_map");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + index, e);
    }
    SortedSet<String> names = new TreeSet<>();
    map.forEach(file -> names.add(file.asText()));
    List<Path> files = new ArrayList<>();
    for (String name : names) {
      if (name.contains("/") || name.contains("\\") || !name.endsWith(".safetensors")) {
        throw new IllegalArgumentException(index + ": not a file beside it: '" + name + "'");
      }
      Path file = directory.resolve(name);
      if (!Files.isRegularFile(file)) {
        throw new IllegalArgumentException(
            index
                + ": weight_map: found the name "
                + name
                + "; expected a file beside the index, but there is none. Download the missing"
                + " shard.");
      }
      files.add(file);
    }
    if (files.isEmpty()) {
      throw new IllegalArgumentException(index + ": weight_map is empty");
    }
    return files;
  }

  /**
   * Reads every slot from the files, converting to fp32.
   *
   * @throws IllegalArgumentException if a name is missing, unexpected or found twice, or a shape or
   *     type is another
   */
  static void readInto(
      List<Path> files, Map<String, ParameterLayout.Slot> slots, FlatWeights target) {
    SortedSet<String> missing = new TreeSet<>(slots.keySet());
    SortedSet<String> unexpected = new TreeSet<>();
    for (Path file : files) {
      try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
        for (TensorInfo info : tensors.tensors().values()) {
          // Old exports hold the rotary frequencies, which the config determines.
          if (info.name().endsWith(".rotary_emb.inv_freq")) {
            continue;
          }
          ParameterLayout.Slot slot = slots.get(info.name());
          if (slot == null) {
            unexpected.add(info.name());
          } else if (!missing.remove(info.name())) {
            throw new IllegalArgumentException(file + ": " + info.name() + " is there twice");
          } else {
            readSlot(file, tensors, info, slot, target);
          }
        }
        // A tied head is sometimes stored all the same; it must then be the embedding.
        if (unexpected.remove(ParameterLayout.HEAD)) {
          requireTied(file, tensors);
        }
      }
    }
    if (!missing.isEmpty() || !unexpected.isEmpty()) {
      throw new IllegalArgumentException(
          files.get(0).getParent()
              + ": weights do not fit the config; missing "
              + some(missing)
              + ", unexpected "
              + some(unexpected));
    }
  }

  private static void requireTied(Path file, SafetensorsFile tensors) {
    if (!tensors.tensors().containsKey(ParameterLayout.EMBEDDING)
        || !tensors.bytes(ParameterLayout.HEAD).equals(tensors.bytes(ParameterLayout.EMBEDDING))) {
      throw new IllegalArgumentException(
          file
              + ": the config ties lm_head.weight to the embedding, but the file holds another"
              + " lm_head.weight; set tie_word_embeddings to false");
    }
  }

  private static String some(SortedSet<String> names) {
    List<String> first = names.stream().limit(5).toList();
    return names.size() + (names.isEmpty() ? "" : " " + first + (names.size() > 5 ? " …" : ""));
  }

  private static void readSlot(
      Path file,
      SafetensorsFile tensors,
      TensorInfo info,
      ParameterLayout.Slot slot,
      FlatWeights target) {
    if (!info.shape().equals(slot.shape())) {
      throw new IllegalArgumentException(
          file
              + ": "
              + info.name()
              + " has shape "
              + info.shape()
              + "; the config says "
              + slot.shape());
    }
    Precision precision = precision(file, info);
    ByteBuffer bytes = tensors.bytes(info.name()).order(ByteOrder.LITTLE_ENDIAN);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor stored =
          torch.from_blob(
              new BytePointer(direct(bytes)),
              new long[] {slot.size()},
              new TensorOptions(precision.scalarType()));
      Tensor weights = target.view(slot.offset(), slot.size());
      weights.copy_(stored);
      requireFinite(file, info.name(), weights);
    }
  }

  /** One pass while the weights are still in the cache; only a bad sum is looked into. */
  private static void requireFinite(Path file, String name, Tensor weights) {
    if (Float.isFinite(weights.sum().item_float())) {
      return;
    }
    long bad = weights.numel() - weights.isfinite().sum().item_long();
    if (bad > 0) {
      throw new IllegalArgumentException(
          file
              + ": "
              + name
              + ": found "
              + bad
              + " values that are NaN or infinite; expected finite weights. The run that wrote them"
              + " diverged; use an earlier state.");
    }
  }

  private static ByteBuffer direct(ByteBuffer bytes) {
    if (bytes.isDirect()) {
      return bytes.slice();
    }
    ByteBuffer copy = ByteBuffer.allocateDirect(bytes.remaining()).put(bytes.duplicate());
    return copy.flip();
  }

  private static Precision precision(Path file, TensorInfo info) {
    for (Precision precision : Precision.values()) {
      if (precision.dtype() == info.dtype()) {
        return precision;
      }
    }
    throw new IllegalArgumentException(
        file + ": " + info.name() + " is " + info.dtype() + "; supported: F32, BF16, F16");
  }

  /** Writes a config and all slots; the directory is made if it is not there. */
  static void write(
      Path directory,
      String weights,
      Map<String, ParameterLayout.Slot> slots,
      FlatWeights source,
      Precision precision,
      String configName,
      String config) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Files.createDirectories(directory);
      Tensor all = Backend.instance().toHost(source.buffer().to(precision.scalarType()));
      long width = precision.dtype().bytes();
      SortedMap<String, SafetensorsWriter.Tensor> tensors = new TreeMap<>();
      slots.forEach(
          (name, slot) -> {
            ByteBuffer bytes =
                new BytePointer(all.data_ptr())
                    .position(slot.offset() * width)
                    .limit(slot.end() * width)
                    .asByteBuffer()
                    .order(ByteOrder.LITTLE_ENDIAN);
            tensors.put(name, new SafetensorsWriter.Tensor(precision.dtype(), slot.shape(), bytes));
          });
      SafetensorsWriter.write(directory.resolve(weights), tensors, Map.of("format", "pt"));
      ByteBuffer text = ByteBuffer.wrap(config.getBytes(StandardCharsets.UTF_8));
      DurableFile.write(
          directory.resolve(configName),
          channel -> {
            while (text.hasRemaining()) {
              channel.write(text);
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + directory, e);
    }
  }
}
