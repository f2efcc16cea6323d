package dev.cambium.engine;

import dev.cambium.artifact.huggingface.LoraConfig;
import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.backend.Backend;
import dev.cambium.engine.backend.Memory;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.LoraAdapter;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.engine.text.Encoded;
import dev.cambium.engine.text.ModelText;
import dev.cambium.engine.text.ProbeFile;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.engine.text.TemplateException;
import dev.cambium.engine.training.DataMix;
import dev.cambium.engine.training.TokenRow;
import dev.cambium.engine.training.Trainer;
import dev.cambium.engine.training.TrainingReport;
import dev.cambium.model.Application;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The neural engine of this process. Loading it takes about two seconds, once. One thread at a
 * time.
 */
public final class Engine {

  /** Raised by every change that gives other bytes for the same action. */
  private static final int REVISION = 3;

  private final Backend backend;

  private Engine(Backend backend) {
    this.backend = backend;
  }

  /** Loads the native libraries, if no one has yet. */
  public static Engine open() {
    return new Engine(Backend.instance());
  }

  /**
   * What must be equal for the same action to give the same bytes: this engine's revision, library
   * versions, BLAS, kernels, threads, precision.
   */
  public String fingerprint() {
    return "cambium-" + REVISION + "/" + backend.fingerprint();
  }

  /**
   * Loads a model.
   *
   * @param model Hugging Face directory
   * @param adapter PEFT directory of an adapter on it
   * @param application what is put around conversations
   * @throws IllegalArgumentException if a file is not what it should be, tokenizer and weights do
   *     not belong together, or the adapter does not change the logits
   */
  public LanguageModel load(Path model, @Nullable Path adapter, @Nullable Application application) {
    return LanguageModel.load(model, adapter, application);
  }

  /**
   * Trains, and writes the result into the job's directory: a complete model directory, text files
   * unchanged, or a PEFT adapter directory.
   *
   * <p>The result depends on the model, the adapter, the recipe, the rows with their weights in
   * their order, and the seed; not on where the files lie, nor on interruptions.
   *
   * @throws IllegalArgumentException naming the file and the row that cannot be learnt from
   */
  public TrainingResult train(TrainingJob job, Progress progress) {
    long start = System.nanoTime();
    Recipe recipe = job.recipe();
    try (RowEncoder encoder = LanguageModel.encoder(job.model(), job.adapter());
        Decoder decoder = Decoder.load(job.model())) {
      if (job.adapter() == null) {
        LanguageModel.checkVocabulary(job.model(), encoder, decoder.config());
      }
      if (recipe.maxTokens() > decoder.config().contextLength()) {
        throw new IllegalArgumentException(
            "the recipe's max-tokens is "
                + recipe.maxTokens()
                + ", the model's longest context "
                + decoder.config().contextLength());
      }
      DataMix mix = encode(job.sources(), encoder, progress);
      Trainer.Builder trainer =
          Trainer.builder(recipe)
              .seed(job.seed())
              .progress("train", progress)
              .snapshots(job.snapshots(), job.snapshotEvery())
              .earlier(encodeFiles(job.earlier(), encoder, progress));
      TrainingReport report;
      long parameters;
      if (recipe.lora() == null) {
        report = train(job, trainer, decoder, mix);
        parameters = decoder.parameters();
        decoder.save(job.out(), precision(job.model()));
        copyText(job.model(), job.out());
      } else if (stacks(job)) {
        return stacked(job, recipe.lora(), trainer, decoder, mix, start);
      } else {
        try (LoraAdapter adapter = adapter(job, decoder)) {
          report = trainer.build().train(decoder, adapter, mix);
          parameters = adapter.parameters();
          adapter.save(job.out(), Precision.F32);
          copyOwnText(job.adapter(), job.out());
        }
      }
      return result(job, report, mix.size(), parameters, (System.nanoTime() - start) / 1e9);
    } finally {
      Memory.giveBack();
    }
  }

  /**
   * Lets copies of a model learn the tasks of a probe; see {@link Prober}. What was finished before
   * an interruption is not done again.
   *
   * @throws IllegalArgumentException if a file is not what it should be, or a task's rows do not
   *     fit the model's context
   */
  public ProbeResult probe(ProbeJob job, Progress progress) {
    try {
      return new Prober(job, progress).run();
    } finally {
      Memory.giveBack();
    }
  }

  /** The files of a tokenizer that an adapter brings. */
  private static void copyOwnText(@Nullable Path adapter, Path out) {
    if (adapter != null && Files.exists(adapter.resolve("tokenizer.json"))) {
      try {
        Files.deleteIfExists(out.resolve(ProbeFile.NAME)); // those of the base's tokenizer
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write " + out, e);
      }
      copyText(adapter, out);
    }
  }

  /**
   * Writes a model with an adapter's update in its weights: a complete model directory, stored in
   * the type of the base, with the adapter's tokenizer where it brings one.
   *
   * @param model Hugging Face directory
   * @param adapter PEFT directory of an adapter on it
   * @param out directory of the result; made if it is not there
   * @throws IllegalArgumentException if the adapter does not fit the model
   */
  public void merge(Path model, Path adapter, Path out) {
    try (Decoder decoder = Decoder.load(model);
        LoraAdapter lora = LoraAdapter.load(adapter, decoder.config());
        Decoder merged = decoder.merged(lora)) {
      merged.save(out, precision(model));
      copyText(model, out);
      copyOwnText(adapter, out);
    }
  }

  private static TrainingReport train(
      TrainingJob job, Trainer.Builder trainer, Decoder decoder, DataMix mix) {
    Protection protect = job.recipe().protect();
    if (job.foundation() == null || protect == null || protect.spectral() == null) {
      return trainer.build().train(decoder, mix);
    }
    try (Decoder foundation = Decoder.load(job.foundation())) {
      return trainer.foundation(foundation).build().train(decoder, mix);
    }
  }

  /** Whether the adapter before stays as it is and a new one is laid on it. */
  private static boolean stacks(TrainingJob job) {
    Protection protect = job.recipe().protect();
    return job.adapter() != null && protect != null && protect.orthogonal() != null;
  }

  private static TrainingResult stacked(
      TrainingJob job,
      Recipe.Lora shape,
      Trainer.Builder trainer,
      Decoder decoder,
      DataMix mix,
      long start) {
    Path earlier = java.util.Objects.requireNonNull(job.adapter());
    try (LoraAdapter released = LoraAdapter.load(earlier, decoder.config());
        LoraAdapter adapter =
            LoraAdapter.random(decoder.config(), LoraConfig.of(shape), job.seed())) {
      decoder.merge(released);
      TrainingReport report = trainer.released(released).build().train(decoder, adapter, mix);
      try (LoraAdapter both = LoraAdapter.stack(released, adapter)) {
        both.save(job.out(), Precision.F32);
      }
      return result(
          job, report, mix.size(), adapter.parameters(), (System.nanoTime() - start) / 1e9);
    }
  }

  private static LoraAdapter adapter(TrainingJob job, Decoder decoder) {
    Recipe.Lora lora = job.recipe().lora();
    if (lora == null) {
      throw new IllegalArgumentException("a recipe without lora makes no adapter");
    }
    return job.adapter() == null
        ? LoraAdapter.fresh(decoder, LoraConfig.of(lora), job.seed())
        : LoraAdapter.load(job.adapter(), decoder.config());
  }

  private static TrainingResult result(
      TrainingJob job, TrainingReport report, int rows, long parameters, double seconds) {
    if (job.subspace() != null && report.subspace() != null) {
      report.subspace().write(job.subspace());
    }
    List<Float> losses = new ArrayList<>();
    for (float loss : report.losses()) {
      losses.add(loss);
    }
    return new TrainingResult(
        losses,
        report.finalLoss(),
        rows,
        report.tokens(),
        report.supervisedTokens(),
        report.cutRows(),
        report.droppedRows(),
        parameters,
        report.resumedFrom(),
        seconds,
        report.telemetry());
  }

  private static DataMix encode(
      List<TrainingJob.RowSource> sources, RowEncoder encoder, Progress progress) {
    List<DataMix.Source> encoded = new ArrayList<>();
    for (int i = 0; i < sources.size(); i++) {
      Path file = sources.get(i).rows();
      List<TokenRow> tokens = encodeFiles(List.of(file), encoder, progress);
      if (tokens.isEmpty()) {
        throw new IllegalArgumentException(file + " has no rows to learn from");
      }
      // Named by place, not by path: the name decides the order of rows.
      encoded.add(new DataMix.Source("source " + (i + 1), sources.get(i).weight(), tokens));
    }
    return new DataMix(encoded);
  }

  private static List<TokenRow> encodeFiles(
      List<Path> files, RowEncoder encoder, Progress progress) {
    List<TokenRow> tokens = new ArrayList<>();
    for (Path file : files) {
      List<Row> rows = RowFile.read(file);
      for (int r = 0; r < rows.size(); r++) {
        if (r % 100 == 0) {
          progress.at("encode", r, rows.size(), "");
        }
        tokenRow(rows.get(r), file, encoder, tokens);
      }
      progress.at("encode", rows.size(), rows.size(), "");
    }
    return tokens;
  }

  /** Adds a row's tokens; a row of fewer than two has nothing to learn and is left out. */
  private static void tokenRow(Row row, Path file, RowEncoder encoder, List<TokenRow> into) {
    Encoded encoded;
    try {
      encoded = encoder.row(row, Integer.MAX_VALUE);
    } catch (TemplateException | IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ", row " + row.id() + ": " + e.getMessage(), e);
    }
    if (encoded.ids().length < 2) {
      return;
    }
    BitSet supervised = new BitSet();
    for (int i = 0; i < encoded.supervised().length; i++) {
      supervised.set(i, encoded.supervised()[i]);
    }
    into.add(new TokenRow(encoded.ids(), supervised));
  }

  /** How a model's weights are stored, by its first matrix; its children are stored alike. */
  static Precision precision(Path model) {
    try (Stream<Path> files = Files.list(model)) {
      Path first =
          files
              .filter(f -> f.getFileName().toString().endsWith(".safetensors"))
              .sorted()
              .findFirst()
              .orElseThrow(() -> new IllegalArgumentException(model + " has no .safetensors file"));
      try (SafetensorsFile tensors = SafetensorsFile.open(first)) {
        TensorInfo matrix =
            tensors.tensors().values().stream()
                .filter(t -> t.shape().size() == 2)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(first + " has no matrix"));
        return Precision.valueOf(matrix.dtype().label());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + model, e);
    }
  }

  static void copyText(Path from, Path to) {
    try {
      Files.createDirectories(to);
      for (Path file : ModelText.files(from)) {
        Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot copy the text files of " + from + " to " + to, e);
    }
  }
}
