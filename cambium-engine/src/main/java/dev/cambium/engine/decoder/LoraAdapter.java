package dev.cambium.engine.decoder;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.backend.Backend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * A low-rank adapter of a decoder: every target matrix W acts as W + scale · B·A. Read and written
 * in the PEFT layout. Belongs to a configuration, not to one decoder: several decoders of one shape
 * may share it. Native memory: close it.
 */
public final class LoraAdapter implements AutoCloseable {

  /** Projections that share an input, in the order of the fused matrix. */
  private enum Group {
    QKV("self_attn.", "q_proj", "k_proj", "v_proj"),
    O("self_attn.", "o_proj"),
    GATE_UP("mlp.", "gate_proj", "up_proj"),
    DOWN("mlp.", "down_proj");

    final String prefix;
    final List<String> members;

    Group(String prefix, String... members) {
      this.prefix = prefix;
      this.members = List.of(members);
    }
  }

  /** One adapted matrix within its group. */
  private record Part(String member, long rowStart, long rows, @Nullable Leaf up) {}

  /** The adapted members of a group in one layer; {@code down} stacks their A matrices. */
  private record Site(@Nullable Leaf down, List<Part> parts) {}

  private final DecoderConfig base;
  private final LoraConfig config;
  private final FlatWeights flat;
  private final Map<String, ParameterLayout.Slot> slots = new LinkedHashMap<>();
  private final List<Map<Group, Site>> layers = new ArrayList<>();
  private final List<Leaf> leaves = new ArrayList<>();

  private LoraAdapter(DecoderConfig base, LoraConfig config) {
    Backend.instance();
    this.base = base;
    this.config = config;
    long size = 0;
    for (int l = 0; l < base.layers(); l++) {
      for (Group group : Group.values()) {
        for (String half : List.of("A", "B")) {
          for (String member : group.members) {
            if (config.targets().contains(member)) {
              long[] shape = half.equals("A") ? downShape(member) : upShape(member);
              String name = key(l, group, member, half);
              slots.put(name, new ParameterLayout.Slot(name, size, List.of(shape[0], shape[1])));
              size += shape[0] * shape[1];
            }
          }
        }
      }
    }
    this.flat = new FlatWeights(size);
    for (int l = 0; l < base.layers(); l++) {
      Map<Group, Site> sites = new LinkedHashMap<>();
      for (Group group : Group.values()) {
        sites.put(group, site(l, group));
      }
      layers.add(sites);
    }
  }

  private Site site(int layer, Group group) {
    List<String> adapted = group.members.stream().filter(config.targets()::contains).toList();
    List<Part> parts = new ArrayList<>();
    long row = 0;
    for (String member : group.members) {
      Leaf up = null;
      if (adapted.contains(member)) {
        var slot = slot(key(layer, group, member, "B"));
        up = Leaf.of(flat, slot.offset(), slot.shape().get(0), slot.shape().get(1));
        leaves.add(up);
      }
      parts.add(new Part(member, row, upShape(member)[0], up));
      row += upShape(member)[0];
    }
    Leaf down = null;
    if (!adapted.isEmpty()) {
      var first = slot(key(layer, group, adapted.get(0), "A"));
      down =
          Leaf.of(
              flat, first.offset(), first.shape().get(0) * adapted.size(), first.shape().get(1));
      leaves.add(down);
    }
    return new Site(down, parts);
  }

  private ParameterLayout.Slot slot(String name) {
    ParameterLayout.Slot slot = slots.get(name);
    if (slot == null) {
      throw new IllegalArgumentException("no weight '" + name + "' in this adapter");
    }
    return slot;
  }

  private static String key(int layer, Group group, String member, String half) {
    return "base_model.model."
        + ParameterLayout.layer(layer, group.prefix + member + ".lora_" + half + ".weight");
  }

  private long[] downShape(String member) {
    long in =
        switch (member) {
          case "o_proj" -> (long) base.heads() * base.headDim();
          case "down_proj" -> base.intermediateSize();
          default -> base.hiddenSize();
        };
    return new long[] {config.rank(), in};
  }

  private long[] upShape(String member) {
    long out =
        switch (member) {
          case "q_proj" -> (long) base.heads() * base.headDim();
          case "k_proj", "v_proj" -> (long) base.keyValueHeads() * base.headDim();
          case "gate_proj", "up_proj" -> base.intermediateSize();
          default -> base.hiddenSize();
        };
    return new long[] {out, config.rank()};
  }

  /**
   * A fresh adapter that changes nothing yet: A uniform within ±1/√inputs (Kaiming's bound with
   * PEFT's slope √5), B zero.
   */
  public static LoraAdapter random(DecoderConfig base, LoraConfig config, long seed) {
    LoraAdapter adapter = new LoraAdapter(base, config);
    adapter.slots.forEach(
        (name, slot) -> {
          if (name.endsWith(".lora_A.weight")) {
            float[] values = new float[Math.toIntExact(slot.size())];
            SplitMix64.named(seed, name)
                .fillUniform(values, 1 / StrictMath.sqrt(slot.shape().get(1)));
            adapter.flat.write(slot.offset(), values);
          }
        });
    return adapter;
  }

  /**
   * Reads a PEFT directory.
   *
   * @throws IllegalArgumentException if its keys or shapes are not exactly those of its own config
   *     on this base
   */
  public static LoraAdapter load(Path directory, DecoderConfig base) {
    LoraAdapter adapter = new LoraAdapter(base, LoraConfig.read(directory));
    try {
      HuggingFaceFiles.readInto(
          List.of(directory.resolve("adapter_model.safetensors")), adapter.slots, adapter.flat);
    } catch (RuntimeException e) {
      adapter.close();
      throw e;
    }
    return adapter;
  }

  /** Writes a PEFT directory: {@code adapter_config.json}, {@code adapter_model.safetensors}. */
  public void save(Path directory, Precision precision) {
    HuggingFaceFiles.write(
        directory,
        "adapter_model.safetensors",
        slots,
        flat,
        precision,
        "adapter_config.json",
        config.toJson());
  }

  /** The configuration of the base it fits. */
  public DecoderConfig base() {
    return base;
  }

  /** Its shape. */
  public LoraConfig config() {
    return config;
  }

  /** Number of weights. */
  public long parameters() {
    return flat.size();
  }

  /** Shapes of all weights by their PEFT key. */
  public SortedMap<String, List<Long>> shapes() {
    SortedMap<String, List<Long>> shapes = new TreeMap<>();
    slots.forEach((name, slot) -> shapes.put(name, slot.shape()));
    return shapes;
  }

  /** A copy of a weight, row-major. */
  public float[] read(String name) {
    ParameterLayout.Slot slot = slot(name);
    return flat.read(slot.offset(), Math.toIntExact(slot.size()));
  }

  /** Overwrites a weight, row-major. */
  public void write(String name, float[] values) {
    ParameterLayout.Slot slot = slot(name);
    Decoder.requireSize(name, slot.size(), values.length);
    flat.write(slot.offset(), values);
  }

  /** A copy with memory of its own. */
  public LoraAdapter copy() {
    LoraAdapter copy = new LoraAdapter(base, config);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      copy.flat.buffer().copy_(flat.buffer());
    }
    return copy;
  }

  FlatWeights flat() {
    return flat;
  }

  List<Leaf> leaves() {
    return leaves;
  }

  Map<String, ParameterLayout.Slot> slots() {
    return slots;
  }

  Tensor qkv(int layer, Tensor input, Tensor output) {
    return apply(layer, Group.QKV, input, output);
  }

  Tensor attentionOut(int layer, Tensor input, Tensor output) {
    return apply(layer, Group.O, input, output);
  }

  Tensor gateUp(int layer, Tensor input, Tensor output) {
    return apply(layer, Group.GATE_UP, input, output);
  }

  Tensor down(int layer, Tensor input, Tensor output) {
    return apply(layer, Group.DOWN, input, output);
  }

  private Tensor apply(int layer, Group group, Tensor input, Tensor output) {
    Site site = layers.get(layer).get(group);
    if (site == null || site.down == null) {
      return output;
    }
    // In the precision of the products around it.
    ScalarType precision = input.scalar_type();
    Tensor low = torch.linear(input, site.down.tensor().to(precision));
    Scalar one = new Scalar(1.0);
    Scalar scale = new Scalar(config.scale());
    TensorVector columns = new TensorVector();
    long used = 0;
    for (Part part : site.parts) {
      Tensor column = site.parts.size() == 1 ? output : output.narrow(1, part.rowStart, part.rows);
      if (part.up != null) {
        Tensor share = low.narrow(1, used, config.rank());
        column = torch.addmm(column, share, part.up.tensor().to(precision).t(), one, scale);
        used += config.rank();
      }
      columns.push_back(column);
    }
    return columns.size() == 1 ? columns.get(0) : torch.cat(columns, 1);
  }

  /** The dense update scale · B·A of every target, by the base's weight name. */
  Map<String, Tensor> updates() {
    Map<String, Tensor> updates = new LinkedHashMap<>();
    Scalar scale = new Scalar(config.scale());
    slots.forEach(
        (name, slot) -> {
          if (name.endsWith(".lora_A.weight")) {
            ParameterLayout.Slot up = slot(name.replace(".lora_A.", ".lora_B."));
            Tensor a = flat.view(slot.offset(), slot.shape().get(0), slot.shape().get(1));
            Tensor b = flat.view(up.offset(), up.shape().get(0), up.shape().get(1));
            String weight =
                name.substring("base_model.model.".length()).replace(".lora_A.weight", ".weight");
            updates.put(weight, b.mm(a).mul(scale));
          }
        });
    return updates;
  }

  @Override
  public void close() {
    leaves.forEach(Leaf::close);
    flat.close();
  }
}
