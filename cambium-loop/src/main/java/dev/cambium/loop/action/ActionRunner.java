package dev.cambium.loop.action;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.DirectoryTree;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.Precondition;
import dev.cambium.ledger.Recorded;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Carries out actions, each once. An action that the ledger knows is answered from there; one that
 * a crash interrupted finds its job directory again and goes on. The result counts when its record
 * is in the ledger, and not before.
 */
public final class ActionRunner {

  /** Outputs below this prefix are the files of a version. */
  public static final String VERSION_PREFIX = "version/";

  /** Output of an evaluation: one {@link dev.cambium.model.Outcome} a line. */
  public static final String OUTCOMES = "outcomes.jsonl";

  /** Output of a training: its {@link dev.cambium.engine.TrainingResult}. */
  public static final String TRAINING = "training.json";

  /** Output of an answering: the rows that were kept, as JSON lines. */
  public static final String ANSWERS = "answers.jsonl";

  /** Output of a probe: its {@link dev.cambium.engine.ProbeResult}. */
  public static final String PROBE = "probe.json";

  /** Output of a training: its {@link dev.cambium.engine.training.UpdateSubspace}. */
  public static final String SUBSPACE = "subspace.safetensors";

  /** Output of an alignment: its {@link dev.cambium.engine.transfer.AlignReport}. */
  public static final String ALIGNMENT = "align.json";

  /** Output of a crossing: its {@link dev.cambium.engine.transfer.CrossingReport}. */
  public static final String CROSSING = "crossing.json";

  /** Output of a search for a wording: its {@link dev.cambium.loop.plan.PromptSearch.Found}. */
  public static final String PROMPT = "prompt.json";

  private final Ledger ledger;
  private final ArtifactStore store;
  private final VersionFiles versions;
  private final JobExecutor executor;
  private final Path jobs;
  private final String actor;
  private final Map<Digest, Object> turns = new ConcurrentHashMap<>();
  private final AtomicLong carriedOut = new AtomicLong();
  private final AtomicLong memoised = new AtomicLong();

  public ActionRunner(
      Ledger ledger,
      ArtifactStore store,
      VersionFiles versions,
      JobExecutor executor,
      Path jobs,
      String actor) {
    this.ledger = ledger;
    this.store = store;
    this.versions = versions;
    this.executor = executor;
    this.jobs = jobs;
    this.actor = actor;
  }

  /**
   * Carries out an action, or returns what it gave before. Of two threads that ask for the same
   * one, the second waits for what the first gets: they would share a job directory.
   *
   * @throws ActionFailedException if it could not be carried out
   * @throws WorkerLostException if what was to carry it out was lost
   */
  public ActionResult run(Action action, Progress progress) {
    String fingerprint = executor.fingerprint();
    Digest key = action.key(fingerprint);
    synchronized (turns.computeIfAbsent(key, k -> new Object())) {
      return run(action, key, fingerprint, progress);
    }
  }

  private ActionResult run(Action action, Digest key, String fingerprint, Progress progress) {
    Optional<ActionResult> known = known(key);
    if (known.isPresent()) {
      return known.get();
    }
    try {
      Path directory = jobs.resolve(key.hex());
      prepare(directory, key, action);
      if (!Files.exists(directory.resolve(Job.RESULT))) {
        executor.execute(directory, progress);
      }
      ActionResult result;
      try {
        result = record(directory, key, action, fingerprint);
      } catch (ActionFailedException e) {
        DirectoryTree.delete(directory); // or the same result would be looked at for ever
        throw e;
      }
      carriedOut.incrementAndGet();
      return result;
    } catch (IOException e) {
      throw new UncheckedIOException("action " + action.kind() + " " + key.brief(), e);
    }
  }

  /**
   * What an action gave that is made of others.
   *
   * @param outputs bytes by path
   * @param seconds that the others took
   */
  public record Composed(Map<String, byte[]> outputs, double seconds) {
    public Composed {
      outputs = Map.copyOf(outputs);
    }
  }

  /**
   * Records an action that does nothing beside other actions, or returns what it gave before; see
   * {@link #run}.
   *
   * @param work carries the others out and says what they come to. A run that was killed in it asks
   *     it again, and those that were finished are answered from the ledger
   */
  public ActionResult compose(Action action, Supplier<Composed> work) {
    String fingerprint = executor.fingerprint();
    Digest key = action.key(fingerprint);
    synchronized (turns.computeIfAbsent(key, k -> new Object())) {
      Optional<ActionResult> known = known(key);
      if (known.isPresent()) {
        return known.get();
      }
      Composed done = work.get();
      SortedMap<String, Digest> outputs = new TreeMap<>();
      done.outputs().forEach((path, bytes) -> outputs.put(path, store.put(bytes)));
      carriedOut.incrementAndGet();
      return record(key, action, fingerprint, outputs, done.seconds());
    }
  }

  private Optional<ActionResult> known(Digest key) {
    Optional<Fact.ActionFinished> known = ledger.state().action(key).map(Recorded::fact);
    if (known.isPresent()) {
      memoised.incrementAndGet();
    }
    return known.map(fact -> new ActionResult(key, fact.outputs(), fact.seconds(), true));
  }

  /** How many actions can run side by side. */
  public int width() {
    return executor.width();
  }

  /** How many actions were carried out. */
  public long carriedOut() {
    return carriedOut.get();
  }

  /** How many actions were answered from the ledger. */
  public long memoised() {
    return memoised.get();
  }

  /** The files of the version that an action made, by path; empty if it made none. */
  public static Map<String, Digest> files(Fact.ActionFinished action) {
    Map<String, Digest> files = new TreeMap<>();
    action
        .outputs()
        .forEach(
            (path, digest) -> {
              if (path.startsWith(VERSION_PREFIX)) {
                files.put(path.substring(VERSION_PREFIX.length()), digest);
              }
            });
    return files;
  }

  /** The version that an action's outputs make up. */
  public Manifest version(ActionResult result, VersionKind kind, Digest parent) {
    List<FileEntry> files =
        result.outputs().entrySet().stream()
            .filter(e -> e.getKey().startsWith(VERSION_PREFIX))
            .map(
                e ->
                    new FileEntry(
                        e.getKey().substring(VERSION_PREFIX.length()),
                        store.size(e.getValue()),
                        e.getValue()))
            .toList();
    Manifest manifest = new Manifest(kind, parent, files);
    versions.put(manifest);
    return manifest;
  }

  private void prepare(Path directory, Digest key, Action action) throws IOException {
    Files.createDirectories(directory.resolve(Job.OUT));
    Files.createDirectories(directory.resolve(Job.SNAPSHOTS));
    Path file = directory.resolve(Job.ACTION);
    Path building = directory.resolve(Job.ACTION + ".new");
    Files.write(building, Json.canonical(job(key, action)));
    Files.move(building, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
  }

  private Job job(Digest key, Action action) throws IOException {
    if (action instanceof Action.Train train) {
      EffectiveModel start = versions.effective(train.start());
      if (start.adapter() != null) {
        throw new IllegalArgumentException("training starts from a whole model, not an adapter");
      }
      Map<Digest, String> files = new HashMap<>();
      for (Action.DataShare share : train.mix()) {
        files.put(share.data(), versions.file(share.data()).toString());
      }
      for (Digest data : train.earlier()) {
        files.put(data, versions.file(data).toString());
      }
      return new Job(
          key,
          action,
          versions.directory(start.model()).toString(),
          train.adapter() == null ? null : versions.directory(train.adapter()).toString(),
          null,
          null,
          train.foundation() == null
              ? null
              : versions.directory(versions.effective(train.foundation()).model()).toString(),
          files);
    }
    if (action instanceof Action.Consolidate consolidate) {
      return new Job(
          key,
          action,
          versions.directory(consolidate.model()).toString(),
          versions.directory(consolidate.adapter()).toString(),
          null,
          null,
          null,
          Map.of());
    }
    if (action instanceof Action.Answer answer) {
      return running(key, action, answer.version(), answer.rows());
    }
    if (action instanceof Action.Transplant transplant) {
      requireMadeFrom(transplant.oldBase(), transplant.tuned());
      return new Job(
          key,
          action,
          versions.directory(transplant.oldBase()).toString(),
          null,
          null,
          versions.directory(transplant.tuned()).toString(),
          versions.directory(transplant.newBase()).toString(),
          Map.of());
    }
    if (action instanceof Action.Probe probe) {
      EffectiveModel model = versions.effective(probe.version());
      return new Job(
          key,
          action,
          versions.directory(model.model()).toString(),
          model.adapter() == null ? null : versions.directory(model.adapter()).toString(),
          null,
          null,
          null,
          Map.of(probe.tasks(), versions.file(probe.tasks()).toString()));
    }
    if (action instanceof Action.Merge merge) {
      Map<Digest, String> files = new HashMap<>();
      for (Digest version : merge.versions()) {
        files.put(version, versions.directory(version).toString());
      }
      for (Action.Source source : merge.sources()) {
        for (Digest text : source.text()) {
          files.put(text, versions.file(text).toString());
        }
      }
      return new Job(key, action, null, null, null, null, null, files);
    }
    if (action instanceof Action.Distill distill) {
      Map<Digest, String> files = new HashMap<>();
      for (Action.DataShare share : distill.mix()) {
        files.put(share.data(), versions.file(share.data()).toString());
      }
      EffectiveModel teacher = versions.effective(distill.teacher());
      return new Job(
          key,
          action,
          versions.directory(versions.effective(distill.start()).model()).toString(),
          distill.adapter() == null ? null : versions.directory(distill.adapter()).toString(),
          null,
          teacher.adapter() == null ? null : versions.directory(teacher.adapter()).toString(),
          versions.directory(teacher.model()).toString(),
          files);
    }
    if (action instanceof Action.Crossing crossing) {
      Map<Digest, String> files = new HashMap<>();
      for (Digest data : crossing.text()) {
        files.put(data, versions.file(data).toString());
      }
      return new Job(
          key,
          action,
          versions.directory(crossing.oldBase()).toString(),
          null,
          null,
          null,
          versions.directory(crossing.newBase()).toString(),
          files);
    }
    if (action instanceof Action.Align align) {
      requireMadeFrom(align.oldBase(), align.tuned());
      Map<Digest, String> files = new HashMap<>();
      for (Digest data : align.calibration()) {
        files.put(data, versions.file(data).toString());
      }
      return new Job(
          key,
          action,
          versions.directory(align.oldBase()).toString(),
          null,
          null,
          versions.directory(align.tuned()).toString(),
          versions.directory(align.newBase()).toString(),
          files);
    }
    Action.Evaluate evaluate = (Action.Evaluate) action;
    return running(key, action, evaluate.version(), evaluate.suite());
  }

  /** An adapter of another base may have the right shapes, and would give nonsense. */
  private void requireMadeFrom(Digest base, Digest tuned) {
    Manifest manifest = versions.manifest(tuned);
    if (manifest.kind() == VersionKind.ADAPTER && !base.equals(manifest.parent())) {
      throw new IllegalArgumentException(
          "version "
              + tuned.brief()
              + " is an adapter of "
              + Objects.requireNonNull(manifest.parent()).brief()
              + ", and its change was asked for as one of "
              + base.brief()
              + "; carry it from the base that it was made from");
    }
  }

  /** A job that runs a version on a file. */
  private Job running(Digest key, Action action, Digest version, Digest file) throws IOException {
    EffectiveModel model = versions.effective(version);
    return new Job(
        key,
        action,
        versions.directory(model.model()).toString(),
        model.adapter() == null ? null : versions.directory(model.adapter()).toString(),
        model.application() == null
            ? null
            : versions
                .directory(model.application())
                .resolve(dev.cambium.model.Application.FILE)
                .toString(),
        null,
        null,
        Map.of(file, versions.file(file).toString()));
  }

  private ActionResult record(Path directory, Digest key, Action action, String fingerprint)
      throws IOException {
    JobResult result = JobResult.read(directory.resolve(Job.RESULT), action.kind());
    if (result.error() != null) {
      throw new ActionFailedException(action.kind() + " failed: " + result.error());
    }
    Path out = directory.resolve(Job.OUT);
    SortedMap<String, Digest> outputs = new TreeMap<>();
    for (FileEntry file : result.files()) {
      Path path = out.resolve(file.path()); // FileEntry refuses a path that leads out
      if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
          || !path.toRealPath().startsWith(directory.toRealPath().resolve(Job.OUT))) {
        throw new ActionFailedException(
            action.kind() + ": the worker names " + file.path() + ", which is no file of its own");
      }
      Digest stored = store.put(path);
      if (!stored.equals(file.digest())) {
        throw new ActionFailedException(
            action.kind()
                + ": "
                + file.path()
                + " changed after the worker had finished: expected "
                + file.digest()
                + ", found "
                + stored);
      }
      outputs.put(file.path(), stored);
    }
    ActionResult recorded = record(key, action, fingerprint, outputs, result.seconds());
    DirectoryTree.delete(directory);
    return recorded;
  }

  private ActionResult record(
      Digest key,
      Action action,
      String fingerprint,
      SortedMap<String, Digest> outputs,
      double seconds) {
    Digest spec = store.put(Json.canonical(action));
    Fact.ActionFinished fact =
        new Fact.ActionFinished(key, action.kind(), spec, outputs, seconds, fingerprint);
    ledger.remember(actor, fact, new Precondition.ArtifactsRenewed(fact.artifacts(), store::renew));
    return new ActionResult(key, outputs, seconds, false);
  }
}
