package dev.cambium.engine;

import dev.cambium.artifact.DurableFile;
import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.text.Encoded;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.Tokenizer;
import dev.cambium.engine.training.DataMix;
import dev.cambium.engine.training.DivergenceException;
import dev.cambium.engine.training.TokenRow;
import dev.cambium.engine.training.Trainer;
import dev.cambium.model.Json;
import dev.cambium.model.ProbeTask;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures how well a model still learns: forks it for every task of a probe, trains the fork on
 * the task's few rows, all of them in every step, and looks every few steps how well the measured
 * answers are known. A model that has lost plasticity needs more steps than the one that it comes
 * from (Dohare et al., "Loss of plasticity in deep continual learning", Nature 632, 2024; Lyle et
 * al., "Understanding plasticity in neural networks", 2023).
 *
 * <p>A version that is an adapter counts as what it makes of its base: its update is added to the
 * weights first, and what a recipe of method {@code lora} then trains is a fresh adapter on that.
 *
 * <p>A fork whose loss or gradient is no finite number has diverged; that is a finding about it and
 * ends its run, not the probe.
 */
final class Prober {

  private static final Logger log = LoggerFactory.getLogger(Prober.class);

  private final ProbeJob job;
  private final Progress progress;

  Prober(ProbeJob job, Progress progress) {
    this.job = job;
    this.progress = progress;
  }

  ProbeResult run() {
    List<ProbeResult.Run> runs = new ArrayList<>();
    try (RowEncoder encoder = LanguageModel.encoder(job.model(), job.adapter());
        Decoder decoder = effective()) {
      LanguageModel.checkVocabulary(job.model(), encoder, decoder.config());
      for (int i = 0; i < job.tasks().size(); i++) {
        Path file = job.finished().resolve(String.format(Locale.ROOT, "task-%04d.json", i));
        ProbeResult.@Nullable Run run = finished(file, job.tasks().get(i));
        if (run == null) {
          run = learn(job.tasks().get(i), encoder, decoder, i);
          byte[] bytes = Json.canonical(run);
          DurableFile.write(file, channel -> channel.write(ByteBuffer.wrap(bytes)));
        }
        runs.add(run);
      }
    }
    return new ProbeResult(runs);
  }

  private static ProbeResult.@Nullable Run finished(Path file, ProbeTask task) {
    if (!Files.exists(file)) {
      return null;
    }
    try {
      ProbeResult.Run run = Json.read(Files.readAllBytes(file), ProbeResult.Run.class);
      if (run.task().equals(task.task()) && run.seed() == task.seed()) {
        return run;
      }
      log.warn("{} is about {}, not {}; done again", file, run.task(), task.task());
    } catch (IllegalArgumentException e) {
      log.warn("{} is damaged ({}); done again", file, e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
    return null;
  }

  /** The model as the version makes it. */
  private Decoder effective() {
    Decoder decoder = Decoder.load(job.model());
    if (job.adapter() == null) {
      return decoder;
    }
    try (decoder;
        LoraAdapter own = LoraAdapter.load(job.adapter(), decoder.config())) {
      return decoder.merged(own);
    }
  }

  private ProbeResult.Run learn(ProbeTask task, RowEncoder encoder, Decoder decoder, int number) {
    long start = System.nanoTime();
    int context = decoder.config().contextLength();
    List<TokenRow> train = encode(task.train(), task, encoder, context);
    Curve curve = new Curve(encode(task.measured(), task, encoder, context), task, number);
    Recipe recipe = job.recipe().withBatchRows(train.size());
    Trainer.Builder trainer = Trainer.builder(recipe).seed(task.seed()).telemetry(false);
    curve.look(decoder, 0);
    if (curve.divergedAt == null) {
      try {
        fork(trainer, recipe, decoder, DataMix.of(train), task.seed(), curve);
      } catch (DivergenceException e) {
        log.info("{} with seed {} diverged: {}", task.task(), task.seed(), e.getMessage());
        curve.diverged((int) e.step());
      }
    }
    return new ProbeResult.Run(
        task.task(),
        task.kind(),
        task.seed(),
        job.every(),
        curve.losses,
        curve.divergedAt,
        (System.nanoTime() - start) / 1e9);
  }

  private static void fork(
      Trainer.Builder trainer,
      Recipe recipe,
      Decoder decoder,
      DataMix mix,
      long seed,
      Curve curve) {
    if (recipe.lora() == null) {
      try (Decoder copy = decoder.copy()) {
        trainer.afterStep(done -> curve.after(copy, done)).build().train(copy, mix);
      }
      return;
    }
    try (LoraAdapter adapter = LoraAdapter.fresh(decoder, LoraConfig.of(recipe.lora()), seed)) {
      trainer.afterStep(done -> curve.after(decoder, done)).build().train(decoder, adapter, mix);
    }
  }

  private static List<TokenRow> encode(
      List<Row> rows, ProbeTask task, RowEncoder encoder, int context) {
    List<TokenRow> encoded = new ArrayList<>();
    for (Row row : rows) {
      TokenRow tokens = encoder.hasTemplate() ? conversation(row, encoder) : text(row, encoder);
      if (tokens.length() > context) {
        throw new IllegalArgumentException(
            "probe task "
                + task.task()
                + ", row "
                + row.id()
                + " has "
                + tokens.length()
                + " tokens, the model's longest context "
                + context);
      }
      encoded.add(tokens);
    }
    return encoded;
  }

  private static TokenRow conversation(Row row, RowEncoder encoder) {
    Encoded encoded = encoder.row(row, Integer.MAX_VALUE);
    BitSet supervised = new BitSet();
    for (int i = 0; i < encoded.supervised().length; i++) {
      supervised.set(i, encoded.supervised()[i]);
    }
    return new TokenRow(encoded.ids(), supervised);
  }

  /** For models that take plain text only. */
  private static TokenRow text(Row row, RowEncoder encoder) {
    Tokenizer tokenizer = encoder.tokenizer();
    int[] question = tokenizer.encodeDocument(row.messages().get(0).content() + "\n");
    int[] answer = tokenizer.encodePlain(row.messages().get(1).content());
    int[] both = Arrays.copyOf(question, question.length + answer.length);
    System.arraycopy(answer, 0, both, question.length, answer.length);
    return TokenRow.from(both, question.length);
  }

  /** What the looks at one run saw. */
  private final class Curve {
    private final int[][] rows;
    private final BitSet[] supervised;
    private final ProbeTask task;
    private final int number;
    final List<Double> losses = new ArrayList<>();
    @Nullable Integer divergedAt;

    Curve(List<TokenRow> measured, ProbeTask task, int number) {
      this.rows = measured.stream().map(TokenRow::tokens).toArray(int[][]::new);
      this.supervised = measured.stream().map(TokenRow::supervised).toArray(BitSet[]::new);
      this.task = task;
      this.number = number;
    }

    void after(Decoder decoder, int done) {
      if (divergedAt == null && done % job.every() == 0) {
        look(decoder, done);
      }
      long steps = job.recipe().steps();
      progress.at(
          "probe",
          number * steps + done,
          job.tasks().size() * steps,
          task.task() + (losses.isEmpty() ? "" : String.format(Locale.ROOT, " %.2f", last())));
    }

    private double last() {
      return losses.get(losses.size() - 1);
    }

    void look(Decoder decoder, int done) {
      int[] from = Arrays.stream(supervised).mapToInt(marks -> marks.nextSetBit(0)).toArray();
      float[][] logs = decoder.logProbabilities(rows, from);
      double sum = 0;
      for (int r = 0; r < rows.length; r++) {
        for (int t = from[r]; t >= 0; t = supervised[r].nextSetBit(t + 1)) {
          sum -= logs[r][t - from[r]];
        }
      }
      double loss = sum / rows.length;
      if (Double.isFinite(loss)) {
        losses.add(loss);
      } else {
        diverged(done);
      }
    }

    void diverged(int step) {
      divergedAt = Objects.requireNonNullElse(divergedAt, step);
    }
  }
}
