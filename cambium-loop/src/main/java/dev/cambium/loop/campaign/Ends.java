package dev.cambium.loop.campaign;

import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Suite;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The ends that a training may have: how far between its start and what was trained a version lies,
 * searched for where the recipe says so.
 */
final class Ends {

  private final Workspace workspace;
  private final Scoring scoring;

  Ends(Workspace workspace, Scoring scoring) {
    this.workspace = workspace;
    this.scoring = scoring;
  }

  /**
   * The end of a training at one place of the search between its start and what was trained; what
   * was trained itself where nothing is searched for.
   *
   * @param shares of the way from the start that are tried; empty where nothing is searched for
   * @param place 0 for the end that gains most on new rows held out, 1 for the next
   * @param model that the training started from
   * @param adapter on that model which it went on with; none where there was none
   * @param fresh the new data, whose rows held out the ends are scored on
   */
  Candidate at(
      List<Double> shares,
      int place,
      Line line,
      Candidate trained,
      Digest model,
      @Nullable Digest adapter,
      List<Digest> fresh,
      Progress progress) {
    if (shares.isEmpty()) {
      return trained;
    }
    record Tried(double share, Candidate candidate, double gain) {}
    @Nullable Suite heldOut = scoring.heldOut(fresh);
    Scorer scorer = scoring.scorer(line, heldOut);
    List<Tried> tried = new ArrayList<>();
    for (double share : shares) {
      Candidate candidate =
          share == 1 ? trained : between(line, trained, model, adapter, share, progress);
      double gain =
          heldOut == null
              ? share // what is nearer to the trained one should have gained more
              : scoring.score(candidate.manifest().digest(), heldOut, scorer, line, progress);
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

  /** A point between two versions: a transplant from one base to itself. */
  private Candidate between(
      Line line,
      Candidate trained,
      Digest model,
      @Nullable Digest adapter,
      double share,
      Progress progress) {
    Digest from = adapter == null ? model : adapter;
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Transplant(from, from, trained.manifest().digest(), share),
                Trainings.named(line, progress));
    Manifest under = trained.manifest();
    Manifest manifest = workspace.actions().version(result, under.kind(), model);
    if (!model.equals(under.parent())) {
      manifest = new Manifest(under.kind(), under.parent(), manifest.files());
      workspace.versions().put(manifest);
    }
    return new Candidate(manifest, trained.rung(), result.key(), trained.data(), trained.note());
  }
}
