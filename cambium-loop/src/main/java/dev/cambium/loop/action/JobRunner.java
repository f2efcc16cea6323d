package dev.cambium.loop.action;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.engine.Engine;
import dev.cambium.engine.LanguageModel;
import dev.cambium.engine.ProbeJob;
import dev.cambium.engine.TrainingJob;
import dev.cambium.engine.TrainingResult;
import dev.cambium.engine.transfer.AlignReport;
import dev.cambium.engine.transfer.CrossingReport;
import dev.cambium.engine.transfer.Merge;
import dev.cambium.engine.transfer.Transplant;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Outcome;
import dev.cambium.model.ProbeTask;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries out one job directory after another on an engine; see {@link Job} for the contract. */
final class JobRunner implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(JobRunner.class);

  /** Snapshots are taken this often, so that a crash loses little and steps are not slowed. */
  private static final int SNAPSHOT_STEPS = 50;

  private final Engine engine;
  private @Nullable LanguageModel loaded;
  private @Nullable String loadedFrom;

  JobRunner(Engine engine) {
    this.engine = engine;
  }

  void run(Path directory, Progress progress) throws IOException {
    JobResult result;
    long start = System.nanoTime();
    try {
      Job job = Json.read(Files.readAllBytes(directory.resolve(Job.ACTION)), Job.class);
      Path out = directory.resolve(Job.OUT);
      DirectoryTree.delete(out); // what a crash left half-written
      Files.createDirectories(out);
      carryOut(job, directory, out, progress);
      double seconds = (System.nanoTime() - start) / 1e9;
      result = new JobResult(null, seconds, files(out));
    } catch (IOException | RuntimeException e) {
      LOG.error("job {} failed", directory, e);
      String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      result = new JobResult(message, (System.nanoTime() - start) / 1e9, List.of());
    }
    Path building = directory.resolve(Job.RESULT + ".new");
    Files.write(building, Json.canonical(result));
    sync(building);
    Files.move(building, directory.resolve(Job.RESULT), StandardCopyOption.ATOMIC_MOVE);
  }

  private void carryOut(Job job, Path directory, Path out, Progress progress) throws IOException {
    Path version = out.resolve(ActionRunner.VERSION_PREFIX);
    if (job.action() instanceof Action.Train train) {
      unload(); // its memory is needed
      List<TrainingJob.RowSource> sources =
          train.mix().stream()
              .map(s -> new TrainingJob.RowSource(file(job, s.data()), s.weight()))
              .toList();
      Files.createDirectories(version);
      TrainingResult result =
          engine.train(
              new TrainingJob(
                  Path.of(Objects.requireNonNull(job.model())),
                  job.adapter() == null ? null : Path.of(job.adapter()),
                  train.recipe(),
                  sources,
                  train.seed(),
                  version,
                  directory.resolve(Job.SNAPSHOTS),
                  SNAPSHOT_STEPS,
                  train.earlier().stream().map(data -> file(job, data)).toList(),
                  job.newBase() == null ? null : Path.of(job.newBase()),
                  out.resolve(ActionRunner.SUBSPACE)),
              progress);
      Files.write(out.resolve(ActionRunner.TRAINING), Json.canonical(result));
    } else if (job.action() instanceof Action.Answer answer) {
      List<Row> right =
          model(job)
              .answers(
                  dev.cambium.engine.RowFile.read(file(job, answer.rows())),
                  answer.scorer(),
                  answer.temperature(),
                  answer.seed(),
                  progress);
      Files.write(out.resolve(ActionRunner.ANSWERS), RowFile.encode(right));
    } else if (job.action() instanceof Action.Consolidate) {
      unload(); // its memory is needed
      Files.createDirectories(version);
      engine.merge(
          Path.of(Objects.requireNonNull(job.model())),
          Path.of(Objects.requireNonNull(job.adapter())),
          version);
    } else if (job.action() instanceof Action.Transplant transplant) {
      Files.createDirectories(version);
      Path tuned = Path.of(Objects.requireNonNull(job.tuned()));
      Path oldBase = Path.of(Objects.requireNonNull(job.model()));
      Path newBase = Path.of(Objects.requireNonNull(job.newBase()));
      if (isAdapter(tuned) && isAdapter(oldBase)) {
        Transplant.adapters(oldBase, newBase, tuned, transplant.alpha(), version);
      } else if (isAdapter(tuned)) {
        Transplant.adapter(tuned, transplant::alpha, version);
      } else {
        Transplant.model(oldBase, newBase, tuned, transplant::alpha, version, progress);
      }
    } else if (job.action() instanceof Action.Merge merge) {
      unload(); // two whole models are compared in the end
      merge(job, merge, directory, version, progress);
    } else if (job.action() instanceof Action.Distill distill) {
      unload(); // its memory is needed
      Files.createDirectories(version);
      Path teacher = Path.of(Objects.requireNonNull(job.newBase()));
      Path adapter = job.tuned() == null ? null : Path.of(job.tuned());
      List<TrainingJob.RowSource> sources = new ArrayList<>();
      distill
          .mix()
          .forEach(s -> sources.add(new TrainingJob.RowSource(file(job, s.data()), s.weight())));
      Integer samples = distill.samples();
      if (samples != null) {
        Path questions = directory.resolve(Job.SNAPSHOTS).resolve("questions.jsonl");
        engine.questions(
            teacher,
            adapter,
            samples,
            distill.recipe().maxTokens(),
            distill.seed(),
            questions,
            progress);
        sources.add(new TrainingJob.RowSource(questions, 1));
      }
      TrainingResult result =
          engine.distill(
              new TrainingJob(
                  Path.of(Objects.requireNonNull(job.model())),
                  job.adapter() == null ? null : Path.of(job.adapter()),
                  distill.recipe(),
                  sources,
                  distill.seed(),
                  version,
                  directory.resolve(Job.SNAPSHOTS),
                  SNAPSHOT_STEPS),
              teacher,
              adapter,
              progress);
      Files.write(out.resolve(ActionRunner.TRAINING), Json.canonical(result));
    } else if (job.action() instanceof Action.Crossing crossing) {
      unload(); // its memory is needed
      CrossingReport report =
          engine.crossing(
              Path.of(Objects.requireNonNull(job.model())),
              Path.of(Objects.requireNonNull(job.newBase())),
              crossing.text().stream().map(data -> file(job, data)).toList(),
              progress);
      Files.write(out.resolve(ActionRunner.CROSSING), Json.canonical(report));
    } else if (job.action() instanceof Action.Align align) {
      unload(); // its memory is needed
      Files.createDirectories(version);
      AlignReport report =
          engine.align(
              Path.of(Objects.requireNonNull(job.model())),
              Path.of(Objects.requireNonNull(job.newBase())),
              Path.of(Objects.requireNonNull(job.tuned())),
              align.calibration().stream().map(data -> file(job, data)).toList(),
              version,
              progress);
      Files.write(out.resolve(ActionRunner.ALIGNMENT), Json.canonical(report));
    } else if (job.action() instanceof Action.Evaluate evaluate) {
      List<Item> items = new ArrayList<>();
      try (Stream<String> lines = Files.lines(file(job, evaluate.suite()))) {
        lines
            .skip(evaluate.from())
            .limit(evaluate.to() - evaluate.from())
            .forEach(l -> items.add(Json.read(l.getBytes(StandardCharsets.UTF_8), Item.class)));
      }
      if (items.size() != evaluate.to() - evaluate.from()) {
        throw new IOException("the suite has no items " + evaluate.from() + " to " + evaluate.to());
      }
      List<Outcome> outcomes = model(job).evaluate(items, evaluate.scorer(), progress);
      StringBuilder text = new StringBuilder();
      for (Outcome outcome : outcomes) {
        text.append(new String(Json.canonical(outcome), StandardCharsets.UTF_8)).append('\n');
      }
      Files.writeString(out.resolve(ActionRunner.OUTCOMES), text);
    } else if (job.action() instanceof Action.Probe probe) {
      unload(); // its memory is needed
      Files.write(
          out.resolve(ActionRunner.PROBE),
          Json.canonical(engine.probe(probeJob(job, probe, directory), progress)));
    }
  }

  /** The results of finished tasks are this probe's snapshots. */
  private static ProbeJob probeJob(Job job, Action.Probe probe, Path directory) throws IOException {
    try (Stream<String> lines = Files.lines(file(job, probe.tasks()))) {
      return new ProbeJob(
          Path.of(Objects.requireNonNull(job.model())),
          job.adapter() == null ? null : Path.of(job.adapter()),
          probe.recipe(),
          probe.every(),
          lines
              .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), ProbeTask.class))
              .toList(),
          directory.resolve(Job.SNAPSHOTS));
    }
  }

  private static boolean isAdapter(Path version) {
    return Files.exists(version.resolve("adapter_config.json"));
  }

  /** A crash begins it anew: it takes seconds for each gigabyte, and nothing of it is random. */
  private void merge(Job job, Action.Merge merge, Path directory, Path version, Progress progress) {
    Path whole = directory.resolve("whole");
    DirectoryTree.delete(whole);
    List<Path> models = new ArrayList<>();
    List<List<Path>> texts = new ArrayList<>();
    for (Action.Source source : merge.sources()) {
      Path model = file(job, source.model());
      if (source.adapter() != null) {
        Path merged = whole.resolve(Integer.toString(models.size()));
        engine.merge(model, file(job, source.adapter()), merged);
        model = merged;
      }
      models.add(model);
      texts.add(source.text().stream().map(text -> file(job, text)).toList());
    }
    Merge.by(merge.method())
        .base(merge.base() == null ? null : file(job, merge.base()))
        .texts(merge.method().needsCalibration() ? texts : List.of())
        .progress(progress)
        .into(version, models);
    DirectoryTree.delete(whole);
  }

  private static Path file(Job job, Digest artifact) {
    String path = job.files().get(artifact);
    if (path == null) {
      throw new IllegalArgumentException("job lacks the file of " + artifact);
    }
    return Path.of(path);
  }

  /**
   * The model of an evaluation; the last one stays loaded, since pieces of one suite follow, and
   * other applications of the same model where a prompt is searched for.
   */
  private LanguageModel model(Job job) throws IOException {
    String wanted = job.model() + "\n" + job.adapter();
    Application application =
        job.application() == null
            ? null
            : Json.read(Files.readAllBytes(Path.of(job.application())), Application.class);
    LanguageModel model = loaded;
    if (model == null || !wanted.equals(loadedFrom)) {
      unload();
      model =
          engine.load(
              Path.of(Objects.requireNonNull(job.model())),
              job.adapter() == null ? null : Path.of(job.adapter()),
              application);
      loaded = model;
      loadedFrom = wanted;
    } else {
      model.frame(application);
    }
    return model;
  }

  private void unload() {
    if (loaded != null) {
      loaded.close();
      loaded = null;
      loadedFrom = null;
    }
  }

  private static List<FileEntry> files(Path out) throws IOException {
    List<FileEntry> entries = new ArrayList<>();
    try (Stream<Path> paths = Files.walk(out)) {
      for (Path path : paths.filter(Files::isRegularFile).sorted().toList()) {
        entries.add(
            new FileEntry(
                out.relativize(path).toString().replace('\\', '/'),
                Files.size(path),
                digest(path)));
        sync(path);
      }
    }
    return entries;
  }

  private static Digest digest(Path file) throws IOException {
    MessageDigest sha256 = Digest.sha256();
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        sha256.update(buffer, 0, n);
      }
    }
    return Digest.ofRaw(sha256.digest());
  }

  private static void sync(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  @Override
  public void close() {
    unload();
  }
}
