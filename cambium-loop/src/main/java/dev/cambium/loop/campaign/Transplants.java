package dev.cambium.loop.campaign;

import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.EffectiveModel;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Suite;
import dev.cambium.model.Action;
import dev.cambium.model.Fact;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Rung;
import dev.cambium.model.Scorer;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The transplant rung: the change that a line made to its old parent, added to the new one, with a
 * search for the share of it that serves best.
 */
final class Transplants {

  /** Shares of the old change that a transplant tries, the likeliest first. */
  private static final List<Double> ALPHAS = List.of(1.0, 0.75, 1.25);

  /** An alpha that keeps this much of the old version's score ends the search. */
  private static final double GOOD_ENOUGH = 0.98;

  private final Workspace workspace;
  private final Scoring scoring;

  Transplants(Workspace workspace, Scoring scoring) {
    this.workspace = workspace;
    this.scoring = scoring;
  }

  /**
   * The line's change on its new parent, at the alpha that does best on rows held out; at the
   * likeliest one where none are.
   */
  Candidate searched(Line line, VersionRef current, VersionRef parent, Progress progress)
      throws NotApplicableException {
    Fact.VersionRegistered now = workspace.registered(current);
    VersionRef oldParent = now.parent();
    if (oldParent == null) {
      throw new NotApplicableException(current + " was not made from a recorded parent");
    }
    EffectiveModel oldBase =
        workspace.versions().effective(workspace.registered(oldParent).manifest());
    EffectiveModel newBase =
        workspace.versions().effective(workspace.registered(parent).manifest());
    boolean adapter = now.kind() == VersionKind.ADAPTER;
    @Nullable Suite heldOut = scoring.heldOut(now.data());
    Scorer scorer = scoring.scorer(line, heldOut);
    double target =
        heldOut == null ? 0 : scoring.score(now.manifest(), heldOut, scorer, line, progress);
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
      double score = scoring.score(candidate.manifest().digest(), heldOut, scorer, line, progress);
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
                Trainings.named(line, progress));
    Manifest manifest =
        workspace.actions().version(result, now.kind(), workspace.registered(parent).manifest());
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
}
