package dev.cambium.loop.campaign;

import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.loop.governor.Choice;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Candidates that learn: from new data, in each of the ways that an update may take. The line goes
 * on from its stable version, or goes on after that was {@linkplain #consolidate consolidated}, or
 * {@linkplain #rebase begins anew}.
 */
final class Learning {

  private final Workspace workspace;
  private final TrainingMix mixes;
  private final Recipes recipes;
  private final Trainings trainings;
  private final OwnAnswers answers;
  private final Ends ends;

  Learning(Workspace workspace, Evaluations evaluations) {
    this.workspace = workspace;
    this.mixes = new TrainingMix(workspace.store());
    this.recipes = new Recipes(workspace.declaration());
    this.trainings = new Trainings(workspace);
    this.answers = new OwnAnswers(workspace, trainings);
    this.ends = new Ends(workspace, new Scoring(workspace, evaluations));
  }

  /** Trains a line on new data, from its stable version or, without one, from its parent's. */
  Candidate learn(
      Line line,
      @Nullable VersionRef current,
      @Nullable VersionRef parent,
      List<Digest> fresh,
      Progress progress) {
    return learn(line, current, parent, fresh, 0, null, progress);
  }

  /** In how many places a training of a line may end; more than one where it is searched for. */
  int ends(Line line, @Nullable Choice update) {
    Protection protect = Recipes.governed(recipes.of(line), update).protect();
    return protect == null ? 1 : Math.max(1, protect.interpolateSearch().size());
  }

  /**
   * As above, with the choice of where between its start and what was trained the version ends.
   *
   * @param place 0 for the end that gains most on new rows held out, 1 for the next; below {@link
   *     #ends}
   * @param update how the governor wants it, where a stable version is updated
   */
  Candidate learn(
      Line line,
      @Nullable VersionRef current,
      @Nullable VersionRef parent,
      List<Digest> fresh,
      int place,
      @Nullable Choice update,
      Progress progress) {
    Recipe recipe = Recipes.governed(recipes.of(line), update);
    Fact.VersionRegistered now = current == null ? null : workspace.registered(current);
    boolean moved = now != null && parent != null && !parent.equals(now.parent());
    boolean adapters = recipe.method() == Recipe.Method.LORA;
    boolean whole = adapters && now != null && now.kind() == VersionKind.MODEL;
    boolean anew = moved && (!adapters || whole);
    Digest start =
        now != null && !anew && (!adapters || whole)
            ? now.manifest()
            : workspace.registered(Objects.requireNonNull(parent)).manifest();
    Digest adapter = adapters && now != null && !whole ? now.manifest() : null;
    return learn(
        line,
        now,
        parent,
        new Start(start, adapter, whole && !moved, anew),
        recipe,
        fresh,
        place,
        progress);
  }

  /**
   * Writes the adapter of a line's stable version into the weights of its parent: a whole model
   * that does the same. What the line learns afterwards is a fresh adapter, written in as well.
   */
  Candidate consolidate(Line line, VersionRef current, VersionRef parent, Progress progress)
      throws NotApplicableException {
    Fact.VersionRegistered now = workspace.registered(current);
    if (now.kind() != VersionKind.ADAPTER) {
      throw new NotApplicableException(
          "consolidate: " + current + " is no adapter, its weights are its own");
    }
    if (!parent.equals(now.parent())) {
      throw new NotApplicableException(
          "consolidate: " + current + " acts on " + now.parent() + ", not on " + parent);
    }
    Candidate adapter =
        new Candidate(
            workspace.versions().manifest(now.manifest()),
            null,
            null,
            now.data(),
            current.toString());
    return trainings.writtenIn(
        line, workspace.registered(parent).manifest(), adapter, parent, progress);
  }

  /**
   * As {@link #learn}, after what the line has learnt so far is {@linkplain #consolidate
   * consolidated}.
   */
  Candidate learnConsolidated(
      Line line,
      VersionRef current,
      VersionRef parent,
      List<Digest> fresh,
      @Nullable Choice update,
      Progress progress)
      throws NotApplicableException {
    Candidate consolidated = consolidate(line, current, parent, progress);
    return learn(
        line,
        workspace.registered(current),
        parent,
        new Start(consolidated.manifest().digest(), null, true, false),
        Recipes.governed(recipes.of(line), update),
        fresh,
        0,
        progress);
  }

  /**
   * Begins anew from the parent, with the line's stable version as teacher: what it answers itself
   * to the questions of its data, where a scorer finds that right, and what was recorded elsewhere
   * (sequence-level distillation; Kim and Rush, 2016). The weights have learnt nothing before, and
   * so learn as well as the parent's.
   *
   * @param fresh new data to be learnt with it; may be empty
   */
  Candidate rebase(
      Line line,
      VersionRef current,
      @Nullable VersionRef parent,
      List<Digest> fresh,
      Progress progress)
      throws NotApplicableException {
    if (parent == null) {
      throw new NotApplicableException("rebase: a foundation has nothing to begin anew from");
    }
    Fact.VersionRegistered now = workspace.registered(current);
    List<Digest> seen = new ArrayList<>(now.data());
    seen.addAll(fresh);
    if (seen.isEmpty()) {
      throw new NotApplicableException("rebase: " + current + " has no recorded training data");
    }
    Recipe recipe = Recipes.anew(recipes.of(line), mixes, seen);
    List<Row> questions = mixes.questions(now.data(), fresh, recipe.steps() * recipe.batchRows());
    List<Row> own = answers.right(line, now.manifest(), questions, 0, progress);
    Candidate anew =
        trainings.trained(
            line,
            Recipes.unprotected(recipe),
            workspace.registered(parent).manifest(),
            null,
            workspace.registered(parent).manifest(),
            mixes.taught(seen, own),
            List.of(),
            seen,
            null,
            progress);
    return anew.noted(
        String.format(
            Locale.ROOT,
            "begun anew from %s, taught by %s: %d of %d questions in its own words; %s",
            parent,
            current,
            own.size(),
            questions.size(),
            anew.note()));
  }

  /**
   * Where a training starts.
   *
   * @param whole whether the line's versions are whole models though its recipe makes adapters
   * @param anew whether the model has not learnt what the line has
   */
  private record Start(Digest model, @Nullable Digest adapter, boolean whole, boolean anew) {}

  private Candidate learn(
      Line line,
      Fact.@Nullable VersionRegistered now,
      @Nullable VersionRef parent,
      Start start,
      Recipe governed,
      List<Digest> fresh,
      int place,
      Progress progress) {
    List<Digest> history = now == null ? List.of() : now.data();
    List<Digest> seen = new ArrayList<>(history);
    seen.addAll(fresh);
    Recipe recipe =
        start.anew
            ? Recipes.anew(governed, mixes, seen)
            : Recipes.updating(governed, mixes, history, fresh);
    Protection protect = recipe.protect();
    // A model that starts anew from another parent has forgotten everything it had learnt.
    List<Action.DataShare> mix =
        start.anew
            ? mixes.all(seen)
            : mixes.update(
                history, fresh, recipe.replayShare(), protect == null ? null : protect.balanceBy());
    // Without data of the past, or when all of it is learnt again, there is nothing to measure on.
    List<Digest> past = start.anew ? List.of() : history;
    String replayed = "";
    if (now != null && !past.isEmpty() && protect != null && protect.onPolicy() != null) {
      Protection.OnPolicy how = protect.onPolicy();
      int most = how.questions((long) recipe.steps() * recipe.batchRows());
      List<Row> questions = mixes.questions(history, fresh, most);
      List<Row> own = answers.right(line, now.manifest(), questions, how.temperature(), progress);
      if (!own.isEmpty()) {
        mix = mixes.with(mix, workspace.store().put(RowFile.encode(own)), how.share());
      }
      replayed =
          String.format(
              "; replayed %d answers of %s, of %d asked",
              own.size(), now.version(), questions.size());
    }
    Candidate trained =
        trainings.trained(
            line,
            past.isEmpty() ? Recipes.inelastic(recipe) : recipe,
            start.model,
            start.adapter,
            start.whole
                ? start.model
                : parent == null ? null : workspace.registered(parent).manifest(),
            mix,
            past,
            seen,
            null,
            progress);
    Candidate end =
        ends.at(
            protect == null ? List.of() : protect.interpolateSearch(),
            place,
            line,
            trained.noted(trained.note() + replayed),
            start.model,
            start.adapter,
            fresh,
            progress);
    return start.whole
        ? trainings.writtenIn(line, start.model, end, Objects.requireNonNull(parent), progress)
        : end;
  }
}
