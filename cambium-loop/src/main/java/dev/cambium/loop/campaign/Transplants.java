package dev.cambium.loop.campaign;

import dev.cambium.engine.transfer.CrossingReport;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.action.EffectiveModel;
import dev.cambium.loop.campaign.ShareSearch.Shares;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Suite;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.ModuleGroup;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Rung;
import dev.cambium.model.Scorer;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The transplant rung: the change that a line made to its old parent, added to the new one, with a
 * search for the share of it that serves best. What the loss does on the straight line between the
 * two parents is measured first, and told.
 */
final class Transplants {

  private final Workspace workspace;
  private final Scoring scoring;

  Transplants(Workspace workspace, Scoring scoring) {
    this.workspace = workspace;
    this.scoring = scoring;
  }

  /** Carries one line from one base to another. */
  private record Way(
      Line line,
      Fact.VersionRegistered now,
      EffectiveModel oldBase,
      EffectiveModel newBase,
      VersionRef parent,
      Progress progress) {
    boolean adapter() {
      return now.kind() == VersionKind.ADAPTER;
    }
  }

  /**
   * The line's change on its new parent, at the shares that do best on rows held out; at the
   * likeliest one where none are.
   *
   * @throws NotApplicableException also where an adapter does best as it is: that is reuse
   */
  Candidate searched(Line line, VersionRef current, VersionRef parent, Progress progress)
      throws NotApplicableException {
    Fact.VersionRegistered now = workspace.registered(current);
    VersionRef oldParent = now.parent();
    if (oldParent == null) {
      throw new NotApplicableException(current + " was not made from a recorded parent");
    }
    Way way =
        new Way(
            line,
            now,
            workspace.versions().effective(workspace.registered(oldParent).manifest()),
            workspace.versions().effective(workspace.registered(parent).manifest()),
            parent,
            progress);
    String crossing = crossing(way);
    @Nullable Suite heldOut = scoring.heldOut(now.data());
    try {
      if (heldOut == null) { // nothing to search on
        Candidate likeliest = transplanted(way, new Shares(way.adapter() ? 0.75 : 1, Map.of()));
        return likeliest.noted(likeliest.note() + crossing);
      }
      Scorer scorer = scoring.scorer(line, heldOut);
      double target = scoring.score(now.manifest(), heldOut, scorer, line, progress);
      ShareSearch search = new ShareSearch(target, groups(way), !way.adapter());
      Map<Shares, Candidate> made = new HashMap<>();
      Shares best =
          search.best(
              shares -> {
                Digest tried;
                if (way.adapter() && shares.isWhole()) {
                  tried = asItIs(way);
                } else {
                  made.put(shares, transplanted(way, shares));
                  tried = Objects.requireNonNull(made.get(shares)).manifest().digest();
                }
                return scoring.score(tried, heldOut, scorer, line, progress);
              });
      String looks =
          String.format(
              Locale.ROOT,
              "; held-out score by alpha: %s (%s: %.3f)%s",
              String.join(", ", search.looks()),
              current,
              target,
              crossing);
      Candidate chosen = made.get(best);
      if (chosen == null) {
        throw new NotApplicableException(
            "transplant: " + current + " does best as it is, which is reuse" + looks);
      }
      return chosen.noted(chosen.note() + looks);
    } catch (ActionFailedException e) {
      throw new NotApplicableException(String.valueOf(e.getMessage()));
    }
  }

  /** The groups whose weights the line changes. */
  private List<ModuleGroup> groups(Way way) {
    if (!way.adapter()) {
      return List.of(ModuleGroup.values());
    }
    List<String> targets =
        workspace
            .declaration()
            .recipe(way.line().name())
            .map(Recipe::lora)
            .map(Recipe.Lora::targets)
            .filter(named -> !named.isEmpty())
            .orElse(Recipe.Lora.ALL_PROJECTIONS);
    return targets.stream()
        .map(
            target ->
                List.of("gate_proj", "up_proj", "down_proj").contains(target)
                    ? ModuleGroup.FEED_FORWARD
                    : ModuleGroup.ATTENTION)
        .distinct()
        .sorted()
        .toList();
  }

  /** The loss between the two parents, in words; empty where there is no text to read. */
  private String crossing(Way way) {
    if (way.now().data().isEmpty() || way.oldBase().model().equals(way.newBase().model())) {
      return "";
    }
    try {
      ActionResult result =
          workspace
              .actions()
              .run(
                  new Action.Crossing(
                      way.oldBase().model(), way.newBase().model(), way.now().data()),
                  Trainings.named(way.line(), way.progress()));
      Digest report = result.outputs().get(ActionRunner.CROSSING);
      if (report == null) {
        return "";
      }
      CrossingReport found = Json.read(workspace.store().bytes(report), CrossingReport.class);
      return String.format(
          Locale.ROOT,
          "; loss on the straight line between the two parents: %s, barrier %.3f",
          found.losses().stream()
              .map(loss -> String.format(Locale.ROOT, "%.3f", loss))
              .collect(Collectors.joining(", ")),
          found.barrier());
    } catch (ActionFailedException e) {
      return "; " + e.getMessage();
    }
  }

  /** The adapter on the new parent, unchanged. */
  private Digest asItIs(Way way) {
    Manifest old = workspace.versions().manifest(way.now().manifest());
    Manifest manifest =
        new Manifest(old.kind(), workspace.registered(way.parent()).manifest(), old.files());
    workspace.versions().put(manifest);
    return manifest.digest();
  }

  private Candidate transplanted(Way way, Shares shares) {
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Transplant(
                    way.oldBase().model(),
                    way.newBase().model(),
                    way.now().manifest(),
                    shares.all(),
                    shares.groups()),
                Trainings.named(way.line(), way.progress()));
    Manifest manifest =
        workspace
            .actions()
            .version(result, way.now().kind(), workspace.registered(way.parent()).manifest());
    return new Candidate(
        manifest,
        Rung.TRANSPLANT,
        result.key(),
        way.now().data(),
        String.format(
            "change of %s carried to %s with alpha %s", way.now().version(), way.parent(), shares));
  }
}
