package dev.cambium.loop.campaign;

import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.data.SearchItems;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.declaration.PromptSpace;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.loop.gate.Suite;
import dev.cambium.loop.plan.PromptSearch;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The prompt rung: of the wordings that an application's file allows, the one by which its new
 * parent answers best. They are scored on items of the contract's suites that are set aside for it;
 * those never count in a verdict on what was chosen by them (see {@link Judge}).
 */
final class Prompts {

  /** Fewer items cannot tell wordings apart. */
  private static final int FEWEST_ITEMS = 8;

  private final Workspace workspace;
  private final Evaluations evaluations;

  Prompts(Workspace workspace, Evaluations evaluations) {
    this.workspace = workspace;
    this.evaluations = evaluations;
  }

  /**
   * The wording that does best on the new parent.
   *
   * @throws NotApplicableException also where the one that there is does best: that is reuse
   */
  Candidate searched(Line line, VersionRef current, VersionRef parent, Progress progress)
      throws NotApplicableException {
    PromptSpace space = line.search();
    if (space == null) {
      throw new NotApplicableException(
          "prompt: " + line.applicationFile() + " has no 'search' that names other wordings");
    }
    Fact.VersionRegistered now = workspace.registered(current);
    List<Application> candidates =
        space.candidates(
            workspace.versions().application(now.manifest()).orElseThrow(),
            Objects.requireNonNull(line.application()));
    List<Action.SearchPart> parts = parts(line, space, candidates);
    Action.Prompt action =
        new Action.Prompt(
            workspace.registered(parent).manifest(),
            now.manifest(),
            line.application(),
            candidates,
            parts);
    ActionResult result =
        workspace.actions().compose(action, () -> search(action, Trainings.named(line, progress)));
    PromptSearch.Found found =
        Json.read(
            workspace.store().bytes(result.output(ActionRunner.PROMPT)), PromptSearch.Found.class);
    String looks = looks(candidates, found, current);
    if (found.hopeless()) {
      throw new NotApplicableException(
          "prompt: no wording comes near what " + current + " had" + looks);
    }
    if (found.best() == 0) {
      throw new NotApplicableException(
          "prompt: " + current + " does best as it is, which is reuse" + looks);
    }
    Manifest manifest =
        workspace.actions().version(result, VersionKind.APPLICATION, action.parent());
    return new Candidate(
        manifest,
        Rung.PROMPT,
        result.key(),
        now.data(),
        String.format(
            "%s on %s with %s%s",
            current, parent, candidates.get(found.best()).changeFrom(candidates.get(0)), looks));
  }

  /** The items that are set aside, by capability; none that a wording's examples give away. */
  private List<Action.SearchPart> parts(Line line, PromptSpace space, List<Application> candidates)
      throws NotApplicableException {
    List<Action.SearchPart> parts = new ArrayList<>();
    int total = 0;
    for (String capability : workspace.declaration().contract(line.name()).capabilities()) {
      Digest digest =
          workspace
              .ledger()
              .state()
              .ecosystem()
              .map(declared -> declared.fact().suites().get(capability))
              .orElseThrow();
      List<Item> suite = Suite.read(workspace.store().bytes(digest)).items();
      Set<String> shown = new HashSet<>();
      candidates.forEach(candidate -> shown.addAll(SearchItems.shown(candidate, suite)));
      List<Item> items =
          SearchItems.of(
              suite.stream().filter(item -> !shown.contains(item.id())).toList(),
              space.items(suite.size()),
              workspace.declaration().policy().seed());
      total += items.size();
      if (!items.isEmpty()) {
        Digest part = workspace.store().put(Suite.of(items).bytes());
        parts.add(
            new Action.SearchPart(
                capability, part, workspace.declaration().capability(capability).scorer()));
      }
    }
    if (total < FEWEST_ITEMS) {
      throw new NotApplicableException(
          String.format(
              Locale.ROOT,
              "prompt: a share of %.2f of the suites of %s is %d items, at least %d are needed to"
                  + " tell wordings apart",
              space.share(),
              line.name(),
              total,
              FEWEST_ITEMS));
    }
    return parts;
  }

  private ActionRunner.Composed search(Action.Prompt action, Progress progress) {
    List<Suite> suites =
        action.parts().stream()
            .map(part -> Suite.read(workspace.store().bytes(part.suite())))
            .toList();
    double[] seconds = new double[1];
    Map<Integer, List<List<Outcome>>> outcomes = new HashMap<>();
    PromptSearch.Found found =
        PromptSearch.among(
            action.candidates().size(),
            suites.stream().map(suite -> suite.items().size()).toList(),
            (candidate, items) -> {
              Digest version =
                  candidate < 0 ? action.current() : stored(action, candidate).digest();
              List<List<Outcome>> seen =
                  outcomes.computeIfAbsent(
                      candidate,
                      c -> suites.stream().<List<Outcome>>map(s -> new ArrayList<>()).toList());
              double sum = 0;
              for (int part = 0; part < suites.size(); part++) {
                List<Outcome> of = seen.get(part);
                if (of.size() < items.get(part)) {
                  var piece =
                      evaluations.run(
                          version,
                          suites.get(part),
                          action.parts().get(part).scorer(),
                          of.size(),
                          items.get(part),
                          progress);
                  of.addAll(piece.outcomes());
                  seconds[0] += piece.seconds();
                }
                sum += of.stream().mapToDouble(Outcome::score).average().orElse(0);
              }
              return sum / suites.size();
            });
    Map<String, byte[]> outputs = new HashMap<>();
    outputs.put(ActionRunner.PROMPT, Json.canonical(found));
    outputs.put(
        ActionRunner.VERSION_PREFIX + Application.FILE,
        action.candidates().get(found.best()).bytes());
    return new ActionRunner.Composed(outputs, seconds[0]);
  }

  private Manifest stored(Action.Prompt action, int candidate) {
    Application application = action.candidates().get(candidate);
    workspace.store().put(application.bytes());
    Manifest manifest = application.on(action.parent());
    workspace.versions().put(manifest);
    return manifest;
  }

  /** What was seen of the best, of what there is and of what was; the action's record has all. */
  private static String looks(
      List<Application> candidates, PromptSearch.Found found, VersionRef current) {
    return found.looks().stream()
        .filter(look -> look.candidate() <= 0 || look.candidate() == found.best())
        .map(
            look ->
                String.format(
                    Locale.ROOT,
                    "%s: %.3f on %d items",
                    look.candidate() < 0
                        ? current + " before"
                        : candidates.get(look.candidate()).changeFrom(candidates.get(0)),
                    look.score(),
                    look.items()))
        .collect(
            Collectors.joining(
                "; ",
                String.format("; score of %d wordings on items set aside, ", candidates.size()),
                ""));
  }
}
