package dev.cambium.loop.campaign;

import dev.cambium.engine.transfer.AlignReport;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.action.EffectiveModel;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Candidates that carry what a line is to a new parent, each by one rung of the ladder, from the
 * cheapest to all of its trainings again.
 */
final class Carrying {

  /** Questions that a teacher makes up where no data were recorded. */
  private static final int OWN_QUESTIONS = 256;

  private final Workspace workspace;
  private final TrainingMix mixes;
  private final Recipes recipes;
  private final Trainings trainings;
  private final Transplants transplants;
  private final Prompts prompts;

  Carrying(Workspace workspace, Evaluations evaluations) {
    this.workspace = workspace;
    this.mixes = new TrainingMix(workspace.store());
    this.recipes = new Recipes(workspace.declaration());
    this.trainings = new Trainings(workspace);
    this.transplants = new Transplants(workspace, new Scoring(workspace, evaluations));
    this.prompts = new Prompts(workspace, evaluations);
  }

  /**
   * Carries a line's stable version to a new parent by one rung.
   *
   * @param best manifest of the best candidate of the rungs before; none if there was none
   */
  Candidate carry(
      Line line,
      VersionRef current,
      VersionRef parent,
      Rung rung,
      @Nullable Digest best,
      Progress progress)
      throws NotApplicableException {
    return switch (rung) {
      case REUSE -> reuse(current, parent);
      case PROMPT -> prompts.searched(line, current, parent, progress);
      case TRANSPLANT -> transplants.searched(line, current, parent, progress);
      case ALIGN -> align(line, current, parent, progress);
      case DISTILL -> distill(line, current, parent, best, progress);
      case RETRAIN -> retrain(line, current, parent, best, progress);
    };
  }

  /** The same files under the new parent. */
  private Candidate reuse(VersionRef current, VersionRef parent) {
    Fact.VersionRegistered now = workspace.registered(current);
    Manifest old = workspace.versions().manifest(now.manifest());
    Manifest manifest =
        new Manifest(old.kind(), workspace.registered(parent).manifest(), old.files());
    workspace.versions().put(manifest);
    return new Candidate(
        manifest, Rung.REUSE, null, now.data(), "the files of " + current + " on " + parent);
  }

  /**
   * The change taken to where its parts are in the new parent. The bases are compared on what the
   * line has learnt from.
   */
  private Candidate align(Line line, VersionRef current, VersionRef parent, Progress progress)
      throws NotApplicableException {
    Fact.VersionRegistered now = workspace.registered(current);
    VersionRef oldParent = now.parent();
    if (oldParent == null) {
      throw new NotApplicableException(current + " was not made from a recorded parent");
    }
    if (now.data().isEmpty()) {
      throw new NotApplicableException(
          "align: " + current + " has no recorded data to compare the two parents on");
    }
    EffectiveModel oldBase =
        workspace.versions().effective(workspace.registered(oldParent).manifest());
    EffectiveModel newBase =
        workspace.versions().effective(workspace.registered(parent).manifest());
    List<Digest> text = mixes.all(now.data()).stream().map(Action.DataShare::data).toList();
    ActionResult result;
    try {
      result =
          workspace
              .actions()
              .run(
                  new Action.Align(oldBase.model(), newBase.model(), now.manifest(), text),
                  Trainings.named(line, progress));
    } catch (ActionFailedException e) {
      throw new NotApplicableException(String.valueOf(e.getMessage()));
    }
    Manifest manifest =
        workspace.actions().version(result, now.kind(), workspace.registered(parent).manifest());
    return new Candidate(
        manifest,
        Rung.ALIGN,
        result.key(),
        now.data(),
        String.format(
            Locale.ROOT, "change of %s aligned to %s%s", current, parent, alignment(result)));
  }

  /** What an alignment says of itself. */
  private String alignment(ActionResult result) {
    Digest report = result.outputs().get(ActionRunner.ALIGNMENT);
    if (report == null) {
      return "";
    }
    AlignReport found = Json.read(workspace.store().bytes(report), AlignReport.class);
    return String.format(
        Locale.ROOT,
        "; %s of the residual stream explains %.1f %%, %.1f %% of the change lost",
        found.residual(),
        100 * found.residualExplained(),
        100 * found.energyLost());
  }

  /**
   * Taught by what the line is now, on the prompts of its own data or, where none may be kept, on
   * what the teacher makes up.
   */
  private Candidate distill(
      Line line, VersionRef current, VersionRef parent, @Nullable Digest best, Progress progress)
      throws NotApplicableException {
    Fact.VersionRegistered now = workspace.registered(current);
    // The line's own recipe, as declared: what it says of distilling is not lost here.
    Recipe recipe =
        Recipes.unprotected(
            Recipes.anew(
                    workspace
                        .declaration()
                        .recipe(line.name())
                        .orElseThrow(
                            () -> new NotApplicableException("distill: the line has no recipe")),
                    mixes,
                    now.data())
                .distilling());
    Protection protect = recipe.protect();
    if (protect != null) {
      recipe = recipe.withProtection(protect.withinTraining());
    }
    Digest newParent = workspace.registered(parent).manifest();
    boolean adapter = recipe.method() == Recipe.Method.LORA;
    // What was consolidated is a whole model; an adapter cannot go on from that.
    boolean goesOn =
        best != null
            && adapter == (workspace.versions().manifest(best).kind() == VersionKind.ADAPTER);
    Digest start = adapter || best == null || !goesOn ? newParent : best;
    ActionResult result;
    try {
      result =
          workspace
              .actions()
              .run(
                  new Action.Distill(
                      start,
                      adapter && goesOn ? best : null,
                      now.manifest(),
                      recipe,
                      mixes.all(now.data()),
                      now.data().isEmpty() ? OWN_QUESTIONS : null,
                      trainings.seed(line)),
                  Trainings.named(line, progress));
    } catch (ActionFailedException e) {
      throw new NotApplicableException(String.valueOf(e.getMessage()));
    }
    VersionKind kind = adapter ? VersionKind.ADAPTER : VersionKind.MODEL;
    Manifest manifest = workspace.actions().version(result, kind, newParent);
    return new Candidate(
        manifest,
        Rung.DISTILL,
        result.key(),
        now.data(),
        String.format(
            Locale.ROOT,
            "taught by %s in %d steps of %d rows in %.1f s",
            current,
            recipe.steps(),
            recipe.batchRows(),
            result.seconds()));
  }

  /** All that the line has learnt, learnt again from where the rungs before have brought it. */
  private Candidate retrain(
      Line line, VersionRef current, VersionRef parent, @Nullable Digest best, Progress progress)
      throws NotApplicableException {
    Fact.VersionRegistered now = workspace.registered(current);
    if (now.data().isEmpty()) {
      throw new NotApplicableException(current + " has no recorded training data");
    }
    Recipe recipe = Recipes.anew(recipes.of(line), mixes, now.data());
    Digest newParent = workspace.registered(parent).manifest();
    boolean adapter = recipe.method() == Recipe.Method.LORA;
    // What was consolidated is carried as a whole model, and a fresh adapter learns on that.
    boolean whole =
        adapter && best != null && workspace.versions().manifest(best).kind() == VersionKind.MODEL;
    Digest start = best == null || (adapter && !whole) ? newParent : best;
    Candidate trained =
        trainings.trained(
            line,
            Recipes.unprotected(recipe),
            start,
            adapter && !whole ? best : null,
            whole ? start : newParent,
            mixes.all(now.data()),
            List.of(),
            now.data(),
            Rung.RETRAIN,
            progress);
    return whole ? trainings.writtenIn(line, start, trained, parent, progress) : trained;
  }
}
