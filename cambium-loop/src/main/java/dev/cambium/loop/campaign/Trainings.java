package dev.cambium.loop.campaign;

import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.declaration.Line;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the ways of training a candidate have in common: the training action with its seed, the
 * manifest of what comes out, and the writing of an adapter into weights.
 */
final class Trainings {

  private final Workspace workspace;
  private final TrainingMix mixes;

  Trainings(Workspace workspace) {
    this.workspace = workspace;
    this.mixes = new TrainingMix(workspace.store());
  }

  /**
   * Trains, and makes a candidate of what comes out.
   *
   * @param adapter on the start to go on with; none for a fresh one, or to train the weights
   * @param under parent that the candidate is recorded with; the start unless the line's is another
   * @param history data that must not be forgotten, for a recipe that measures on them
   * @param data all that the candidate has seen, for its record
   * @param rung that asks for it; none where a line learns
   */
  Candidate trained(
      Line line,
      Recipe recipe,
      Digest start,
      @Nullable Digest adapter,
      @Nullable Digest under,
      List<Action.DataShare> mix,
      List<Digest> history,
      List<Digest> data,
      @Nullable Rung rung,
      Progress progress) {
    Protection protect = recipe.protect();
    boolean elastic = protect != null && protect.ewc() != null;
    boolean spectral = protect != null && protect.spectral() != null;
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Train(
                    start,
                    adapter,
                    protect == null ? recipe : recipe.withProtection(protect.withinTraining()),
                    mix,
                    seed(line),
                    elastic
                        ? mixes.all(history).stream().map(Action.DataShare::data).toList()
                        : List.of(),
                    spectral ? foundation(line) : null),
                named(line, progress));
    VersionKind kind =
        recipe.method() == Recipe.Method.LORA ? VersionKind.ADAPTER : VersionKind.MODEL;
    Manifest made = workspace.actions().version(result, kind, start);
    if (!start.equals(under)) {
      made = new Manifest(kind, under, made.files());
      workspace.versions().put(made);
    }
    return new Candidate(
        made,
        rung,
        result.key(),
        data,
        String.format(
            Locale.ROOT,
            "trained %d steps of %d rows in %.1f s",
            recipe.steps(),
            recipe.batchRows(),
            result.seconds()));
  }

  /** A candidate that is an adapter on a model, as a whole model. */
  Candidate writtenIn(
      Line line, Digest model, Candidate adapter, VersionRef parent, Progress progress) {
    ActionResult result =
        workspace
            .actions()
            .run(new Action.Consolidate(model, adapter.manifest().digest()), named(line, progress));
    Manifest manifest =
        workspace
            .actions()
            .version(result, VersionKind.MODEL, workspace.registered(parent).manifest());
    return new Candidate(
        manifest,
        adapter.rung(),
        result.key(),
        adapter.data(),
        adapter.note() + ", written into the weights");
  }

  /** The version at the root of a line's parents; none where a line has no parent. */
  private @Nullable Digest foundation(Line line) {
    String root = line.name();
    for (String up = line.parent(); up != null; up = workspace.declaration().line(up).parent()) {
      root = up;
    }
    return root.equals(line.name())
        ? null
        : workspace
            .ledger()
            .state()
            .channel(root, Channel.STABLE)
            .map(ref -> workspace.registered(ref).manifest())
            .orElse(null);
  }

  /** Shows which line a worker's task is for. */
  static Progress named(Line line, Progress progress) {
    return (task, done, total, note) -> progress.at(task + " " + line.name(), done, total, note);
  }

  /** Of a line's trainings. Below 2^31: canonical JSON holds numbers as doubles. */
  long seed(Line line) {
    long policy = workspace.declaration().policy().seed();
    byte[] raw = Digest.ofText("training seed\n" + policy + "\n" + line.name()).raw();
    return ByteBuffer.wrap(raw).getInt() & 0x7fffffffL;
  }
}
