package dev.cambium.engine.decoder;

import dev.cambium.artifact.huggingface.AdapterDirectory;
import dev.cambium.artifact.huggingface.AdapterKeys;
import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.TensorInfo;
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
 * A low-rank adapter of a decoder: every target matrix W acts as W + scale · B·A, with DoRA scaled
 * row by row to lengths of its own; embedding, head and norms may be stored whole and take the
 * place of the base's. Read and written in the PEFT layout. Belongs to a configuration, not to one
 * decoder: several decoders of one shape may share it. Native memory: close it.
 */
public final class LoraAdapter implements AutoCloseable {

  /** Projections that share an input, in the order of the fused matrix. */
  enum Group {
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

    /** The whole names of its modules in a layer. */
    List<String> modules(int layer) {
      return members.stream().map(member -> module(layer, member)).toList();
    }

    private String module(int layer, String member) {
      return ParameterLayout.layer(layer, prefix + member);
    }
  }

  /**
   * One matrix within its group.
   *
   * @param downStart its rows in the group's stacked A
   */
  private record Part(
      long rowStart,
      long rows,
      LoraConfig.@Nullable Target target,
      long downStart,
      @Nullable Leaf up,
      @Nullable Leaf magnitude) {}

  /** The members of a group in one layer; {@code down} stacks their A matrices. */
  private record Site(@Nullable Leaf down, List<Part> parts) {}

  private final DecoderConfig base;
  private final LoraConfig config;
  private final LoraConfig.Plan plan;
  private final FlatWeights flat;
  private final Map<String, ParameterLayout.Slot> slots = new LinkedHashMap<>();
  private final List<Map<Group, Site>> layers = new ArrayList<>();
  private final Map<String, Leaf> whole = new LinkedHashMap<>();
  private final List<Leaf> leaves = new ArrayList<>();
  private final List<Leaf> frozen = new ArrayList<>();
  private final long matrixEnd;
  private long size;
  private long revision;
  private boolean learning;

  /**
   * Lays an adapter out.
   *
   * @param stored rows of the embedding and the head as they are stored with the adapter, by the
   *     names of their weights; where a configuration asks for them, the base's rows are the rule
   */
  private LoraAdapter(DecoderConfig base, LoraConfig config, Map<String, Long> stored) {
    Backend.instance();
    this.base = base;
    this.config = config;
    this.plan = config.plan(new ParameterLayout(base).slots().keySet());
    if (!plan.unsupported().isEmpty()) {
      throw new IllegalArgumentException(
          "the adapter's configuration asks for modules that cannot be adapted so: "
              + plan.unsupported());
    }
    if (plan.targets().isEmpty()) {
      throw new IllegalArgumentException(
          "the adapter's configuration matches no module of its base: " + config.targets());
    }
    for (int l = 0; l < base.layers(); l++) {
      for (Group group : Group.values()) {
        for (String half : List.of("A", "B")) {
          for (String member : group.members) {
            LoraConfig.Target target = plan.targets().get(group.module(l, member));
            if (target != null) {
              String name = key(group.module(l, member), ".lora_" + half + ".weight");
              if (half.equals("A")) {
                add(name, target.rank(), inputs(member));
              } else {
                add(name, outputs(member), target.rank());
              }
            }
          }
        }
      }
    }
    Map<String, ParameterLayout.Slot> ofBase = new ParameterLayout(base).slots();
    for (String weight : List.of(ParameterLayout.EMBEDDING, ParameterLayout.HEAD)) {
      if (isSaved(weight)) {
        add(key(weight, ""), stored.getOrDefault(weight, (long) base.vocabularySize()), hidden());
      }
    }
    this.matrixEnd = size;
    if (config.dora()) {
      plan.targets()
          .keySet()
          .forEach(m -> add(key(m, MAGNITUDE), outputs(m.substring(m.lastIndexOf('.') + 1))));
    }
    for (String module : plan.saved()) {
      String weight = module + ".weight";
      ParameterLayout.Slot slot = ofBase.get(weight);
      if (slot != null && !slot.isMatrix()) {
        add(key(weight, ""), slot.size());
      }
    }
    // Behind all that weight decay and training move.
    for (String weight : List.of(ParameterLayout.EMBEDDING, ParameterLayout.HEAD)) {
      if (!isSaved(weight) && stored.containsKey(weight)) {
        add(key(weight, ""), stored.getOrDefault(weight, 0L), hidden());
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
    slots.forEach(
        (name, slot) -> {
          String weight = name.substring(AdapterKeys.PREFIX.length());
          if (ofBase.containsKey(weight) || weight.equals(ParameterLayout.HEAD)) {
            Leaf leaf = leaf(slot);
            whole.put(weight, leaf);
            (isSaved(weight) ? leaves : frozen).add(leaf);
          }
        });
  }

  private static final String MAGNITUDE = ".lora_magnitude_vector";

  private boolean isSaved(String weight) {
    return plan.saved().contains(weight.substring(0, weight.length() - ".weight".length()));
  }

  private long hidden() {
    return base.hiddenSize();
  }

  private void add(String name, long... shape) {
    List<Long> dimensions = new ArrayList<>();
    for (long dimension : shape) {
      dimensions.add(dimension);
    }
    ParameterLayout.Slot slot = new ParameterLayout.Slot(name, size, dimensions);
    slots.put(name, slot);
    size = slot.end();
  }

  private Leaf leaf(ParameterLayout.Slot slot) {
    return Leaf.of(flat, slot.offset(), slot.shape().stream().mapToLong(Long::longValue).toArray());
  }

  private Site site(int layer, Group group) {
    List<Part> parts = new ArrayList<>();
    long row = 0;
    long rank = 0;
    ParameterLayout.@Nullable Slot first = null;
    for (String member : group.members) {
      String module = group.module(layer, member);
      LoraConfig.Target target = plan.targets().get(module);
      Leaf up = null;
      Leaf magnitude = null;
      if (target != null) {
        up = leaf(slot(key(module, ".lora_B.weight")));
        leaves.add(up);
        if (config.dora()) {
          magnitude = leaf(slot(key(module, MAGNITUDE)));
          leaves.add(magnitude);
        }
        first = first == null ? slot(key(module, ".lora_A.weight")) : first;
      }
      parts.add(new Part(row, outputs(member), target, rank, up, magnitude));
      row += outputs(member);
      rank += target == null ? 0 : target.rank();
    }
    Leaf down = null;
    if (first != null) {
      down = Leaf.of(flat, first.offset(), rank, first.shape().get(1));
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

  private static String key(String module, String rest) {
    return AdapterKeys.PREFIX + module + rest;
  }

  private long inputs(String member) {
    return switch (member) {
      case "o_proj" -> (long) base.heads() * base.headDim();
      case "down_proj" -> base.intermediateSize();
      default -> base.hiddenSize();
    };
  }

  private long outputs(String member) {
    return switch (member) {
      case "q_proj" -> (long) base.heads() * base.headDim();
      case "k_proj", "v_proj" -> (long) base.keyValueHeads() * base.headDim();
      case "gate_proj", "up_proj" -> base.intermediateSize();
      default -> base.hiddenSize();
    };
  }

  /**
   * A fresh adapter that changes nothing yet: A uniform within ±1/√inputs (Kaiming's bound with
   * PEFT's slope √5), B zero.
   *
   * @throws IllegalArgumentException if it is to begin from the base's weights; see {@link #fresh}
   */
  public static LoraAdapter random(DecoderConfig base, LoraConfig config, long seed) {
    LoraAdapter adapter = new LoraAdapter(base, config, Map.of());
    if (config.dora() || !adapter.whole.isEmpty()) {
      adapter.close();
      throw new IllegalArgumentException(
          "an adapter with magnitudes or stored modules begins from the weights of its base");
    }
    adapter.draw(seed);
    return adapter;
  }

  /**
   * A fresh adapter that changes nothing yet: A and B as in {@link #random}, lengths of rows and
   * modules stored whole as in the base.
   */
  public static LoraAdapter fresh(Decoder base, LoraConfig config, long seed) {
    LoraAdapter adapter = new LoraAdapter(base.config(), config, Map.of());
    adapter.draw(seed);
    adapter
        .whole
        .keySet()
        .forEach(
            weight ->
                adapter.write(
                    key(weight, ""),
                    base.read(
                        base.shapes().containsKey(weight) ? weight : ParameterLayout.EMBEDDING)));
    if (config.dora()) {
      adapter
          .plan
          .targets()
          .keySet()
          .forEach(m -> adapter.write(key(m, MAGNITUDE), base.rowLengths(m + ".weight")));
    }
    return adapter;
  }

  private void draw(long seed) {
    slots.forEach(
        (name, slot) -> {
          if (name.endsWith(".lora_A.weight")) {
            float[] values = new float[Math.toIntExact(slot.size())];
            SplitMix64.named(seed, name)
                .fillUniform(values, 1 / StrictMath.sqrt(slot.shape().get(1)));
            flat.write(slot.offset(), values);
          }
        });
  }

  /**
   * Reads a PEFT directory.
   *
   * @throws IllegalArgumentException if its keys or shapes are not exactly those of its own config
   *     on this base
   */
  public static LoraAdapter load(Path directory, DecoderConfig base) {
    LoraConfig config = LoraConfig.read(directory);
    Path file = directory.resolve(AdapterDirectory.WEIGHTS);
    Map<String, String> spelled;
    Map<String, Long> stored = new TreeMap<>();
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      spelled = AdapterKeys.canonical(tensors.tensors().keySet());
      for (String weight : List.of(ParameterLayout.EMBEDDING, ParameterLayout.HEAD)) {
        for (TensorInfo info : tensors.tensors().values()) {
          if (key(weight, "").equals(spelled.get(info.name())) && info.shape().size() == 2) {
            stored.put(weight, info.shape().get(0));
          }
        }
      }
    }
    LoraAdapter adapter = new LoraAdapter(base, config, stored);
    try {
      adapter.requireOneVocabulary(file);
      Map<String, ParameterLayout.Slot> found = new LinkedHashMap<>(adapter.slots);
      spelled.forEach(
          (name, peft) -> {
            ParameterLayout.Slot slot = found.remove(peft);
            if (slot != null) {
              found.put(name, slot);
            }
          });
      HuggingFaceFiles.readInto(List.of(file), found, adapter.flat);
    } catch (RuntimeException e) {
      adapter.close();
      throw e;
    }
    return adapter;
  }

  private void requireOneVocabulary(Path file) {
    int embedding = rows(ParameterLayout.EMBEDDING, base.vocabularySize());
    int head = rows(ParameterLayout.HEAD, sharesHead() ? embedding : base.vocabularySize());
    if (embedding != head) {
      throw new IllegalArgumentException(
          file + ": an embedding of " + embedding + " rows and a head of " + head);
    }
  }

  private int rows(String weight, int otherwise) {
    Leaf leaf = whole.get(weight);
    return leaf == null ? otherwise : Math.toIntExact(leaf.shape()[0]);
  }

  /** Writes a PEFT directory: {@code adapter_config.json}, {@code adapter_model.safetensors}. */
  public void save(Path directory, Precision precision) {
    HuggingFaceFiles.write(
        directory,
        AdapterDirectory.WEIGHTS,
        slots,
        flat,
        precision,
        "adapter_config.json",
        config.toJson());
  }

  /**
   * Two adapters as one whose update is the sum of theirs: the ranks add up, the scale is 1.
   *
   * @throws IllegalArgumentException if they differ in what they adapt, or one is more than plain
   *     low-rank updates of one rank
   */
  public static LoraAdapter stack(LoraAdapter first, LoraAdapter second) {
    for (LoraAdapter each : List.of(first, second)) {
      LoraConfig config = each.config;
      if (config.dora()
          || !config.savedModules().isEmpty()
          || !config.rankPattern().isEmpty()
          || !config.alphaPattern().isEmpty()) {
        throw new IllegalArgumentException(
            "only plain adapters of one rank can be laid on one another, without DoRA, modules"
                + " stored whole or patterns: "
                + config);
      }
    }
    if (!first.plan.targets().keySet().equals(second.plan.targets().keySet())) {
      throw new IllegalArgumentException(
          "adapters on different targets cannot be one: "
              + first.config.targets()
              + " and "
              + second.config.targets());
    }
    int one = first.config.rank();
    int two = second.config.rank();
    double firstScale = first.plan.targets().values().iterator().next().scale();
    double secondScale = second.plan.targets().values().iterator().next().scale();
    LoraConfig like = first.config;
    LoraAdapter stacked =
        new LoraAdapter(
            first.base,
            new LoraConfig(
                one + two,
                one + two,
                false,
                false,
                like.targets(),
                like.excluded(),
                like.layers(),
                like.layersPattern(),
                Map.of(),
                Map.of(),
                List.of(),
                like.baseModel()),
            Map.of());
    stacked.slots.forEach(
        (name, slot) -> {
          float[] a = first.read(name);
          float[] b = second.read(name);
          float[] both = new float[a.length + b.length];
          if (name.endsWith(".lora_A.weight")) { // rank × inputs: one below the other
            System.arraycopy(a, 0, both, 0, a.length);
            System.arraycopy(b, 0, both, a.length, b.length);
          } else { // outputs × rank: side by side
            for (int i = 0; i < slot.shape().get(0); i++) {
              for (int r = 0; r < one; r++) {
                both[i * (one + two) + r] = (float) (firstScale * a[i * one + r]);
              }
              for (int r = 0; r < two; r++) {
                both[i * (one + two) + one + r] = (float) (secondScale * b[i * two + r]);
              }
            }
          }
          stacked.write(name, both);
        });
    return stacked;
  }

  /** The configuration of the base it fits. */
  public DecoderConfig base() {
    return base;
  }

  /** Its shape. */
  public LoraConfig config() {
    return config;
  }

  /** Whether another configuration comes to the same modules, ranks and scales on its base. */
  public boolean isShapedAs(LoraConfig other) {
    LoraConfig.Plan theirs = other.plan(new ParameterLayout(base).slots().keySet());
    return config.dora() == other.dora()
        && plan.targets().equals(theirs.targets())
        && plan.saved().equals(theirs.saved());
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
    revision++;
  }

  /** A copy with memory of its own. */
  public LoraAdapter copy() {
    Map<String, Long> stored = new TreeMap<>();
    whole.forEach((weight, leaf) -> stored.put(weight, leaf.shape()[0]));
    LoraAdapter copy = new LoraAdapter(base, config, stored);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      copy.flat.buffer().copy_(flat.buffer());
    }
    return copy;
  }

  FlatWeights flat() {
    return flat;
  }

  /** Those that training moves. */
  List<Leaf> leaves() {
    return leaves;
  }

  /** The weights before this one are matrices that training moves. */
  long matrixEnd() {
    return matrixEnd;
  }

  Map<String, ParameterLayout.Slot> slots() {
    return slots;
  }

  /** What takes the place of a weight of the base; null if nothing does. */
  @Nullable Leaf replacement(String weight) {
    Leaf own = whole.get(weight);
    return own == null && weight.equals(ParameterLayout.HEAD) && sharesHead()
        ? whole.get(ParameterLayout.EMBEDDING)
        : own;
  }

  /**
   * Whether a tied head goes with the embedding that is stored. In PEFT a module of {@code
   * modules_to_save} is no longer tied to anything, a resized embedding still is.
   */
  private boolean sharesHead() {
    return base.tiedEmbeddings()
        && !isSaved(ParameterLayout.EMBEDDING)
        && !whole.containsKey(ParameterLayout.HEAD);
  }

  /** Whether weights of the base are replaced, not only updated. */
  boolean replaces() {
    return !whole.isEmpty();
  }

  /** Whether head and embedding, equal on the base, are two weights with this adapter. */
  boolean unties() {
    boolean embedding = whole.containsKey(ParameterLayout.EMBEDDING);
    boolean head = whole.containsKey(ParameterLayout.HEAD);
    return base.tiedEmbeddings()
        && (embedding || head)
        && !sharesHead()
        && !(embedding
            && head
            && java.util.Arrays.equals(
                read(key(ParameterLayout.EMBEDDING, "")), read(key(ParameterLayout.HEAD, ""))));
  }

  /** Tokens, where the adapter brings an embedding; the base's otherwise. */
  int vocabularySize() {
    return rows(ParameterLayout.EMBEDDING, rows(ParameterLayout.HEAD, base.vocabularySize()));
  }

  /** Changes with every {@link #write}. */
  long revision() {
    return revision;
  }

  /** Whether training moves it, so that nothing that follows from it may be kept. */
  boolean learning() {
    return learning;
  }

  void learning(boolean on) {
    learning = on;
  }

  /**
   * The output of a group of projections, with the update.
   *
   * @param input tokens × inputs
   * @param output of the base: tokens × outputs of the whole group
   * @param lengths of the rows of W + scale · B·A, for DoRA; see {@link #lengths}
   * @param bias of the base, part of {@code output}
   */
  Tensor apply(
      int layer,
      Group group,
      Tensor input,
      Tensor output,
      @Nullable Tensor lengths,
      @Nullable Leaf bias) {
    Site site = site(group, layer);
    if (site.down == null) {
      return output;
    }
    // In the precision of the products around it.
    ScalarType precision = input.scalar_type();
    Tensor low = torch.linear(input, site.down.tensor().to(precision));
    Scalar one = new Scalar(1.0);
    TensorVector columns = new TensorVector();
    for (Part part : site.parts) {
      Tensor column = site.parts.size() == 1 ? output : output.narrow(1, part.rowStart, part.rows);
      if (part.target != null && part.up != null) {
        Tensor share = low.narrow(1, part.downStart, part.target.rank());
        Tensor up = part.up.tensor().to(precision).t();
        column = torch.addmm(column, share, up, one, new Scalar(part.target.scale()));
        if (part.magnitude != null && lengths != null) {
          // The bias is added after the scaling: m/|W| · (y − b) + b.
          Tensor gain = part.magnitude.tensor().div(lengths.narrow(0, part.rowStart, part.rows));
          column = column.mul(gain.to(precision));
          if (bias != null) {
            Tensor share1 = bias.tensor().narrow(0, part.rowStart, part.rows);
            column = column.add(share1.sub(share1.mul(gain)).to(precision));
          }
        }
      }
      columns.push_back(column);
    }
    return columns.size() == 1 ? columns.get(0) : torch.cat(columns, 1);
  }

  private Site site(Group group, int layer) {
    return java.util.Objects.requireNonNull(layers.get(layer).get(group));
  }

  /**
   * The lengths of the rows of W + scale · B·A; null where there is nothing to scale. They count as
   * constants: no gradient flows through them (Liu et al., 2024, section 4.3).
   *
   * @param weight of the whole group
   */
  @Nullable Tensor lengths(int layer, Group group, Tensor weight) {
    Site site = site(group, layer);
    if (!config.dora() || site.down == null) {
      return null;
    }
    try (NoGradGuard guard = new NoGradGuard()) {
      TensorVector lengths = new TensorVector();
      for (Part part : site.parts) {
        lengths.push_back(
            changed(site, part, weight.narrow(0, part.rowStart, part.rows))
                .norm(
                    new org.bytedeco.pytorch.ScalarOptional(new Scalar(2.0)),
                    new long[] {1},
                    false));
      }
      return torch.cat(lengths, 0).detach();
    }
  }

  /** W + scale · B·A, in the precision of W. */
  private static Tensor changed(Site site, Part part, Tensor weight) {
    if (part.target == null || part.up == null || site.down == null) {
      return weight;
    }
    ScalarType precision = weight.scalar_type();
    Tensor down = site.down.tensor().narrow(0, part.downStart, part.target.rank()).to(precision);
    return torch.addmm(
        weight,
        part.up.tensor().to(precision),
        down,
        new Scalar(1.0),
        new Scalar(part.target.scale()));
  }

  /** What every target's matrix becomes, given as it is, by the base's weight name. */
  void merge(int layer, Group group, java.util.function.Function<String, Tensor> weights) {
    Site site = site(group, layer);
    for (int i = 0; i < site.parts.size(); i++) {
      Part part = site.parts.get(i);
      if (part.target == null) {
        continue;
      }
      Tensor weight = weights.apply(group.module(layer, group.members.get(i)) + ".weight");
      weight.copy_(acting(site, part, weight));
    }
  }

  private static Tensor acting(Site site, Part part, Tensor weight) {
    Tensor merged = changed(site, part, weight);
    if (part.magnitude == null) {
      return merged;
    }
    Tensor length =
        merged.norm(new org.bytedeco.pytorch.ScalarOptional(new Scalar(2.0)), new long[] {1}, true);
    return merged.mul(part.magnitude.tensor().unsqueeze(1).div(length));
  }

  /**
   * What one matrix becomes, in its own precision; itself where it is no target.
   *
   * @param name of the base's weight
   */
  Tensor acting(String name, Tensor weight) {
    for (int layer = 0; layer < layers.size(); layer++) {
      for (Group group : Group.values()) {
        for (int i = 0; i < group.members.size(); i++) {
          if (name.equals(group.module(layer, group.members.get(i)) + ".weight")) {
            Site site = site(group, layer);
            return acting(site, site.parts.get(i), weight);
          }
        }
      }
    }
    return weight;
  }

  @Override
  public void close() {
    leaves.forEach(Leaf::close);
    frozen.forEach(Leaf::close);
    flat.close();
  }
}
