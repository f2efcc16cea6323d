package dev.cambium.engine.decoder;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.backend.Memory;
import dev.cambium.engine.backend.Natives;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * A decoder-only transformer of the Llama family: RMSNorm before each block, rotary positions,
 * grouped-query attention, SwiGLU, tied or untied head; with sliding windows and norms of queries
 * and keys where a {@link DecoderConfig} says so. Computes in fp32 and matches the reference
 * implementation's logits to rounding.
 *
 * <p>Logits are computed only at the positions asked for: with a large vocabulary and a small model
 * the head is a fifth of all work. Rows are given as arrays of token ids of any lengths; padding is
 * this class's own affair.
 *
 * <p>One thread at a time. Holds native memory outside the Java heap: close it.
 */
public final class Decoder implements AutoCloseable {

  /** Largest block of logits held at once when only their log-probabilities are wanted. */
  private static final long LOGITS_AT_ONCE = 16L << 20;

  private record Layer(
      Leaf inputNorm,
      Leaf qkv,
      @Nullable Leaf qkvBias,
      Leaf out,
      @Nullable Leaf outBias,
      @Nullable Leaf queryNorm,
      @Nullable Leaf keyNorm,
      Leaf postNorm,
      Leaf gateUp,
      Leaf down) {}

  /** What adapters put in place of a decoder's own weights, and what follows from it. */
  private record Parts(
      DecoderConfig config, Leaf embedding, Leaf head, Leaf finalNorm, List<Layer> layers) {}

  private DecoderConfig config;
  private final ParameterLayout layout;
  private final FlatWeights flat;
  private final boolean ownsWeights;
  private final List<Leaf> leaves = new ArrayList<>();
  private final Parts own;
  private Leaf embedding;
  private Leaf head;
  private Leaf finalNorm;
  private List<Layer> layers = new ArrayList<>();
  private final float[] frequencies;
  private int tablePositions;
  private @Nullable Tensor cosines;
  private @Nullable Tensor sines;
  private @Nullable AttachedAdapters attached;
  private final StepProducts steps = new StepProducts();
  private boolean mixed;
  private @Nullable PassObserver observer;

  private Decoder(DecoderConfig config) {
    this(config, null);
  }

  private Decoder(DecoderConfig config, @Nullable FlatWeights shared) {
    Backend.instance();
    this.config = config;
    this.layout = new ParameterLayout(config);
    this.ownsWeights = shared == null;
    this.flat = shared == null ? new FlatWeights(layout.size()) : shared;
    this.frequencies = Rope.frequencies(config, 0);
    this.embedding = leaf(ParameterLayout.EMBEDDING);
    this.head = config.tiedEmbeddings() ? embedding : leaf(ParameterLayout.HEAD);
    this.finalNorm = leaf(ParameterLayout.FINAL_NORM);
    for (int i = 0; i < config.layers(); i++) {
      boolean bias = config.bias() != DecoderConfig.AttentionBias.NONE;
      boolean outBias = config.bias() == DecoderConfig.AttentionBias.ALL;
      layers.add(
          new Layer(
              leaf(layer(i, "input_layernorm.weight")),
              fused(i, "self_attn.", ".weight", "q_proj", "k_proj", "v_proj"),
              bias ? fused(i, "self_attn.", ".bias", "q_proj", "k_proj", "v_proj") : null,
              leaf(layer(i, "self_attn.o_proj.weight")),
              outBias ? leaf(layer(i, "self_attn.o_proj.bias")) : null,
              config.queryKeyNorm() ? leaf(layer(i, "self_attn.q_norm.weight")) : null,
              config.queryKeyNorm() ? leaf(layer(i, "self_attn.k_norm.weight")) : null,
              leaf(layer(i, "post_attention_layernorm.weight")),
              fused(i, "mlp.", ".weight", "gate_proj", "up_proj"),
              leaf(layer(i, "mlp.down_proj.weight"))));
    }
    this.own = new Parts(config, embedding, head, finalNorm, layers);
  }

  private static String layer(int index, String rest) {
    return ParameterLayout.layer(index, rest);
  }

  private Leaf leaf(String name) {
    ParameterLayout.Slot slot = layout.slot(name);
    Leaf leaf =
        Leaf.of(flat, slot.offset(), slot.shape().stream().mapToLong(Long::longValue).toArray());
    leaves.add(leaf);
    return leaf;
  }

  /** Weights that lie side by side, as one with their rows stacked. */
  private Leaf fused(int layer, String prefix, String suffix, String... members) {
    ParameterLayout.Slot first = layout.slot(layer(layer, prefix + members[0] + suffix));
    long rows = 0;
    for (String member : members) {
      rows += layout.slot(layer(layer, prefix + member + suffix)).shape().get(0);
    }
    Leaf leaf =
        first.isMatrix()
            ? Leaf.of(flat, first.offset(), rows, first.shape().get(1))
            : Leaf.of(flat, first.offset(), rows);
    leaves.add(leaf);
    return leaf;
  }

  /**
   * Loads a Hugging Face directory: {@code config.json} and {@code model.safetensors} or its
   * shards, in fp32, bf16 or fp16.
   *
   * @throws IllegalArgumentException naming the field or weight that is missing, unexpected, not
   *     supported or not finite
   * @throws dev.cambium.engine.backend.InsufficientMemoryException if it would not fit; nothing is
   *     allocated then
   */
  public static Decoder load(Path directory) {
    DecoderConfig config = DecoderConfig.read(directory);
    List<Path> files = HuggingFaceFiles.weightFiles(directory);
    if (Backend.instance().device().equals("cpu")) {
      Memory.require(
          Math.multiplyExact(config.parameters(), Float.BYTES),
          directory + ": " + config.parameters() + " weights in fp32");
    }
    Decoder decoder = new Decoder(config);
    try {
      HuggingFaceFiles.readInto(files, decoder.layout.slots(), decoder.flat);
    } catch (RuntimeException e) {
      decoder.close();
      throw e;
    }
    return decoder;
  }

  /**
   * A decoder with fresh weights: matrices normal with the configuration's deviation, those that
   * write to the residual stream divided by √(2 · layers) (Radford et al., 2019); norms one; biases
   * zero. Each weight depends on the seed, its name and its shape only.
   */
  public static Decoder random(DecoderConfig config, long seed) {
    Decoder decoder = new Decoder(config);
    double residual = config.initializerRange() / StrictMath.sqrt(2.0 * config.layers());
    decoder
        .layout
        .slots()
        .forEach(
            (name, slot) -> {
              float[] values = new float[Math.toIntExact(slot.size())];
              if (slot.isMatrix()) {
                boolean writesResidual =
                    name.endsWith("o_proj.weight") || name.endsWith("down_proj.weight");
                SplitMix64.named(seed, name)
                    .fillNormal(values, writesResidual ? residual : config.initializerRange());
              } else if (name.endsWith("norm.weight")) {
                Arrays.fill(values, 1f);
              }
              decoder.flat.write(slot.offset(), values);
            });
    return decoder;
  }

  /** A copy with memory of its own, without an adapter. */
  public Decoder copy() {
    Decoder copy = new Decoder(own.config);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      copy.flat.buffer().copy_(flat.buffer());
    }
    return copy;
  }

  /**
   * A decoder on the same weights with a state of its own, for another thread. Close it before this
   * one.
   */
  Decoder twin() {
    return new Decoder(own.config, flat);
  }

  /**
   * Writes {@code config.json} and {@code model.safetensors}; tied embeddings once. An adapter that
   * is attached is not part of it: {@link #merge} it first.
   */
  public void save(Path directory, Precision precision) {
    HuggingFaceFiles.write(
        directory,
        "model.safetensors",
        layout.slots(),
        flat,
        precision,
        "config.json",
        own.config.toJson(precision.dtype()));
  }

  /** Its shape; while an adapter is attached that brings more tokens, with these. */
  public DecoderConfig config() {
    return config;
  }

  /** Number of weights, tied ones once. */
  public long parameters() {
    return layout.size();
  }

  /** Shapes of all weights by their Hugging Face name. */
  public SortedMap<String, List<Long>> shapes() {
    SortedMap<String, List<Long>> shapes = new TreeMap<>();
    layout.slots().forEach((name, slot) -> shapes.put(name, slot.shape()));
    return shapes;
  }

  /** A copy of a weight, row-major. */
  public float[] read(String name) {
    ParameterLayout.Slot slot = layout.slot(name);
    return flat.read(slot.offset(), Math.toIntExact(slot.size()));
  }

  /** Overwrites a weight, row-major. */
  public void write(String name, float[] values) {
    requireSize(name, layout.slot(name).size(), values.length);
    write(name, 0, values);
  }

  /**
   * Overwrites part of a weight, row-major.
   *
   * @param from index of the first element
   */
  public void write(String name, long from, float[] values) {
    ParameterLayout.Slot slot = layout.slot(name);
    if (from < 0 || values.length > slot.size() - from) {
      throw new IllegalArgumentException(
          name
              + " has "
              + slot.size()
              + " elements; got "
              + values.length
              + " from "
              + from
              + " on");
    }
    flat.write(slot.offset() + from, values);
    if (attached != null) {
      attached.forget();
    }
  }

  /** A view of a matrix: rows × columns; belongs to the caller's scope. */
  Tensor matrix(String name) {
    ParameterLayout.Slot slot = layout.slot(name);
    return flat.view(slot.offset(), slot.shape().get(0), slot.shape().get(1));
  }

  /** The Euclidean length of every row of a matrix. */
  float[] rowLengths(String name) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor matrix = matrix(name);
      Tensor lengths = matrix.norm(new ScalarOptional(new Scalar(2.0)), new long[] {1}, false);
      return Natives.read(lengths, 0, Math.toIntExact(matrix.size(0)));
    }
  }

  static void requireSize(String name, long expected, long found) {
    if (expected != found) {
      throw new IllegalArgumentException(name + " has " + expected + " elements, not " + found);
    }
  }

  /**
   * Lets an adapter act in every pass from now on; it stays the caller's to close, after {@link
   * #detach}.
   *
   * @throws IllegalStateException if another is attached
   * @throws IllegalArgumentException if it is for another shape
   */
  public void attach(LoraAdapter lora) {
    attach(List.of(lora));
  }

  /**
   * Lets several adapters act in every pass from now on, each on the rows that choose it. They stay
   * the caller's to close, after {@link #detach}.
   *
   * @throws IllegalStateException if others are attached
   * @throws IllegalArgumentException if one is for another shape, or one of several stores modules
   *     whole: these could not act on some rows only
   */
  public void attach(List<LoraAdapter> adapters) {
    if (attached != null) {
      throw new IllegalStateException("an adapter is attached already; detach it first");
    }
    if (adapters.isEmpty()) {
      throw new IllegalArgumentException("no adapter to attach");
    }
    for (LoraAdapter lora : adapters) {
      requireFits(lora);
      if (adapters.size() > 1 && lora.replaces()) {
        throw new IllegalArgumentException(
            "an adapter that stores embedding, head or norms whole cannot share a batch with"
                + " others; attach it alone");
      }
    }
    if (adapters.get(0).replaces()) {
      use(with(adapters.get(0)));
    }
    attached = new AttachedAdapters(adapters);
  }

  /** This decoder's parts, with those of an adapter in their places. */
  private Parts with(LoraAdapter lora) {
    List<Layer> replaced = new ArrayList<>();
    for (int i = 0; i < own.layers.size(); i++) {
      Layer layer = own.layers.get(i);
      replaced.add(
          new Layer(
              instead(lora, layer(i, "input_layernorm.weight"), layer.inputNorm),
              layer.qkv,
              layer.qkvBias,
              layer.out,
              layer.outBias,
              insteadOf(lora, layer(i, "self_attn.q_norm.weight"), layer.queryNorm),
              insteadOf(lora, layer(i, "self_attn.k_norm.weight"), layer.keyNorm),
              instead(lora, layer(i, "post_attention_layernorm.weight"), layer.postNorm),
              layer.gateUp,
              layer.down));
    }
    return new Parts(
        own.config.withVocabulary(lora.vocabularySize(), own.config.tiedEmbeddings()),
        instead(lora, ParameterLayout.EMBEDDING, own.embedding),
        instead(lora, ParameterLayout.HEAD, own.head),
        instead(lora, ParameterLayout.FINAL_NORM, own.finalNorm),
        replaced);
  }

  private static @Nullable Leaf insteadOf(LoraAdapter lora, String weight, @Nullable Leaf own) {
    return own == null ? null : instead(lora, weight, own);
  }

  private static Leaf instead(LoraAdapter lora, String weight, Leaf own) {
    Leaf replacement = lora.replacement(weight);
    return replacement == null ? own : replacement;
  }

  private void use(Parts parts) {
    config = parts.config;
    embedding = parts.embedding;
    head = parts.head;
    finalNorm = parts.finalNorm;
    layers = parts.layers;
  }

  /**
   * Forgets what was made from the weights to generate faster. To be called before generating where
   * an optimizer has moved them, which leaves no trace that could be seen.
   */
  public void weightsMoved() {
    steps.close();
  }

  /** Ends the effect of the adapters attached, if any. */
  public void detach() {
    if (attached != null) {
      attached.close();
      attached = null;
      use(own);
      steps.keepOnly(leaves);
    }
  }

  /** The adapters attached. */
  public List<LoraAdapter> adapters() {
    return attached == null ? List.of() : attached.adapters();
  }

  /**
   * Adds an adapter's update to the weights for good.
   *
   * @throws IllegalArgumentException if it stores modules whole; see {@link #merged}
   */
  public void merge(LoraAdapter lora) {
    requireFits(lora);
    if (attached != null) {
      throw new IllegalStateException("an adapter is attached; detach it, or it might act twice");
    }
    if (lora.replaces()) {
      throw new IllegalArgumentException(
          "the adapter stores embedding, head or norms whole: the merged model is another");
    }
    addUpdates(lora);
  }

  private void addUpdates(LoraAdapter lora) {
    for (int i = 0; i < own.layers.size(); i++) {
      for (LoraAdapter.Group group : LoraAdapter.Group.values()) {
        try (PointerScope scope = new PointerScope();
            NoGradGuard guard = new NoGradGuard()) {
          lora.merge(i, group, this::matrix);
        }
      }
    }
  }

  /**
   * A new decoder that is this one with an adapter's update in its weights: of its vocabulary, and
   * no longer tied where the adapter's head is not its embedding.
   */
  public Decoder merged(LoraAdapter lora) {
    requireFits(lora);
    boolean tied = own.config.tiedEmbeddings() && !lora.unties();
    Decoder merged = new Decoder(own.config.withVocabulary(lora.vocabularySize(), tied));
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      merged
          .layout
          .slots()
          .forEach(
              (name, slot) -> {
                Leaf replacement = lora.replacement(name);
                ParameterLayout.Slot source =
                    layout.slots().getOrDefault(name, layout.slot(ParameterLayout.EMBEDDING));
                Tensor values =
                    replacement == null
                        ? flat.view(source.offset(), source.size())
                        : replacement.tensor().reshape(slot.size());
                merged.flat.view(slot.offset(), slot.size()).copy_(values);
              });
    }
    merged.addUpdates(lora);
    return merged;
  }

  private void requireFits(LoraAdapter lora) {
    DecoderConfig other = lora.base();
    if (other.hiddenSize() != config.hiddenSize()
        || other.layers() != config.layers()
        || other.intermediateSize() != config.intermediateSize()
        || other.heads() != config.heads()
        || other.keyValueHeads() != config.keyValueHeads()
        || other.headDim() != config.headDim()) {
      throw new IllegalArgumentException(
          "the adapter is for another shape: " + other + ", not " + config);
    }
  }

  /**
   * Logits at chosen positions of rows read from their beginning.
   *
   * @param rows token ids of each row; at least one each
   * @param positions for each row the positions whose next-token logits are wanted, from 0
   */
  public Logits logits(int[][] rows, int[][] positions) {
    return logits(rows, positions, null);
  }

  /**
   * As above, with an adapter for each row.
   *
   * @param choice for each row which of the {@linkplain #attach(List) adapters attached} acts, or
   *     −1 for none
   */
  public Logits logits(int[][] rows, int[][] positions, int @Nullable [] choice) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      checkTokens(rows);
      Pass pass = Pass.fresh(rows);
      Tensor hidden = hidden(rows, pass, null, choice);
      return new Logits(headAt(hidden, pass, positions));
    }
  }

  /**
   * What the head makes {@linkplain #logits(Tensor) logits} of, at chosen positions of rows read
   * from their beginning; without history. For other packages of the engine.
   *
   * @return positions × hidden size, row by row; belongs to the caller's scope
   */
  public Tensor states(int[][] rows, int[][] positions) {
    checkTokens(rows);
    try (NoGradGuard guard = new NoGradGuard()) {
      Pass pass = Pass.fresh(rows);
      return select(hidden(rows, pass, null), pass, positions);
    }
  }

  /** Logits of {@linkplain #states states}, in fp32, without history; the caller's scope's. */
  public Tensor logits(Tensor states) {
    try (NoGradGuard guard = new NoGradGuard()) {
      return head(states);
    }
  }

  /**
   * Log-probabilities, in nats, of the tokens of rows from a position on, each given all tokens
   * before it.
   *
   * @param rows token ids; at least two each
   * @param from for each row the first position scored, from 1
   * @return for each row one number for each position {@code from} to the end
   */
  public float[][] logProbabilities(int[][] rows, int[] from) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      checkTokens(rows);
      int[][] inputs = new int[rows.length][];
      int[][] positions = new int[rows.length][];
      int[][] targets = new int[rows.length][];
      for (int b = 0; b < rows.length; b++) {
        int[] row = rows[b];
        if (from[b] < 1 || from[b] >= row.length) {
          throw new IllegalArgumentException(
              "row " + b + ": from must be 1 to " + (row.length - 1) + ", not " + from[b]);
        }
        inputs[b] = Arrays.copyOf(row, row.length - 1);
        positions[b] = range(from[b] - 1, row.length - 1);
        targets[b] = Arrays.copyOfRange(row, from[b], row.length);
      }
      Pass pass = Pass.fresh(inputs);
      Tensor hidden = hidden(inputs, pass, null);
      return scored(hidden, pass, positions, targets);
    }
  }

  /**
   * Log-probabilities, in nats, of the tokens of several continuations of every row of a cache, all
   * in one pass. What the cache holds is read by all and stays as it is; places may be added to it.
   * For choosing among answers to a prompt.
   *
   * @param prefixes holds the rows
   * @param continuations for each row the token ids of its continuations; at least one token each
   * @return for each row and continuation one number a token
   */
  public float[][][] continuationLogProbabilities(KeyValueCache prefixes, int[][][] continuations) {
    if (continuations.length != prefixes.rows()) {
      throw new IllegalArgumentException(
          "continuations of " + continuations.length + " rows for a cache of " + prefixes.rows());
    }
    int rows = continuations.length;
    for (int[][] ofRow : continuations) {
      if (ofRow.length > 0) {
        checkTokens(ofRow);
      }
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      float[][][] result = firstTokens(prefixes, continuations);
      int[][] inputs = new int[rows][];
      int[][] starts = new int[rows][];
      int[][] positions = new int[rows][];
      int[][] targets = new int[rows][];
      boolean any = false;
      for (int b = 0; b < rows; b++) {
        int length = Arrays.stream(continuations[b]).mapToInt(c -> c.length - 1).sum();
        any |= length > 0;
        // A row with nothing more to read gets a token that nobody asks about.
        inputs[b] = new int[Math.max(1, length)];
        starts[b] = new int[continuations[b].length];
        positions[b] = range(0, length);
        targets[b] = new int[length];
        int at = 0;
        for (int i = 0; i < continuations[b].length; i++) {
          int[] tokens = continuations[b][i];
          starts[b][i] = at;
          System.arraycopy(tokens, 0, inputs[b], at, tokens.length - 1);
          System.arraycopy(tokens, 1, targets[b], at, tokens.length - 1);
          at += tokens.length - 1;
        }
      }
      if (!any) {
        return result;
      }
      Pass pass = Pass.branching(inputs, prefixes.lengths(), starts);
      if (Rope.dependsOnLength(config) && pass.positions() > config.maxPositions()) {
        throw new IllegalArgumentException(
            "beyond its context of "
                + config.maxPositions()
                + " positions this model rotates keys by the length of the row, so continuations of"
                + " different lengths share no prefix: score whole rows");
      }
      prefixes.reserve(pass.keys());
      float[][] rest = scored(hidden(inputs, pass, prefixes), pass, positions, targets);
      for (int b = 0; b < rows; b++) {
        for (int i = 0; i < continuations[b].length; i++) {
          System.arraycopy(rest[b], starts[b][i], result[b][i], 1, continuations[b][i].length - 1);
        }
      }
      return result;
    }
  }

  /** First tokens need no pass: the last state of each row gives those of all its continuations. */
  private float[][][] firstTokens(KeyValueCache prefixes, int[][][] continuations) {
    float[][][] result = new float[continuations.length][][];
    int block = (int) Math.max(1, LOGITS_AT_ONCE / config.vocabularySize());
    for (int start = 0; start < result.length; start += block) {
      int count = Math.min(block, result.length - start);
      try (PointerScope scope = new PointerScope()) {
        Tensor lines =
            torch
                .linear(prefixes.lastHidden().narrow(0, start, count), head.tensor())
                .log_softmax(1)
                .contiguous();
        for (int b = start; b < start + count; b++) {
          float[] line =
              Natives.read(
                  lines, (long) (b - start) * config.vocabularySize(), config.vocabularySize());
          result[b] = new float[continuations[b].length][];
          for (int i = 0; i < result[b].length; i++) {
            result[b][i] = new float[continuations[b][i].length];
            result[b][i][0] = line[continuations[b][i][0]];
          }
        }
      }
    }
    return result;
  }

  /** A cache for that many rows, empty. */
  public KeyValueCache cache(int rows, int capacity) {
    return new KeyValueCache(config, rows, capacity);
  }

  /**
   * Reads prompts into a new cache.
   *
   * @param prompts token ids; unequal lengths are fine
   * @param reserve places for further tokens in each row; it grows when more come
   */
  public KeyValueCache prefill(int[][] prompts, int reserve) {
    return prefill(prompts, reserve, null);
  }

  /**
   * As above, with an adapter for each row, here and in all further steps of the cache.
   *
   * @param choice as in {@link #logits(int[][], int[][], int[])}
   */
  public KeyValueCache prefill(int[][] prompts, int reserve, int @Nullable [] choice) {
    int longest = Arrays.stream(prompts).mapToInt(p -> p.length).max().orElse(0);
    KeyValueCache cache = cache(prompts.length, longest + reserve);
    cache.choose(choice);
    try {
      append(cache, prompts);
    } catch (RuntimeException e) {
      cache.close();
      throw e;
    }
    return cache;
  }

  /** Reads further tokens of every row of a cache, at least one each. */
  public void append(KeyValueCache cache, int[][] tokens) {
    if (tokens.length != cache.rows()) {
      throw new IllegalArgumentException(
          tokens.length + " rows of tokens for a cache of " + cache.rows());
    }
    checkTokens(tokens);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Pass pass = Pass.cached(tokens, cache.lengths());
      cache.reserve(pass.keys());
      Tensor hidden = hidden(tokens, pass, cache);
      int[][] last = new int[tokens.length][];
      for (int b = 0; b < tokens.length; b++) {
        last[b] = new int[] {tokens[b].length - 1};
      }
      cache.grown(pass.lengths, select(hidden, pass, last));
    }
  }

  /** Logits of the next token of every row of a cache. */
  public Logits next(KeyValueCache cache) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return new Logits(steps.product(cache.lastHidden(), head));
    }
  }

  /** Reads one token for every row and gives the logits of the next: one step of generation. */
  public Logits step(KeyValueCache cache, int[] tokens) {
    int[][] rows = new int[tokens.length][];
    for (int b = 0; b < tokens.length; b++) {
      rows[b] = new int[] {tokens[b]};
    }
    append(cache, rows);
    return next(cache);
  }

  private static int[] range(int from, int to) {
    int[] range = new int[to - from];
    for (int i = 0; i < range.length; i++) {
      range[i] = from + i;
    }
    return range;
  }

  private void checkTokens(int[][] rows) {
    if (rows.length == 0) {
      throw new IllegalArgumentException("no rows");
    }
    for (int b = 0; b < rows.length; b++) {
      if (rows[b].length == 0) {
        throw new IllegalArgumentException("row " + b + " has no tokens");
      }
      for (int t = 0; t < rows[b].length; t++) {
        if (rows[b][t] < 0 || rows[b][t] >= config.vocabularySize()) {
          throw new IllegalArgumentException(
              "row "
                  + b
                  + ", position "
                  + t
                  + ": token "
                  + rows[b][t]
                  + " is outside the vocabulary of "
                  + config.vocabularySize());
        }
      }
    }
  }

  /** The hidden states at chosen positions, row by row: chosen × hidden size. */
  static Tensor select(Tensor hidden, Pass pass, int[][] positions) {
    int count = Arrays.stream(positions).mapToInt(p -> p.length).sum();
    long[] index = new long[count];
    int i = 0;
    for (int b = 0; b < positions.length; b++) {
      for (int position : positions[b]) {
        if (position < 0 || position >= pass.lengths[b]) {
          throw new IndexOutOfBoundsException(
              "row " + b + ": position " + position + " of " + pass.lengths[b]);
        }
        index[i++] = pass.index(b, position);
      }
    }
    // An embedding look-up is an index selection whose gradient is summed in parallel.
    return torch.embedding(hidden, Natives.longs(index));
  }

  private Tensor headAt(Tensor hidden, Pass pass, int[][] positions) {
    return torch.linear(select(hidden, pass, positions), head.tensor());
  }

  /** Log-probabilities of targets at positions, the logits a block at a time. */
  private float[][] scored(Tensor hidden, Pass pass, int[][] positions, int[][] targets) {
    Tensor states = select(hidden, pass, positions);
    int[] all = Arrays.stream(targets).flatMapToInt(Arrays::stream).toArray();
    float[] flatResult = new float[all.length];
    int block = (int) Math.max(1, LOGITS_AT_ONCE / config.vocabularySize());
    for (int start = 0; start < all.length; start += block) {
      int count = Math.min(block, all.length - start);
      try (PointerScope scope = new PointerScope()) {
        Tensor logits = torch.linear(states.narrow(0, start, count), head.tensor());
        float[] part = logProbabilities(logits, Arrays.copyOfRange(all, start, start + count));
        System.arraycopy(part, 0, flatResult, start, count);
      }
    }
    float[][] result = new float[targets.length][];
    int start = 0;
    for (int b = 0; b < targets.length; b++) {
      result[b] = Arrays.copyOfRange(flatResult, start, start + targets[b].length);
      start += targets[b].length;
    }
    return result;
  }

  static float[] logProbabilities(Tensor logits, int[] tokens) {
    long[] index = Arrays.stream(tokens).asLongStream().toArray();
    Tensor chosen =
        logits.log_softmax(1).gather(1, Natives.longs(index, tokens.length, 1)).contiguous();
    return Natives.read(chosen, 0, tokens.length);
  }

  /**
   * The states before the head, after the final norm: tokens of the pass × hidden size. Records
   * gradients where the caller lets it and weights ask for them.
   */
  Tensor hidden(int[][] rows, Pass pass, @Nullable KeyValueCache cache) {
    return hidden(rows, pass, cache, cache == null ? null : cache.choice());
  }

  private Tensor hidden(
      int[][] rows, Pass pass, @Nullable KeyValueCache cache, int @Nullable [] choice) {
    if (cache != null && cache.capacity() < pass.keys()) {
      throw new IllegalStateException(
          "cache of " + cache.capacity() + " places for " + pass.keys());
    }
    PointerScope outer = PointerScope.getInnerScope();
    PassTensors tensors = new PassTensors(pass, cache, choice);
    Tensor x = torch.embedding(embedding.tensor(), pass.ids(rows));
    for (int i = 0; i < layers.size(); i++) {
      // Handles of a layer's temporaries go with the layer; what gradients need is kept by them.
      try (PointerScope scope = new PointerScope()) {
        Tensor next = runLayer(i, x, tensors);
        outer.attach(next);
        x = next;
      }
    }
    Tensor states = norm(x, finalNorm);
    if (observer != null) {
      observer.residual(layers.size(), observed(x, pass));
      observer.states(observed(states, pass));
    }
    return states;
  }

  /**
   * Reads rows from their beginning and lets somebody hear what is computed on the way.
   *
   * @param rows token ids of each row; at least one each. The listener gets all their tokens, row
   *     after row
   */
  public void observe(int[][] rows, PassObserver listener) {
    checkTokens(rows);
    observer = listener;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      hidden(rows, Pass.fresh(rows), null);
    } finally {
      observer = null;
    }
  }

  /** Lets somebody hear what passes compute; or no longer. */
  public void observe(@Nullable PassObserver listener) {
    observer = listener;
  }

  /** Without history, without padding, in fp32. */
  private static Tensor observed(Tensor values, Pass pass) {
    Tensor plain = values.detach().to(ScalarType.Float);
    return pass.padded() ? plain.index_select(0, pass.realTokens()) : plain;
  }

  /** What all layers of a pass share. */
  private final class PassTensors {
    final Pass pass;
    final List<AttachedAdapters.Route> routes;
    final @Nullable KeyValueCache cache;
    final Tensor cos;
    final Tensor sin;
    final @Nullable Tensor spread;
    final @Nullable Tensor gather;
    final @Nullable Tensor places;
    final int keyWidth;

    /** Whether this is one step of generation: a token for each row of a cache. */
    final boolean step;

    /** Which keys each query sees, by window; empty where the causal rule alone decides. */
    private final Map<Integer, TensorOptional> masks = new HashMap<>();

    PassTensors(Pass pass, @Nullable KeyValueCache cache, int @Nullable [] choice) {
      this.pass = pass;
      this.routes = attached == null ? List.of() : attached.routes(pass, choice);
      this.cache = cache;
      if (Rope.dependsOnLength(config) && pass.positions() > config.maxPositions()) {
        this.cos = byLength(Rope::cosines).unsqueeze(1);
        this.sin = byLength(Rope::signedSines).unsqueeze(1);
      } else {
        Tensor positions = pass.positionIds();
        extendTables(pass.positions());
        this.cos = cosines().index_select(0, positions).unsqueeze(1);
        this.sin = sines().index_select(0, positions).unsqueeze(1);
      }
      this.spread = pass.rectangular ? null : pass.spread();
      this.gather = pass.rectangular ? null : pass.gather();
      this.places = cache == null ? null : pass.cachePlaces(cache.capacity());
      this.keyWidth = pass.past == null ? pass.width : pass.keys();
      this.step = cache != null && pass.width == 1 && !mixed;
      for (int layer = 0; layer < config.layers(); layer++) {
        masks.computeIfAbsent(config.window(layer), this::visible);
      }
    }

    /** Every row by the frequencies of its own length, so that no row depends on its neighbours. */
    private Tensor byLength(RopeTable table) {
      TensorVector rows = new TensorVector();
      for (int b = 0; b < pass.rows; b++) {
        int[] positions = pass.rowPositions(b);
        float[] frequencies = Rope.frequencies(config, pass.past(b) + pass.lengths[b]);
        rows.push_back(
            Natives.floats(
                table.of(frequencies, positions, 1), positions.length, config.headDim()));
      }
      return torch.cat(rows, 0);
    }

    private TensorOptional visible(int window) {
      boolean all = window == 0 || pass.positions() <= window;
      if (all && (pass.past == null || pass.seesAll())) {
        return new TensorOptional();
      }
      int copies = pass.past == null ? 1 : config.heads() / config.keyValueHeads();
      return new TensorOptional(pass.mask(all ? 0 : window, copies));
    }

    TensorOptional mask(int layer) {
      return java.util.Objects.requireNonNull(masks.get(config.window(layer)));
    }
  }

  /** A table of cosines or sines; see {@link Rope}. */
  @FunctionalInterface
  private interface RopeTable {
    float[] of(float[] frequencies, int[] positions, float factor);
  }

  private void extendTables(int positions) {
    if (positions <= tablePositions) {
      return;
    }
    int count = Math.max(positions, Math.max(64, 2 * tablePositions));
    closeTables();
    try (PointerScope scope = new PointerScope()) {
      long width = config.headDim();
      int[] all = Rope.positions(count);
      float factor = Rope.attention(config);
      Tensor cos = Natives.floats(Rope.cosines(frequencies, all, factor), count, width);
      Tensor sin = Natives.floats(Rope.signedSines(frequencies, all, factor), count, width);
      cos.retainReference();
      sin.retainReference();
      cosines = cos;
      sines = sin;
    }
    tablePositions = count;
  }

  private void closeTables() {
    if (cosines != null && sines != null) {
      cosines.close();
      sines.close();
    }
  }

  private Tensor cosines() {
    return java.util.Objects.requireNonNull(cosines);
  }

  private Tensor sines() {
    return java.util.Objects.requireNonNull(sines);
  }

  /** Radians per position of each rotated pair of a head, for rows within the original context. */
  public float[] frequencies() {
    return frequencies.clone();
  }

  private Tensor norm(Tensor x, Leaf weight) {
    return torch.rms_norm(
        x,
        new long[] {config.hiddenSize()},
        weight.optional(),
        new DoubleOptional(config.rmsNormEps()));
  }

  private Tensor runLayer(int index, Tensor x, PassTensors pass) {
    Layer layer = layers.get(index);
    PassObserver listener = observer;
    if (listener != null) {
      listener.residual(index, observed(x, pass.pass));
    }
    Tensor h = operand(norm(x, layer.inputNorm));
    heard(index, LoraAdapter.Group.QKV, h, pass);
    Tensor qkv = product(h, layer.qkv, layer.qkvBias, pass.step);
    qkv = adapted(pass, index, LoraAdapter.Group.QKV, h, qkv, layer.qkv, layer.qkvBias);
    Tensor attended = operand(attention(index, qkv.to(ScalarType.Float), pass));
    heard(index, LoraAdapter.Group.O, attended, pass);
    x = addProduct(x, attended, layer.out, layer.outBias, index, LoraAdapter.Group.O, pass);
    if (listener != null) {
      listener.projections(index, observed(qkv, pass.pass));
      listener.context(index, observed(attended, pass.pass));
      listener.middle(index, observed(x, pass.pass));
    }
    Tensor m = operand(norm(x, layer.postNorm));
    heard(index, LoraAdapter.Group.GATE_UP, m, pass);
    Tensor gateUp = product(m, layer.gateUp, null, pass.step);
    gateUp = adapted(pass, index, LoraAdapter.Group.GATE_UP, m, gateUp, layer.gateUp, null);
    // Split, not two slices: its gradient is one concatenation, not two padded sums.
    TensorVector halves = gateUp.split(config.intermediateSize(), 1);
    Tensor unit = torch.silu(halves.get(0)).mul(halves.get(1));
    if (observer != null) {
      observer.units(index, observed(unit, pass.pass));
    }
    heard(index, LoraAdapter.Group.DOWN, unit, pass);
    return addProduct(x, unit, layer.down, null, index, LoraAdapter.Group.DOWN, pass);
  }

  private void heard(int index, LoraAdapter.Group group, Tensor input, PassTensors pass) {
    if (observer != null && observer.hearsInputs()) {
      observer.inputs(index, group.modules(index), observed(input, pass.pass));
    }
  }

  /** What adapters make of a product. */
  private Tensor adapted(
      PassTensors pass,
      int index,
      LoraAdapter.Group group,
      Tensor input,
      Tensor output,
      Leaf weight,
      @Nullable Leaf bias) {
    return attached == null
        ? output
        : attached.apply(pass.routes, index, group, input, output, weight, bias);
  }

  private Tensor addProduct(
      Tensor x,
      Tensor input,
      Leaf weight,
      @Nullable Leaf bias,
      int index,
      LoraAdapter.Group group,
      PassTensors pass) {
    if (attached == null && bias == null && !mixed && !pass.step) {
      return torch.addmm(x, input, weight.tensor().t());
    }
    Tensor output = product(input, weight, bias, pass.step);
    return x.add(adapted(pass, index, group, input, output, weight, bias));
  }

  /** A factor in the precision of products. */
  private Tensor operand(Tensor x) {
    return mixed ? x.to(ScalarType.BFloat16) : x;
  }

  private Tensor product(Tensor input, Leaf weight, @Nullable Leaf bias, boolean step) {
    if (step) {
      Tensor output = steps.product(input, weight);
      return bias == null ? output : output.add(bias.tensor());
    }
    Tensor w = operand(weight.tensor());
    return bias == null ? torch.linear(input, w) : torch.linear(input, w, operand(bias.tensor()));
  }

  /** Whether products run in bf16. */
  boolean mixed() {
    return mixed;
  }

  /** Lets matrix products run in bf16, their sums and everything else in fp32; or no longer. */
  void mixed(boolean on) {
    mixed = on;
  }

  /** Logits of final states, in fp32. */
  Tensor head(Tensor states) {
    return product(operand(states), head, null, false).to(ScalarType.Float);
  }

  /**
   * tokens × ((heads + 2 · key-value heads) · head width) in, tokens × (heads · head width) out.
   */
  private Tensor attention(int index, Tensor qkv, PassTensors tensors) {
    Pass pass = tensors.pass;
    long dim = config.headDim();
    long heads = config.heads();
    long groups = config.keyValueHeads();
    TensorVector parts = qkv.split(new long[] {(heads + groups) * dim, groups * dim}, 1);
    Tensor qk = normed(layers.get(index), parts.get(0).view(pass.tokens, heads + groups, dim));
    Tensor rotated =
        torch.addcmul(qk.mul(tensors.cos), qk.roll(new long[] {dim / 2}, 2), tensors.sin);
    TensorVector sides = rotated.split(new long[] {heads, groups}, 1);
    Tensor q = sides.get(0);
    Tensor k = sides.get(1);
    Tensor v = parts.get(1).view(pass.tokens, groups, dim);
    KeyValueCache cache = tensors.cache;
    if (cache != null && tensors.places != null) {
      long places = (long) pass.rows * cache.capacity();
      long width = groups * dim;
      cache.keys(index).view(places, width).index_copy_(0, tensors.places, k.reshape(-1, width));
      cache.values(index).view(places, width).index_copy_(0, tensors.places, v.reshape(-1, width));
    }
    q = rectangle(q, heads * dim, tensors);
    Tensor attended =
        cache != null && pass.past != null
            ? attendedPast(q, cache.keys(index), cache.values(index), tensors, index)
            : attendedFresh(
                q.view(pass.rows, pass.width, heads, dim),
                rectangle(k, groups * dim, tensors).view(pass.rows, pass.width, groups, dim),
                rectangle(v, groups * dim, tensors).view(pass.rows, pass.width, groups, dim),
                tensors.mask(index));
    // Embedding look-ups are index selections whose gradients are summed in parallel.
    return tensors.gather == null ? attended : torch.embedding(attended, tensors.gather);
  }

  /** Query and key heads, each normed by itself and scaled, where the family does that. */
  private Tensor normed(Layer layer, Tensor qk) {
    if (layer.queryNorm == null || layer.keyNorm == null) {
      return qk;
    }
    long dim = config.headDim();
    TensorVector scales = new TensorVector();
    scales.push_back(layer.queryNorm.tensor().expand(config.heads(), dim));
    scales.push_back(layer.keyNorm.tensor().expand(config.keyValueHeads(), dim));
    return torch
        .rms_norm(
            qk, new long[] {dim}, new TensorOptional(), new DoubleOptional(config.rmsNormEps()))
        .mul(torch.cat(scales, 0));
  }

  /** Rows that see themselves only, each token those before it. */
  private static Tensor attendedFresh(Tensor q, Tensor keys, Tensor values, TensorOptional mask) {
    return torch
        .scaled_dot_product_attention(
            q.transpose(1, 2),
            keys.transpose(1, 2),
            values.transpose(1, 2),
            mask,
            0.0,
            q.size(1) > 1 && !mask.has_value(),
            new DoubleOptional(),
            q.size(2) != keys.size(2))
        .transpose(1, 2)
        .reshape(q.size(0) * q.size(1), q.size(2) * q.size(3));
  }

  /**
   * Rows that see what a cache holds. The query heads of one key-value head stand as further
   * queries below each other, so keys and values need not be repeated for them.
   */
  private Tensor attendedPast(
      Tensor q, Tensor keys, Tensor values, PassTensors tensors, int layer) {
    Pass pass = tensors.pass;
    long dim = config.headDim();
    long groups = config.keyValueHeads();
    long copies = config.heads() / groups;
    long[] shape = {
      pass.rows, java.util.Objects.requireNonNull(tensors.cache).capacity(), groups, dim
    };
    Tensor queries =
        q.view(pass.rows, pass.width, groups, copies, dim)
            .permute(0, 2, 3, 1, 4)
            .reshape(pass.rows, groups, copies * pass.width, dim);
    return torch
        .scaled_dot_product_attention(
            queries,
            keys.view(shape).narrow(1, 0, tensors.keyWidth).transpose(1, 2),
            values.view(shape).narrow(1, 0, tensors.keyWidth).transpose(1, 2),
            tensors.mask(layer),
            0.0,
            false,
            new DoubleOptional(),
            false)
        .view(pass.rows, groups, copies, pass.width, dim)
        .permute(0, 3, 1, 2, 4)
        .reshape((long) pass.rows * pass.width, config.heads() * dim);
  }

  /** The list of tokens as rows × width places; a view where it is that already. */
  private static Tensor rectangle(Tensor list, long width, PassTensors tensors) {
    return tensors.spread == null
        ? list.reshape(tensors.pass.rows * (long) tensors.pass.width, width)
        : torch.embedding(list.reshape(tensors.pass.tokens, width), tensors.spread);
  }

  FlatWeights flat() {
    return flat;
  }

  ParameterLayout layout() {
    return layout;
  }

  List<Leaf> leaves() {
    return leaves;
  }

  Map<String, ParameterLayout.Slot> slots() {
    return layout.slots();
  }

  @Override
  public void close() {
    detach();
    steps.close();
    closeTables();
    cosines = null;
    sines = null;
    leaves.forEach(Leaf::close);
    if (ownsWeights) {
      flat.close();
    }
  }
}
