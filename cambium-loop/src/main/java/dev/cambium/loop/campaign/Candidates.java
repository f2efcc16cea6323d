package dev.cambium.loop.campaign;

import dev.cambium.engine.transfer.AlignReport;
import dev.cambium.ledger.LedgerState;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.action.EffectiveModel;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.declaration.CapabilityDeclaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.declaration.Merging;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.loop.gate.Suite;
import dev.cambium.loop.governor.Choice;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.MergeMethod;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Rung;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Makes candidates: by training, or by one of the rungs. Registers nothing. */
final class Candidates {

  /** Shares of the old change that a transplant tries, the likeliest first. */
  private static final List<Double> ALPHAS = List.of(1.0, 0.75, 1.25);

  /** An alpha that keeps this much of the old version's score ends the search. */
  private static final double GOOD_ENOUGH = 0.98;

  private static final int SEARCH_ITEMS = 60;

  /** Questions that a teacher makes up where no data were recorded. */
  private static final int OWN_QUESTIONS = 256;

  private final Workspace workspace;
  private final Evaluations evaluations;
  private final TrainingMix mixes;

  Candidates(Workspace workspace, Evaluations evaluations) {
    this.workspace = workspace;
    this.evaluations = evaluations;
    this.mixes = new TrainingMix(workspace.store());
  }

  /**
   * A version to be.
   *
   * @param action that made it; none where only the parent changed
   * @param data artifacts of the training data that it has seen
   * @param sources versions that it was merged from
   * @param note how it came about
   */
  record Candidate(
      Manifest manifest,
      @Nullable Rung rung,
      @Nullable Digest action,
      List<Digest> data,
      List<VersionRef> sources,
      String note) {

    Candidate(
        Manifest manifest,
        @Nullable Rung rung,
        @Nullable Digest action,
        List<Digest> data,
        String note) {
      this(manifest, rung, action, data, List.of(), note);
    }

    Candidate noted(String other) {
      return new Candidate(manifest, rung, action, data, sources, other);
    }
  }

  /** A rung cannot be taken here; the next one may. */
  static final class NotApplicableException extends Exception {
    private static final long serialVersionUID = 1L;

    NotApplicableException(String message) {
      super(message);
    }
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
    Protection protect = governed(recipe(line), update).protect();
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
    Recipe recipe = governed(recipe(line), update);
    Fact.VersionRegistered now = current == null ? null : version(current);
    boolean moved = now != null && parent != null && !parent.equals(now.parent());
    boolean adapters = recipe.method() == Recipe.Method.LORA;
    boolean whole = adapters && now != null && now.kind() == VersionKind.MODEL;
    boolean anew = moved && (!adapters || whole);
    Digest start =
        now != null && !anew && (!adapters || whole)
            ? now.manifest()
            : version(Objects.requireNonNull(parent)).manifest();
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
    Fact.VersionRegistered now = version(current);
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
    return merged(line, version(parent).manifest(), adapter, parent, progress);
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
        version(current),
        parent,
        new Start(consolidated.manifest().digest(), null, true, false),
        governed(recipe(line), update),
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
    Fact.VersionRegistered now = version(current);
    List<Digest> seen = new ArrayList<>(now.data());
    seen.addAll(fresh);
    if (seen.isEmpty()) {
      throw new NotApplicableException("rebase: " + current + " has no recorded training data");
    }
    Recipe recipe = recipe(line);
    List<Row> questions = mixes.questions(now.data(), fresh, recipe.steps() * recipe.batchRows());
    List<Row> own = own(line, now.manifest(), questions, 0, progress);
    Candidate anew =
        trained(
            line,
            unprotected(recipe),
            version(parent).manifest(),
            null,
            version(parent).manifest(),
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
      Recipe recipe,
      List<Digest> fresh,
      int place,
      Progress progress) {
    Protection protect = recipe.protect();
    List<Digest> history = now == null ? List.of() : now.data();
    List<Digest> seen = new ArrayList<>(history);
    seen.addAll(fresh);
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
      List<Row> own = own(line, now.manifest(), questions, how.temperature(), progress);
      if (!own.isEmpty()) {
        mix = mixes.with(mix, workspace.store().put(RowFile.encode(own)), how.share());
      }
      replayed =
          String.format(
              "; replayed %d answers of %s, of %d asked",
              own.size(), now.version(), questions.size());
    }
    Candidate trained =
        trained(
            line,
            past.isEmpty() ? inelastic(recipe) : recipe,
            start.model,
            start.adapter,
            start.whole ? start.model : parent == null ? null : version(parent).manifest(),
            mix,
            past,
            seen,
            null,
            progress);
    Candidate end =
        end(line, trained.noted(trained.note() + replayed), start, fresh, place, progress);
    return start.whole
        ? merged(line, start.model, end, Objects.requireNonNull(parent), progress)
        : end;
  }

  /** A candidate that is an adapter on a model, as a whole model. */
  private Candidate merged(
      Line line, Digest model, Candidate adapter, VersionRef parent, Progress progress) {
    ActionResult result =
        workspace
            .actions()
            .run(new Action.Consolidate(model, adapter.manifest().digest()), named(line, progress));
    Manifest manifest =
        workspace.actions().version(result, VersionKind.MODEL, version(parent).manifest());
    return new Candidate(
        manifest,
        adapter.rung(),
        result.key(),
        adapter.data(),
        adapter.note() + ", written into the weights");
  }

  /** What a version answers itself to questions, where the line's scorer finds it right. */
  private List<Row> own(
      Line line, Digest version, List<Row> questions, double temperature, Progress progress) {
    if (questions.isEmpty()) {
      return List.of();
    }
    Digest asked = workspace.store().put(RowFile.encode(questions));
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Answer(version, asked, judging(line), temperature, seed(line)),
                named(line, progress));
    return RowFile.decode(workspace.store().bytes(result.output(ActionRunner.ANSWERS)));
  }

  /** A scorer of the line's contract that judges what is generated; comparison without one. */
  private Scorer judging(Line line) {
    return workspace.declaration().contract(line.name()).capabilities().stream()
        .map(name -> workspace.declaration().capability(name).scorer())
        .filter(scorer -> scorer.kind().generates())
        .findFirst()
        .orElse(Scorer.of(ScorerKind.EXACT_MATCH));
  }

  /** The end of a training at one place of the search between its start and what was trained. */
  private Candidate end(
      Line line, Candidate trained, Start start, List<Digest> fresh, int place, Progress progress) {
    Protection protect = recipe(line).protect();
    if (protect == null || protect.interpolateSearch().isEmpty()) {
      return trained;
    }
    record Tried(double share, Candidate candidate, double gain) {}
    @Nullable Suite heldOut = heldOut(fresh);
    Scorer scorer = scorer(line, heldOut);
    List<Tried> tried = new ArrayList<>();
    for (double share : protect.interpolateSearch()) {
      Candidate candidate = share == 1 ? trained : between(line, trained, start, share, progress);
      double gain =
          heldOut == null
              ? share // what is nearer to the trained one should have gained more
              : score(candidate.manifest().digest(), heldOut, scorer, line, progress);
      tried.add(new Tried(share, candidate, gain));
    }
    // Of two that gained alike, the one nearer to the start, which has lost less.
    tried.sort(
        Comparator.comparingDouble(Tried::gain).reversed().thenComparingDouble(Tried::share));
    Tried chosen = tried.get(place);
    return chosen.candidate.noted(
        String.format(
            Locale.ROOT,
            "%s; %.2f of the way from its start%s",
            trained.note(),
            chosen.share,
            heldOut == null
                ? ""
                : tried.stream()
                    .map(t -> String.format(Locale.ROOT, "%.2f: %.3f", t.share, t.gain))
                    .collect(
                        Collectors.joining(", ", ", score on new rows held out by share ", ""))));
  }

  private Candidate between(
      Line line, Candidate trained, Start start, double share, Progress progress) {
    Digest from = start.adapter == null ? start.model : start.adapter;
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Transplant(from, from, trained.manifest().digest(), share),
                named(line, progress));
    Manifest under = trained.manifest();
    Manifest manifest = workspace.actions().version(result, under.kind(), start.model);
    if (!start.model.equals(under.parent())) {
      manifest = new Manifest(under.kind(), under.parent(), manifest.files());
      workspace.versions().put(manifest);
    }
    return new Candidate(manifest, trained.rung(), result.key(), trained.data(), trained.note());
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
      case TRANSPLANT -> transplant(line, current, parent, progress);
      case ALIGN -> align(line, current, parent, progress);
      case DISTILL -> distill(line, current, parent, best, progress);
      case RETRAIN -> retrain(line, current, parent, best, progress);
    };
  }

  /** Makes an application's version from its declaration. */
  Candidate declared(Line line, VersionRef parent) {
    byte[] bytes = Json.canonical(Objects.requireNonNull(line.application()));
    Digest file = workspace.store().put(bytes);
    Manifest manifest =
        new Manifest(
            VersionKind.APPLICATION,
            version(parent).manifest(),
            List.of(new FileEntry(Application.FILE, bytes.length, file)));
    workspace.versions().put(manifest);
    return new Candidate(manifest, null, null, List.of(), "from " + line.applicationFile());
  }

  /**
   * Merges the stable versions of other lines.
   *
   * @param parent what all of them must be built on
   */
  Candidate merged(
      Line line, Merging merging, VersionRef parent, List<VersionRef> sources, Progress progress)
      throws NotApplicableException {
    MergeMethod method = merging.method();
    Set<Digest> data = new LinkedHashSet<>();
    List<Action.Source> merged = new ArrayList<>();
    for (VersionRef source : sources) {
      Fact.VersionRegistered found = version(source);
      if (!parent.equals(found.parent())) {
        throw new NotApplicableException(
            source
                + " is built on "
                + found.parent()
                + ", not on "
                + parent
                + "; what is merged must have come from the same model");
      }
      if (method.needsCalibration() && found.data().isEmpty()) {
        throw new NotApplicableException(
            source + " has no recorded training data, and the method looks at it");
      }
      EffectiveModel model = workspace.versions().effective(found.manifest());
      merged.add(
          new Action.Source(
              model.model(),
              model.adapter(),
              method.needsCalibration() ? found.data() : List.of()));
      data.addAll(found.data());
    }
    Digest base = workspace.versions().effective(version(parent).manifest()).model();
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Merge(method, method.needsBase() ? base : null, merged),
                named(line, progress));
    return new Candidate(
        workspace.actions().version(result, VersionKind.MODEL, version(parent).manifest()),
        null,
        result.key(),
        List.copyOf(data),
        sources,
        String.format(
            Locale.ROOT,
            "merged from %s in %.1f s",
            sources.stream().map(VersionRef::toString).collect(Collectors.joining(", ")),
            result.seconds()));
  }

  private Candidate reuse(VersionRef current, VersionRef parent) {
    Fact.VersionRegistered now = version(current);
    Manifest old = workspace.versions().manifest(now.manifest());
    Manifest manifest = new Manifest(old.kind(), version(parent).manifest(), old.files());
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
    Fact.VersionRegistered now = version(current);
    VersionRef oldParent = now.parent();
    if (oldParent == null) {
      throw new NotApplicableException(current + " was not made from a recorded parent");
    }
    if (now.data().isEmpty()) {
      throw new NotApplicableException(
          "align: " + current + " has no recorded data to compare the two parents on");
    }
    EffectiveModel oldBase = workspace.versions().effective(version(oldParent).manifest());
    EffectiveModel newBase = workspace.versions().effective(version(parent).manifest());
    List<Digest> text = mixes.all(now.data()).stream().map(Action.DataShare::data).toList();
    ActionResult result;
    try {
      result =
          workspace
              .actions()
              .run(
                  new Action.Align(oldBase.model(), newBase.model(), now.manifest(), text),
                  named(line, progress));
    } catch (ActionFailedException e) {
      throw new NotApplicableException(String.valueOf(e.getMessage()));
    }
    Manifest manifest = workspace.actions().version(result, now.kind(), version(parent).manifest());
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
    Fact.VersionRegistered now = version(current);
    // The line's own recipe, as declared: what it says of distilling is not lost here.
    Recipe recipe =
        unprotected(
            workspace
                .declaration()
                .recipe(line.name())
                .orElseThrow(() -> new NotApplicableException("distill: the line has no recipe"))
                .distilling());
    Protection protect = recipe.protect();
    if (protect != null) {
      recipe = recipe.withProtection(protect.withinTraining());
    }
    Digest newParent = version(parent).manifest();
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
                      seed(line)),
                  named(line, progress));
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
    Fact.VersionRegistered now = version(current);
    if (now.data().isEmpty()) {
      throw new NotApplicableException(current + " has no recorded training data");
    }
    Recipe recipe = recipe(line);
    Digest newParent = version(parent).manifest();
    boolean adapter = recipe.method() == Recipe.Method.LORA;
    // What was consolidated is carried as a whole model, and a fresh adapter learns on that.
    boolean whole =
        adapter && best != null && workspace.versions().manifest(best).kind() == VersionKind.MODEL;
    Digest start = best == null || (adapter && !whole) ? newParent : best;
    Candidate trained =
        trained(
            line,
            unprotected(recipe),
            start,
            adapter && !whole ? best : null,
            whole ? start : newParent,
            mixes.all(now.data()),
            List.of(),
            now.data(),
            Rung.RETRAIN,
            progress);
    return whole ? merged(line, start, trained, parent, progress) : trained;
  }

  private Candidate trained(
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

  /** The recipe with what the governor wants protected where the recipe itself is silent. */
  private static Recipe governed(Recipe recipe, @Nullable Choice update) {
    Protection added = update == null ? null : update.protect();
    if (added == null) {
      return recipe;
    }
    Protection own = recipe.protect() == null ? Protection.NONE : recipe.protect();
    return recipe.withProtection(own.or(added));
  }

  private static Recipe inelastic(Recipe recipe) {
    Protection p = recipe.protect();
    return p == null || p.ewc() == null
        ? recipe
        : recipe.withProtection(
            new Protection(
                p.kl(),
                p.l2Init(),
                null,
                p.orthogonal(),
                p.spectral(),
                p.interpolate(),
                p.rewarm(),
                p.resetDormant(),
                p.shrinkPerturb(),
                p.balanceBy(),
                p.interpolateSearch(),
                p.onPolicy()));
  }

  /**
   * The recipe for learning everything again: what only changes how it learns stays, and adapters
   * that are laid on one another stay so, because their ranks are not the recipe's.
   */
  private static Recipe unprotected(Recipe recipe) {
    Protection p = recipe.protect();
    return p == null
        ? recipe
        : recipe.withProtection(
            new Protection(
                null,
                null,
                null,
                p.orthogonal(),
                p.spectral(),
                null,
                p.rewarm(),
                p.resetDormant(),
                null,
                p.balanceBy()));
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
            .channel(root, dev.cambium.model.Channel.STABLE)
            .map(ref -> version(ref).manifest())
            .orElse(null);
  }

  /** Shows which line a worker's task is for. */
  private static Progress named(Line line, Progress progress) {
    return (task, done, total, note) -> progress.at(task + " " + line.name(), done, total, note);
  }

  private Candidate transplant(Line line, VersionRef current, VersionRef parent, Progress progress)
      throws NotApplicableException {
    Fact.VersionRegistered now = version(current);
    VersionRef oldParent = now.parent();
    if (oldParent == null) {
      throw new NotApplicableException(current + " was not made from a recorded parent");
    }
    EffectiveModel oldBase = workspace.versions().effective(version(oldParent).manifest());
    EffectiveModel newBase = workspace.versions().effective(version(parent).manifest());
    boolean adapter = now.kind() == VersionKind.ADAPTER;
    @Nullable Suite heldOut = heldOut(now.data());
    Scorer scorer = scorer(line, heldOut);
    double target = heldOut == null ? 0 : score(now.manifest(), heldOut, scorer, line, progress);
    Candidate best = null;
    double bestScore = -1;
    List<String> tried = new ArrayList<>();
    for (double alpha : ALPHAS) {
      if (adapter && alpha == 1) {
        continue; // that is reuse
      }
      Candidate candidate;
      try {
        candidate = transplanted(line, now, oldBase, newBase, parent, alpha, progress);
      } catch (ActionFailedException e) {
        throw new NotApplicableException(String.valueOf(e.getMessage()));
      }
      if (heldOut == null) {
        return candidate; // nothing to search on
      }
      double score = score(candidate.manifest().digest(), heldOut, scorer, line, progress);
      tried.add(String.format(Locale.ROOT, "%.2f: %.3f", alpha, score));
      if (score > bestScore) {
        bestScore = score;
        best = candidate;
      }
      if (score >= GOOD_ENOUGH * target) {
        break;
      }
    }
    Candidate chosen = Objects.requireNonNull(best);
    return new Candidate(
        chosen.manifest(),
        chosen.rung(),
        chosen.action(),
        chosen.data(),
        chosen.note()
            + String.format(
                Locale.ROOT,
                "; held-out score by alpha: %s (%s: %.3f)",
                String.join(", ", tried),
                current,
                target));
  }

  private Candidate transplanted(
      Line line,
      Fact.VersionRegistered now,
      EffectiveModel oldBase,
      EffectiveModel newBase,
      VersionRef parent,
      double alpha,
      Progress progress) {
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Transplant(oldBase.model(), newBase.model(), now.manifest(), alpha),
                named(line, progress));
    Manifest manifest = workspace.actions().version(result, now.kind(), version(parent).manifest());
    return new Candidate(
        manifest,
        Rung.TRANSPLANT,
        result.key(),
        now.data(),
        String.format(
            Locale.ROOT,
            "change of %s carried to %s with alpha %.2f",
            now.version(),
            parent,
            alpha));
  }

  /** Rows set aside when data arrived, as items; none if there are none. */
  private @Nullable Suite heldOut(List<Digest> data) {
    Map<Digest, Digest> heldOut = new HashMap<>();
    for (LedgerState.SignalState signal : workspace.ledger().state().signals()) {
      Fact.SignalReceived fact = signal.received().fact();
      if (fact.train() != null && fact.heldOut() != null) {
        heldOut.put(fact.train(), fact.heldOut());
      }
    }
    // Calls are no text that a scorer could compare.
    List<Row> rows =
        mixes.holding(data, heldOut).stream().filter(row -> row.tools().isEmpty()).toList();
    if (rows.isEmpty()) {
      return null;
    }
    Suite all = Suite.of(rows.stream().map(Candidates::item).toList());
    Suite searched = Suite.of(all.items().subList(0, Math.min(SEARCH_ITEMS, all.items().size())));
    workspace.store().put(searched.bytes());
    return searched;
  }

  private static Item item(Row row) {
    if (row.text() != null) {
      return new Item(row.id(), row.text(), List.of(), null, List.of(), row.tags());
    }
    List<Message> messages = row.messages();
    return new Item(
        row.id(),
        null,
        messages.subList(0, messages.size() - 1),
        messages.get(messages.size() - 1).content(),
        List.of(),
        row.tags());
  }

  /** Generation as in the line's contract where that fits rows, likelihood otherwise. */
  private Scorer scorer(Line line, @Nullable Suite heldOut) {
    boolean text =
        heldOut != null && heldOut.items().stream().anyMatch(item -> item.text() != null);
    if (!text) {
      for (String name : workspace.declaration().contract(line.name()).capabilities()) {
        CapabilityDeclaration capability = workspace.declaration().capability(name);
        if (capability.scorer().kind() == ScorerKind.EXACT_MATCH) {
          return capability.scorer();
        }
      }
      return Scorer.of(ScorerKind.EXACT_MATCH);
    }
    return Scorer.of(ScorerKind.LIKELIHOOD);
  }

  private double score(Digest version, Suite suite, Scorer scorer, Line line, Progress progress) {
    List<Outcome> outcomes =
        evaluations
            .run(version, suite, scorer, 0, suite.items().size(), named(line, progress))
            .outcomes();
    return outcomes.stream().mapToDouble(Outcome::score).average().orElse(0);
  }

  private Recipe recipe(Line line) {
    return workspace
        .declaration()
        .recipe(line.name())
        .map(recipe -> recipe.withDistillation(null)) // says nothing about training on data
        .orElseThrow(() -> new IllegalStateException(line.name() + " has no recipe to train with"));
  }

  /** Below 2^31: canonical JSON holds numbers as doubles. */
  private long seed(Line line) {
    long policy = workspace.declaration().policy().seed();
    byte[] raw = Digest.ofText("training seed\n" + policy + "\n" + line.name()).raw();
    return java.nio.ByteBuffer.wrap(raw).getInt() & 0x7fffffffL;
  }

  private Fact.VersionRegistered version(VersionRef ref) {
    return workspace.ledger().state().version(ref).orElseThrow().fact();
  }
}
