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
import dev.cambium.engine.text.TokenMap;
import dev.cambium.engine.training.DataMix;
import dev.cambium.engine.training.StudentAnswers;
import dev.cambium.engine.training.Teacher;
import dev.cambium.engine.training.TokenRow;
import dev.cambium.engine.training.Trainer;
import dev.cambium.engine.training.TrainingReport;
import dev.cambium.engine.transfer.Align;
import dev.cambium.engine.transfer.AlignReport;
import dev.cambium.engine.transfer.Crossing;
import dev.cambium.engine.transfer.CrossingReport;
import dev.cambium.model.Application;
import dev.cambium.model.Distillation;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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
  private static final int REVISION = 5;

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
      requireContext(recipe, decoder);
      DataMix mix = encode(job.sources(), encoder, progress);
      Trainer.Builder trainer =
          Trainer.builder(recipe)
              .seed(job.seed())
              .progress("train", progress)
              .snapshots(job.snapshots(), job.snapshotEvery())
              .earlier(encodeFiles(job.earlier(), encoder, progress));
      return carryOut(job, trainer, decoder, mix, start);
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

  /** Trains and writes the result. */
  private static TrainingResult carryOut(
      TrainingJob job, Trainer.Builder trainer, Decoder decoder, DataMix mix, long start) {
    TrainingReport report;
    long parameters;
    Recipe.Lora lora = job.recipe().lora();
    if (lora == null) {
      report = train(job, trainer, decoder, mix);
      parameters = decoder.parameters();
      decoder.save(job.out(), precision(job.model()));
      copyText(job.model(), job.out());
    } else if (stacks(job)) {
      return stacked(job, lora, trainer, decoder, mix, start);
    } else {
      try (LoraAdapter adapter = adapter(job, decoder)) {
        report = trainer.build().train(decoder, adapter, mix);
        parameters = adapter.parameters();
        adapter.save(job.out(), Precision.F32);
        copyOwnText(job.adapter(), job.out());
      }
    }
    return result(job, report, mix.size(), parameters, (System.nanoTime() - start) / 1e9);
  }

  /**
   * Trains a student to answer as a teacher does, and writes it into the job's directory. Prompts
   * are those of the job's rows; of the answers a share is the student's own, the rest is recorded.
   * Of a conversation the last turn is learnt.
   *
   * @param job with {@link Recipe#distill}; its model and adapter are the student
   * @param teacherModel Hugging Face directory
   * @param teacherAdapter PEFT directory of an adapter on it
   * @throws IllegalArgumentException naming the file and the row that cannot be learnt from
   */
  public TrainingResult distill(
      TrainingJob job, Path teacherModel, @Nullable Path teacherAdapter, Progress progress) {
    long start = System.nanoTime();
    Recipe recipe = job.recipe();
    Distillation how = recipe.distill();
    if (how == null) {
      throw new IllegalArgumentException("the recipe does not say how to distill");
    }
    if (how.labels() == 1) { // nothing is left for a teacher to say
      return train(job.with(recipe.withDistillation(null)), progress);
    }
    try (RowEncoder encoder = LanguageModel.encoder(job.model(), job.adapter());
        RowEncoder theirEncoder = LanguageModel.encoder(teacherModel, teacherAdapter);
        Decoder teacher = Decoder.load(teacherModel);
        Decoder decoder = Decoder.load(job.model())) {
      requireContext(recipe, decoder);
      Path own = withTokenizer(job.model(), job.adapter());
      Path theirs = withTokenizer(teacherModel, teacherAdapter);
      Lessons lessons =
          Lessons.read(job.sources(), encoder, theirEncoder, recipe, teacher.config());
      Teacher objective =
          new Teacher(
              new Teacher.Side(decoder, encoder.tokenizer(), lessons.endOfTurn()),
              new Teacher.Side(teacher, theirEncoder.tokenizer(), lessons.theirEndOfTurn()),
              TokenMap.between(own, theirs),
              how);
      lessons.prompts().forEach(pair -> objective.prompt(pair.ours(), pair.theirs()));
      Trainer.Builder trainer =
          Trainer.builder(recipe)
              .seed(job.seed())
              .progress("distill", progress)
              .snapshots(job.snapshots(), job.snapshotEvery())
              .objective(objective)
              .practice(
                  new StudentAnswers(
                      how.onPolicy(),
                      how.temperature(),
                      recipe.maxTokens(),
                      encoder.tokenizer().stopIds(),
                      lessons.endOfTurn(),
                      objective::knows,
                      job.seed()));
      @Nullable LoraAdapter attached =
          teacherAdapter == null ? null : LoraAdapter.load(teacherAdapter, teacher.config());
      try {
        if (attached != null) {
          teacher.attach(attached);
        }
        return carryOut(job, trainer, decoder, lessons.mix(), start);
      } finally {
        teacher.detach();
        if (attached != null) {
          attached.close();
        }
      }
    } finally {
      Memory.giveBack();
    }
  }

  /**
   * Writes rows that a model makes up: questions as it would expect them, and its answers (after Xu
   * et al., 2024). Without a chat template, texts. Does nothing if the file is there.
   *
   * @param count of questions drawn; blank ones are left out
   * @param maxTokens longest question, and longest answer
   * @throws IllegalArgumentException if nothing usable comes of it
   */
  public void questions(
      Path model,
      @Nullable Path adapter,
      int count,
      int maxTokens,
      long seed,
      Path out,
      Progress progress) {
    if (Files.exists(out)) {
      return;
    }
    try (LanguageModel teacher = LanguageModel.load(model, adapter, null)) {
      List<Row> rows = teacher.questions(count, maxTokens, seed, progress);
      if (rows.isEmpty()) {
        throw new IllegalArgumentException(
            (adapter == null ? model : adapter)
                + ": the model makes up no questions: it ends before it begins");
      }
      Path building = out.resolveSibling(out.getFileName() + ".new");
      StringBuilder lines = new StringBuilder();
      for (Row row : rows) {
        lines.append(new String(Json.canonical(row), StandardCharsets.UTF_8)).append('\n');
      }
      Files.writeString(building, lines);
      Files.move(building, out, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + out, e);
    } finally {
      Memory.giveBack();
    }
  }

  private static Path withTokenizer(Path model, @Nullable Path adapter) {
    return adapter != null && Files.exists(adapter.resolve("tokenizer.json")) ? adapter : model;
  }

  private static void requireContext(Recipe recipe, Decoder decoder) {
    if (recipe.maxTokens() > decoder.config().contextLength()) {
      throw new IllegalArgumentException(
          "the recipe's max-tokens is "
              + recipe.maxTokens()
              + ", the model's longest context "
              + decoder.config().contextLength());
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

  /**
   * Carries a change to a base whose parts lie elsewhere; see {@link Align}.
   *
   * @param oldBase Hugging Face directory of what {@code tuned} was made from
   * @param newBase Hugging Face directory of the base it is carried to
   * @param tuned PEFT directory of an adapter, or Hugging Face directory of a model
   * @param calibration files of rows
   * @param out directory of the result, of the kind of {@code tuned}; made if it is not there
   * @throws IllegalArgumentException saying why it cannot be done
   */
  public AlignReport align(
      Path oldBase, Path newBase, Path tuned, List<Path> calibration, Path out, Progress progress) {
    List<Row> rows = new ArrayList<>();
    calibration.forEach(file -> rows.addAll(RowFile.read(file)));
    if (Files.exists(tuned.resolve("adapter_config.json"))) {
      AlignReport report = Align.adapter(oldBase, newBase, tuned, rows, out, progress);
      copyOwnText(tuned, out);
      return report;
    }
    AlignReport report =
        Align.model(oldBase, newBase, tuned, rows, out, precision(newBase), progress);
    copyText(newBase, out);
    return report;
  }

  /**
   * The loss on the straight line between two bases; see {@link Crossing}.
   *
   * @param text files of rows
   */
  public CrossingReport crossing(Path oldBase, Path newBase, List<Path> text, Progress progress) {
    List<Row> rows = new ArrayList<>();
    text.forEach(file -> rows.addAll(RowFile.read(file)));
    try {
      return Crossing.measure(oldBase, newBase, rows, progress);
    } finally {
      Memory.giveBack();
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
