package dev.cambium.engine.transfer;

import dev.cambium.artifact.huggingface.DecoderConfig;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.backend.Memory;
import dev.cambium.engine.backend.Natives;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TokenMap;
import dev.cambium.engine.transfer.Correspondence.LayerMap;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Carries a change of weights to a base whose parts lie elsewhere, or that is wider, narrower or
 * deeper: finds by calibration text how the parts of the two bases correspond ({@link
 * Correspondence}), and takes every matrix' change from the old spaces to the new ones, {@code F ·
 * ΔW · R} (after Singh and Jaggi, 2020; Ainsworth et al., 2023).
 *
 * <p>What a projection reads is the residual stream as RMSNorm sees it, times the norm's scale; so
 * changes go through the scales of both bases, and a base whose scales were folded into its
 * matrices is as good as one where they were not. A base that is only permuted, by residual
 * channels, by units, by heads within the groups that share keys, gets exactly the change as it
 * would have been learnt there. A low-rank change keeps its rank; one that is not of low rank
 * (DoRA) is brought to the adapter's rank by singular values, and what is lost is told.
 */
public final class Align {

  /** A norm's scale below this share of the greatest lets nothing through. */
  private static final double CLOSED = 1e-6;

  private static final List<String> PROJECTIONS =
      List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

  /** Cosine of two bases' weights from which on the one was trained on from the other. */
  private static final double SAME_PLACE = 0.9;

  private static final String NOTHING =
      "nothing to align: every layer, channel, head and unit of the new base corresponds to the one"
          + " in the same place of the old base";

  private final Decoder old;
  private final Decoder now;
  private final Correspondence found;
  private final SortedMap<String, double[]> lost = new TreeMap<>();

  private Align(Decoder old, Decoder now, Correspondence found) {
    this.old = old;
    this.now = now;
    this.found = found;
  }

  /**
   * Carries an adapter.
   *
   * @param oldBase Hugging Face directory of the base that the adapter was made on
   * @param newBase Hugging Face directory of the base it is carried to
   * @param adapter PEFT directory
   * @param calibration rows of the domain that the change is about
   * @param out PEFT directory of the result; made if it is not there
   * @throws IllegalArgumentException saying why it cannot be done: the new base has fewer layers,
   *     the tokenizers cut text differently, there is too little text, the adapter stores modules
   *     whole, nothing has moved between the two bases
   */
  public static AlignReport adapter(
      Path oldBase,
      Path newBase,
      Path adapter,
      List<Row> calibration,
      Path out,
      Progress progress) {
    try (Decoder old = Decoder.load(oldBase);
        Decoder now = Decoder.load(newBase);
        LoraAdapter lora = LoraAdapter.load(adapter, old.config())) {
      LoraConfig config = lora.config();
      if (lora.shapes().keySet().stream().anyMatch(name -> !name.contains(".lora_"))) {
        throw new IllegalArgumentException(
            adapter
                + ": the adapter stores "
                + (config.savedModules().isEmpty() ? "its embedding" : config.savedModules())
                + " whole; only updates of projections can be aligned");
      }
      Calibration text = begin(oldBase, newBase, old, now, calibration);
      Align align = find(old, now, text, progress);
      LoraConfig carried = align.config(config);
      try (LoraAdapter result = LoraAdapter.fresh(now, carried, 0)) {
        // Where nothing comes, a fresh adapter does nothing, and can be trained.
        align.carry(lora, result);
        if (config.dora()) {
          try (Decoder merged = old.merged(lora)) {
            align.lengths(merged, config, result);
          }
        }
        result.save(out, Precision.F32);
      }
      return align.report(text.tokens());
    } finally {
      Memory.giveBack();
    }
  }

  /**
   * Carries a full-weight change. The result takes what is not weights from the new base; text
   * files are the caller's to copy.
   *
   * @param tuned Hugging Face directory of what was made from the old base
   * @param precision that the result is stored in
   * @see #adapter
   */
  public static AlignReport model(
      Path oldBase,
      Path newBase,
      Path tuned,
      List<Row> calibration,
      Path out,
      Precision precision,
      Progress progress) {
    try (Decoder old = Decoder.load(oldBase);
        Decoder now = Decoder.load(newBase);
        Decoder after = Decoder.load(tuned)) {
      if (!old.shapes().equals(after.shapes())) {
        throw new IllegalArgumentException(
            tuned + " does not have the shapes of " + oldBase + ", which it is said to come from");
      }
      if (now.config().tiedEmbeddings() && !old.config().tiedEmbeddings()) {
        throw new IllegalArgumentException(
            "the new base ties its head to the embedding, the old one does not: two changes cannot"
                + " go into one matrix");
      }
      Calibration text = begin(oldBase, newBase, old, now, calibration);
      Align align = find(old, now, text, progress);
      align.carry(after, TokenMap.between(oldBase, newBase), pieces(oldBase, newBase));
      now.save(out, precision);
      return align.report(text.tokens());
    } finally {
      Memory.giveBack();
    }
  }

  private static Calibration begin(
      Path oldBase, Path newBase, Decoder old, Decoder now, List<Row> calibration) {
    DecoderConfig a = old.config();
    DecoderConfig b = now.config();
    if (b.layers() < a.layers()) {
      throw new IllegalArgumentException(
          "the new base has "
              + b.layers()
              + " layers, the old one "
              + a.layers()
              + ": a layer's change has nowhere to go");
    }
    if (a.queryKeyNorm() != b.queryKeyNorm() || a.bias() != b.bias()) {
      throw new IllegalArgumentException(
          "the attention of the two bases is not of one kind: biases "
              + a.bias()
              + " and "
              + b.bias()
              + ", norms of queries and keys "
              + a.queryKeyNorm()
              + " and "
              + b.queryKeyNorm());
    }
    if (liesWhereItDid(old, now)) {
      throw new IllegalArgumentException(
          NOTHING + "; by their weights, so no text was read: transplant its change");
    }
    return Calibration.read(oldBase, newBase, calibration);
  }

  /**
   * Whether the new base's weights point where the old one's do, as when it was trained on: a
   * permuted or separate one has a cosine near 0. What activations then say of places is noise.
   */
  private static boolean liesWhereItDid(Decoder old, Decoder now) {
    if (!old.shapes().equals(now.shapes()) || !normsAgree(old, now)) {
      return false;
    }
    for (int l = 0; l < old.config().layers(); l++) {
      for (String module : List.of("q_proj", "o_proj", "up_proj", "down_proj")) {
        float[] a = old.read(name(l, module));
        float[] b = now.read(name(l, module));
        double both = 0;
        double before = 0;
        double after = 0;
        for (int i = 0; i < a.length; i++) {
          both += (double) a[i] * b[i];
          before += (double) a[i] * a[i];
          after += (double) b[i] * b[i];
        }
        if (!(both >= SAME_PLACE * Math.sqrt(before * after))) {
          return false;
        }
      }
    }
    return true;
  }

  private static Align find(Decoder old, Decoder now, Calibration text, Progress progress) {
    Correspondence found = Correspondence.find(old, now, text.old(), text.now(), progress);
    Align align = new Align(old, now, found);
    if (found.isIdentity() && normsAgree(old, now)) {
      throw new IllegalArgumentException(NOTHING);
    }
    return align;
  }

  /** Whether norms' scales are mostly where they were: otherwise something was folded. */
  private static boolean normsAgree(Decoder old, Decoder now) {
    int near = 0;
    int all = 0;
    for (int l = 0; l < old.config().layers(); l++) {
      for (String norm : List.of("input_layernorm", "post_attention_layernorm")) {
        float[] a = old.read(name(l, norm));
        float[] b = now.read(name(l, norm));
        for (int i = 0; i < a.length; i++) {
          near += Math.abs(a[i] - b[i]) <= Math.abs(a[i]) / 2 ? 1 : 0;
          all++;
        }
      }
    }
    return near >= 0.9 * all;
  }

  private static String name(int layer, String module) {
    String block =
        module.endsWith("norm") && !module.startsWith("q_") && !module.startsWith("k_")
            ? ""
            : module.endsWith("gate_proj")
                    || module.endsWith("up_proj")
                    || module.endsWith("down_proj")
                ? "mlp."
                : "self_attn.";
    return "model.layers." + layer + "." + block + module + ".weight";
  }

  /** The adapter's configuration, its layers counted as in the new base. */
  private LoraConfig config(LoraConfig config) {
    int[] partners = found.layers.stream().mapToInt(LayerMap::layer).toArray();
    boolean moved = !Arrays.equals(partners, IntStream.range(0, partners.length).toArray());
    boolean byLayer =
        !config.rankPattern().isEmpty()
            || !config.alphaPattern().isEmpty()
            || config.targets().pattern() != null
            || config.targets().names().stream().anyMatch(n -> n.matches(".*\\d.*"));
    if (moved && byLayer) {
      throw new IllegalArgumentException(
          "the new base is deeper, and the adapter's configuration names layers by patterns, which"
              + " would name others there");
    }
    List<Integer> layers =
        config.layers().stream().filter(l -> l < partners.length).map(l -> partners[l]).toList();
    return new LoraConfig(
        config.rank(),
        config.alpha(),
        config.rankStabilized(),
        config.dora(),
        config.targets(),
        config.excluded(),
        layers,
        config.layersPattern(),
        config.rankPattern(),
        config.alphaPattern(),
        List.of(),
        null);
  }

  /** Factors go to the new spaces one by one: B by what a projection writes, A by what it reads. */
  private void carry(LoraAdapter from, LoraAdapter to) {
    for (int l = 0; l < found.layers.size(); l++) {
      for (String module : PROJECTIONS) {
        String a = peft(l, module, "A");
        if (!from.shapes().containsKey(a)) {
          continue;
        }
        try (PointerScope scope = new PointerScope();
            NoGradGuard guard = new NoGradGuard()) {
          Site site = new Site(l, module);
          Tensor down = matrix(from.read(a), shape(from.shapes(), a));
          String b = peft(l, module, "B");
          Tensor up = matrix(from.read(b), shape(from.shapes(), b));
          Tensor newDown = site.reading(down);
          Tensor newUp = site.writing(up);
          to.write(peft(site.map.layer(), module, "A"), Floats.of(newDown));
          to.write(peft(site.map.layer(), module, "B"), Floats.of(newUp));
          if (!from.config().dora()) {
            note(module, up.mm(down), site.writingBack(newUp).mm(site.readingBack(newDown)));
          }
        }
      }
    }
  }

  /**
   * Lengths of rows (DoRA): those that the rows of the new base have with the whole change. So a
   * row's length is kept exactly, and its direction as well as the factors keep it.
   */
  private void lengths(Decoder merged, LoraConfig config, LoraAdapter to) {
    LoraConfig.Plan plan = config.plan(old.shapes().keySet());
    for (int l = 0; l < found.layers.size(); l++) {
      for (String module : PROJECTIONS) {
        String weight = name(l, module);
        LoraConfig.Target target =
            plan.targets().get(weight.substring(0, weight.length() - ".weight".length()));
        if (target == null) {
          continue;
        }
        try (PointerScope scope = new PointerScope();
            NoGradGuard guard = new NoGradGuard()) {
          Site site = new Site(l, module);
          int m = site.map.layer();
          Tensor change = change(merged, weight, null);
          String there = name(m, module);
          Tensor base = matrix(now.read(there), shape(now.shapes(), there));
          Tensor whole = base.add(site.writing(site.reading(change)));
          Tensor up = matrix(to.read(peft(m, module, "B")), factor(to, m, module, "B"));
          Tensor down = matrix(to.read(peft(m, module, "A")), factor(to, m, module, "A"));
          Tensor turned = base.add(up.mm(down), new Scalar(target.scale()));
          // A learned length may be negative: the row then points the other way.
          Tensor lengths = rowLengths(whole).mul(whole.mul(turned).sum(1).sign());
          to.write(peft(m, module, "A").replace("lora_A.weight", MAGNITUDE), Floats.of(lengths));
          Tensor acts = turned.mul(lengths.div(rowLengths(turned)).unsqueeze(1));
          note(module, change, site.writingBack(site.readingBack(acts.sub(base, new Scalar(1.0)))));
        }
      }
    }
  }

  private static final String MAGNITUDE = "lora_magnitude_vector";

  private static List<Long> factor(LoraAdapter of, int layer, String module, String half) {
    return shape(of.shapes(), peft(layer, module, half));
  }

  private static Tensor rowLengths(Tensor matrix) {
    return matrix.square().sum(1).sqrt().clamp_min(new Scalar(1e-12));
  }

  private static String peft(int layer, String module, String half) {
    String weight = name(layer, module);
    return "base_model.model."
        + weight.substring(0, weight.length() - "weight".length())
        + "lora_"
        + half
        + ".weight";
  }

  private static List<Long> shape(SortedMap<String, List<Long>> shapes, String name) {
    return Objects.requireNonNull(shapes.get(name), name);
  }

  private static Tensor matrix(float[] values, List<Long> shape) {
    return Natives.floats(values, shape.stream().mapToLong(Long::longValue).toArray());
  }

  /**
   * Writes all changes into the new base.
   *
   * @param tokens ids of the embedding's rows
   * @param pieces for each id of the new vocabulary that the old one lacks, old ids of its text
   */
  private void carry(Decoder tuned, TokenMap tokens, Map<Integer, int[]> pieces) {
    SpaceMap.Matching channels = found.channels;
    for (int l = 0; l < found.layers.size(); l++) {
      for (String module : PROJECTIONS) {
        try (PointerScope scope = new PointerScope();
            NoGradGuard guard = new NoGradGuard()) {
          Site site = new Site(l, module);
          String weight = name(l, module);
          Tensor change = change(tuned, weight, channels == null ? site.norm : null);
          Tensor there = site.writing(site.reading(change));
          add(name(site.map.layer(), module), Floats.of(there));
          note(module, change, site.writingBack(site.readingBack(there)));
          bias(tuned, l, module, site);
        }
      }
      int m = found.layers.get(l).layer();
      for (String norm : List.of("input_layernorm", "post_attention_layernorm")) {
        scales(tuned, name(l, norm), name(m, norm), channels);
      }
      if (old.config().queryKeyNorm()) {
        for (String norm : List.of("q_norm", "k_norm")) {
          headNorm(tuned, name(l, norm), name(m, norm));
        }
      }
    }
    vocabulary(tuned, tokens, pieces); // by the final norm's scales as they are in the base
    scales(tuned, FINAL_NORM, FINAL_NORM, channels);
  }

  private static final String FINAL_NORM = "model.norm.weight";

  /**
   * The change of a matrix. Where scales of norms cannot be carried by themselves, what they have
   * changed by is put into the matrices that read them.
   */
  private Tensor change(Decoder tuned, String weight, @Nullable String norm) {
    List<Long> shape = shape(old.shapes(), weight);
    Tensor before = matrix(old.read(weight), shape);
    Tensor after = matrix(tuned.read(weight), shape);
    if (norm == null) {
      return after.sub(before, new Scalar(1.0));
    }
    float[] g = old.read(norm);
    float[] tunedScales = tuned.read(norm);
    float[] ratio = new float[g.length];
    for (int i = 0; i < g.length; i++) {
      ratio[i] = g[i] == 0 ? 1 : tunedScales[i] / g[i];
    }
    return after.mul(Natives.floats(ratio)).sub(before, new Scalar(1.0));
  }

  private void bias(Decoder tuned, int layer, String module, Site site) {
    String name = name(layer, module).replace(".weight", ".bias");
    if (!old.shapes().containsKey(name)) {
      return;
    }
    float[] before = old.read(name);
    float[] after = tuned.read(name);
    for (int i = 0; i < before.length; i++) {
      after[i] -= before[i];
    }
    Tensor there = site.writing(Natives.floats(after, after.length, 1));
    add(name(site.map.layer(), module).replace(".weight", ".bias"), Floats.of(there));
  }

  private void scales(Decoder tuned, String from, String to, SpaceMap.@Nullable Matching channels) {
    if (channels == null) {
      if (from.equals(FINAL_NORM) && now.config().tiedEmbeddings()) {
        // The tied head takes no scales; the nearest that scales alone can do is left out, told.
        float[] before = old.read(from);
        float[] after = tuned.read(from);
        double whole = 0;
        for (int i = 0; i < before.length; i++) {
          whole += (after[i] - before[i]) * (double) (after[i] - before[i]);
        }
        lostOf("norm")[0] += whole;
        lostOf("norm")[1] += whole;
      }
      return; // they went into the matrices
    }
    float[] before = old.read(from);
    float[] after = tuned.read(from);
    float[] there = now.read(to);
    for (int i = 0; i < before.length; i++) {
      int target = channels.target(i);
      if (target >= 0) {
        float ratio = before[i] == 0 ? 1 : there[target] / before[i];
        there[target] += (after[i] - before[i]) * ratio;
      }
    }
    now.write(to, there);
  }

  private void headNorm(Decoder tuned, String from, String to) {
    float[] before = old.read(from);
    float[] after = tuned.read(from);
    float[] there = now.read(to);
    if (there.length == before.length) {
      for (int i = 0; i < before.length; i++) {
        there[i] += after[i] - before[i];
      }
      now.write(to, there);
    }
  }

  /** Embedding and head: rows by tokens' texts, columns by channels. */
  private void vocabulary(Decoder tuned, TokenMap tokens, Map<Integer, int[]> pieces) {
    String embedding = DecoderConfig.EMBEDDING;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor change = change(tuned, embedding, null);
      Tensor there = found.embedding.forward(change.t().contiguous()).t().contiguous();
      add(embedding, rows(there, tokens, pieces));
      note("embed_tokens", change, found.embedding.backward(there.t().contiguous()).t());
    }
    if (now.config().tiedEmbeddings()) {
      return;
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      String from = old.config().tiedEmbeddings() ? embedding : DecoderConfig.HEAD;
      Tensor change = change(tuned, from, found.channels == null ? FINAL_NORM : null);
      Site site = new Site(FINAL_NORM, FINAL_NORM, found.last);
      Tensor there = site.reading(change);
      add(DecoderConfig.HEAD, rows(there, tokens, pieces));
      note("lm_head", change, site.readingBack(there));
    }
  }

  /** Rows of the new vocabulary; a token that the old one lacks gets the mean of its pieces'. */
  private float[] rows(Tensor change, TokenMap tokens, Map<Integer, int[]> pieces) {
    int width = Math.toIntExact(change.size(1));
    float[] olds = Floats.of(change);
    float[] news = new float[now.config().vocabularySize() * width];
    for (int id = 0; id < now.config().vocabularySize(); id++) {
      // Rows beyond both tokenizers are padding.
      int source = tokens.source(id);
      int[] from = source >= 0 ? new int[] {source} : pieces.getOrDefault(id, new int[0]);
      for (int piece : from) {
        for (int i = 0; i < width && (piece + 1) * width <= olds.length; i++) {
          news[id * width + i] += olds[piece * width + i] / from.length;
        }
      }
    }
    return news;
  }

  /** What the old tokenizer makes of the text of each token that only the new one has. */
  private static Map<Integer, int[]> pieces(Path oldBase, Path newBase) {
    TokenMap tokens = TokenMap.between(oldBase, newBase);
    Map<Integer, int[]> pieces = new TreeMap<>();
    try (RowEncoder ours = RowEncoder.load(oldBase);
        RowEncoder theirs = RowEncoder.load(newBase)) {
      for (int id = 0; id < tokens.newSize(); id++) {
        if (tokens.source(id) < 0) {
          String text = theirs.tokenizer().decode(new int[] {id}, false);
          if (!text.isEmpty() && text.indexOf('\uFFFD') < 0) {
            pieces.put(id, ours.tokenizer().encodePlain(text));
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    return pieces;
  }

  private void add(String name, float[] change) {
    float[] values = now.read(name);
    for (int i = 0; i < values.length; i++) {
      values[i] += change[i];
    }
    now.write(name, values);
  }

  private double[] lostOf(String module) {
    return lost.computeIfAbsent(module, m -> new double[2]);
  }

  /** Counts what of a change does not come back. */
  private void note(String module, Tensor change, Tensor back) {
    double whole = change.square().sum().item_float();
    double[] sums = lostOf(module);
    sums[0] += whole * Math.min(1, SpaceMap.lost(change, back));
    sums[1] += whole;
  }

  private AlignReport report(int tokens) {
    SortedMap<String, Double> byModule = new TreeMap<>();
    double gone = 0;
    double whole = 0;
    for (Map.Entry<String, double[]> one : lost.entrySet()) {
      double[] sums = one.getValue();
      byModule.put(one.getKey(), sums[1] == 0 ? 0 : sums[0] / sums[1]);
      gone += sums[0];
      whole += sums[1];
    }
    List<Integer> layers = new ArrayList<>();
    found.layers.forEach(map -> layers.add(map.layer()));
    return new AlignReport(
        layers,
        String.join(", ", found.ways),
        found.residualExplained,
        found.unitsExplained,
        found.valuesExplained,
        whole == 0 ? 0 : gone / whole,
        byModule,
        tokens);
  }

  /** What one module reads and writes, in both bases. */
  private final class Site {
    final LayerMap map;
    final @Nullable String norm;
    private final @Nullable String theirNorm;
    private final SpaceMap reads;
    private final SpaceMap writes;

    Site(int layer, String module) {
      this.map = found.layers.get(layer);
      boolean attention =
          module.equals("q_proj") || module.equals("k_proj") || module.equals("v_proj");
      boolean feedForward = module.equals("gate_proj") || module.equals("up_proj");
      String read = attention ? "input_layernorm" : feedForward ? "post_attention_layernorm" : null;
      this.norm = read == null ? null : name(layer, read);
      this.theirNorm = read == null ? null : name(map.layer(), read);
      this.reads =
          switch (module) {
            case "o_proj" -> map.context();
            case "down_proj" -> map.units();
            case "gate_proj", "up_proj" -> map.middle();
            default -> map.input();
          };
      this.writes =
          switch (module) {
            case "q_proj" -> map.queries();
            case "k_proj" -> map.keys();
            case "v_proj" -> map.values();
            case "o_proj" -> map.middleWrite();
            case "gate_proj" -> map.units().unscaled();
            case "up_proj" -> map.units();
            default -> map.outputWrite();
          };
    }

    /** Of the head, which writes to the vocabulary. */
    Site(String norm, String theirNorm, SpaceMap reads) {
      this.map = found.layers.get(0);
      this.norm = norm;
      this.theirNorm = theirNorm;
      this.reads = reads;
      this.writes = reads;
    }

    Tensor writing(Tensor change) {
      return writes.forward(change);
    }

    Tensor writingBack(Tensor change) {
      return writes.backward(change);
    }

    Tensor reading(Tensor change) {
      if (norm == null || theirNorm == null) {
        return reads.reading(change);
      }
      return reads
          .reading(change.mul(Natives.floats(old.read(norm))))
          .mul(Natives.floats(inverse(now.read(theirNorm))));
    }

    Tensor readingBack(Tensor change) {
      if (norm == null || theirNorm == null) {
        return reads.readingBack(change);
      }
      return reads
          .readingBack(change.mul(Natives.floats(now.read(theirNorm))))
          .mul(Natives.floats(inverse(old.read(norm))));
    }

    private float[] inverse(float[] scales) {
      double most = 0;
      for (float scale : scales) {
        most = Math.max(most, Math.abs(scale));
      }
      float[] inverse = new float[scales.length];
      for (int i = 0; i < scales.length; i++) {
        inverse[i] = Math.abs(scales[i]) <= CLOSED * most ? 0 : 1 / scales[i];
      }
      return inverse;
    }
  }
}
