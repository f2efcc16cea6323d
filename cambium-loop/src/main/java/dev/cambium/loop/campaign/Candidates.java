package dev.cambium.loop.campaign;

import dev.cambium.ledger.LedgerState;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.EffectiveModel;
import dev.cambium.loop.declaration.CapabilityDeclaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.loop.gate.Suite;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
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
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Makes candidates: by training, or by one of the rungs. Registers nothing. */
final class Candidates {

  /** Shares of the old change that a transplant tries, the likeliest first. */
  private static final List<Double> ALPHAS = List.of(1.0, 0.75, 1.25);

  /** An alpha that keeps this much of the old version's score ends the search. */
  private static final double GOOD_ENOUGH = 0.98;

  private static final int SEARCH_ITEMS = 60;

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
   * @param note how it came about
   */
  record Candidate(
      Manifest manifest,
      @Nullable Rung rung,
      @Nullable Digest action,
      List<Digest> data,
      String note) {}

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
    Recipe recipe = recipe(line);
    Fact.VersionRegistered now = current == null ? null : version(current);
    List<Digest> history = now == null ? List.of() : now.data();
    boolean moved = now != null && parent != null && !parent.equals(now.parent());
    Digest start;
    Digest adapter = null;
    if (recipe.method() == Recipe.Method.LORA) {
      start = version(Objects.requireNonNull(parent)).manifest();
      adapter = now == null ? null : now.manifest();
    } else if (now != null && !moved) {
      start = now.manifest();
    } else {
      start = version(Objects.requireNonNull(parent)).manifest();
    }
    List<Digest> seen = new ArrayList<>(history);
    seen.addAll(fresh);
    // A model that starts anew from another parent has forgotten everything it had learnt.
    List<Action.DataShare> mix =
        moved && recipe.method() == Recipe.Method.FULL
            ? mixes.all(seen)
            : mixes.update(
                history,
                fresh,
                recipe.replayShare(),
                recipe.protect() == null ? null : recipe.protect().balanceBy());
    // Without data of the past, or when all of it is learnt again, there is nothing to measure on.
    List<Digest> past = moved && recipe.method() == Recipe.Method.FULL ? List.of() : history;
    return trained(
        line,
        past.isEmpty() ? inelastic(recipe) : recipe,
        start,
        adapter,
        parent,
        mix,
        past,
        seen,
        null,
        progress);
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

  private Candidate reuse(VersionRef current, VersionRef parent) {
    Fact.VersionRegistered now = version(current);
    Manifest old = workspace.versions().manifest(now.manifest());
    Manifest manifest = new Manifest(old.kind(), version(parent).manifest(), old.files());
    workspace.versions().put(manifest);
    return new Candidate(
        manifest, Rung.REUSE, null, now.data(), "the files of " + current + " on " + parent);
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
    return trained(
        line,
        unprotected(recipe),
        adapter || best == null ? newParent : best,
        adapter ? best : null,
        parent,
        mixes.all(now.data()),
        List.of(),
        now.data(),
        Rung.RETRAIN,
        progress);
  }

  private Candidate trained(
      Line line,
      Recipe recipe,
      Digest start,
      @Nullable Digest adapter,
      @Nullable VersionRef parent,
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
                    recipe,
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
    if (parent != null && !version(parent).manifest().equals(start)) {
      made = new Manifest(kind, version(parent).manifest(), made.files());
      workspace.versions().put(made);
    } else if (parent == null) {
      made = new Manifest(kind, null, made.files());
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
                p.balanceBy()));
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
    @Nullable Suite heldOut = heldOut(now);
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

  /** Rows set aside when the line's data arrived, as items; none if there are none. */
  private @Nullable Suite heldOut(Fact.VersionRegistered now) {
    Map<Digest, Digest> heldOut = new HashMap<>();
    for (LedgerState.SignalState signal : workspace.ledger().state().signals()) {
      Fact.SignalReceived fact = signal.received().fact();
      if (fact.train() != null && fact.heldOut() != null) {
        heldOut.put(fact.train(), fact.heldOut());
      }
    }
    // Calls are no text that a scorer could compare.
    List<Row> rows =
        mixes.holding(now.data(), heldOut).stream().filter(row -> row.tools().isEmpty()).toList();
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
