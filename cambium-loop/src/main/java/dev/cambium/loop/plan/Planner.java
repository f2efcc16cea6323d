package dev.cambium.loop.plan;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.declaration.Policy;
import dev.cambium.model.Application;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Recipe;
import dev.cambium.model.Rung;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes plans: the dependency closure of what signals reach, in topological order.
 *
 * <p>A line is affected by a signal of its own, by an edit of its application file, or because the
 * line it is built on is affected. The plan lists all of them, since a parent's change is only
 * known when it has been made; a campaign cuts off those whose parent then stays as it was.
 */
public final class Planner {

  /** Transplants tried in the search for alpha, and the items each is tried on. */
  static final int SEARCH_TRIALS = 3;

  static final int SEARCH_ITEMS = 60;

  private final LedgerState state;
  private final Declaration declaration;
  private final ArtifactStore store;
  private final CostModel costs;

  public Planner(LedgerState state, Declaration declaration, ArtifactStore store, CostModel costs) {
    this.state = state;
    this.declaration = declaration;
    this.store = store;
    this.costs = costs;
  }

  /** Plans all open signals. */
  public Plan plan() {
    List<String> signals = new ArrayList<>();
    Map<String, List<Fact.SignalReceived>> byLine = new HashMap<>();
    for (LedgerState.SignalState signal : state.openSignals()) {
      Fact.SignalReceived fact = signal.received().fact();
      signals.add(fact.signal());
      byLine.computeIfAbsent(fact.line(), l -> new ArrayList<>()).add(fact);
    }
    List<Plan.Step> steps = new ArrayList<>();
    List<String> unaffected = new ArrayList<>();
    Map<String, String> waiting = new TreeMap<>();
    Set<String> affected = new HashSet<>();
    for (Line line : declaration.lines().values()) {
      List<Fact.SignalReceived> own = byLine.getOrDefault(line.name(), List.of());
      Plan.@Nullable Step step = step(line, own, affected, waiting);
      if (step != null) {
        affected.add(line.name());
        steps.add(step);
      } else if (!waiting.containsKey(line.name())) {
        unaffected.add(line.name());
      }
    }
    double seconds = steps.stream().mapToDouble(Plan.Step::seconds).sum();
    double worst = steps.stream().mapToDouble(Plan.Step::worstSeconds).sum();
    return new Plan(signals, steps, unaffected, waiting, seconds, worst);
  }

  private Plan.@Nullable Step step(
      Line line, List<Fact.SignalReceived> own, Set<String> affected, Map<String, String> waiting) {
    VersionRef current = state.channel(line.name(), Channel.STABLE).orElse(null);
    boolean parentAffected = line.parent() != null && affected.contains(line.parent());
    boolean parentReady =
        line.parent() == null
            || parentAffected
            || state.channel(line.parent(), Channel.STABLE).isPresent();
    List<String> ids = own.stream().map(Fact.SignalReceived::signal).toList();

    VersionRef adopt =
        own.stream()
            .filter(s -> s.kind() == Fact.SignalKind.UPSTREAM)
            .map(Fact.SignalReceived::upstream)
            .reduce((first, last) -> last)
            .orElse(null);
    boolean learns = own.stream().anyMatch(s -> s.kind() == Fact.SignalKind.DATA);
    if (adopt != null && !learns) {
      return step(line, Plan.Cause.ADOPT, current, ids, adopt, List.of(), adopt + " was imported");
    }
    if (learns) {
      if (line.recipe() == null) {
        waiting.put(line.name(), "has data but no recipe: name one in ecosystem.yaml");
        return null;
      }
      if (!parentReady) {
        waiting.put(line.name(), line.parent() + " has no stable version to build on yet");
        return null;
      }
      if (line.parent() == null && current == null) {
        waiting.put(line.name(), "a foundation starts from an imported version; import one first");
        return null;
      }
      int rows = own.stream().mapToInt(Fact.SignalReceived::rows).sum();
      return step(
          line,
          Plan.Cause.LEARN,
          current,
          ids,
          null,
          List.of(Rung.RETRAIN),
          rows + " new rows to learn");
    }
    if (line.tier() == Tier.APPLICATION) {
      Application declared = line.application();
      if (declared != null && !declared.equals(released(current))) {
        if (!parentReady) {
          waiting.put(line.name(), line.parent() + " has no stable version to build on yet");
          return null;
        }
        return step(
            line,
            Plan.Cause.DECLARE,
            current,
            ids,
            null,
            List.of(),
            current == null ? "not released yet" : line.applicationFile() + " was edited");
      }
    }
    if (parentAffected && current != null) {
      return step(
          line,
          Plan.Cause.CARRY,
          current,
          ids,
          null,
          rungs(line, current),
          line.parent() + " is about to change");
    }
    if (current == null && line.tier() != Tier.FOUNDATION) {
      waiting.put(line.name(), "has no version yet: import one, or signal data for it");
    }
    return null;
  }

  private @Nullable Application released(@Nullable VersionRef version) {
    if (version == null) {
      return null;
    }
    Manifest manifest = manifest(version);
    return manifest
        .file(Application.FILE)
        .map(file -> Json.read(store.bytes(file.digest()), Application.class))
        .orElse(null);
  }

  private Manifest manifest(VersionRef version) {
    Digest digest = state.version(version).orElseThrow().fact().manifest();
    return Json.read(store.bytes(digest), Manifest.class);
  }

  /** The rungs by which a line's stable version could be carried to a new parent. */
  private List<Rung> rungs(Line line, VersionRef current) {
    Fact.VersionRegistered version = state.version(current).orElseThrow().fact();
    List<Rung> rungs = new ArrayList<>();
    if (version.kind() != VersionKind.MODEL) {
      rungs.add(Rung.REUSE);
    }
    if (version.kind() != VersionKind.APPLICATION) {
      rungs.add(Rung.TRANSPLANT);
      if (line.recipe() != null && !version.data().isEmpty()) {
        rungs.add(Rung.RETRAIN);
      }
    }
    return rungs;
  }

  private Plan.Step step(
      Line line,
      Plan.Cause cause,
      @Nullable VersionRef current,
      List<String> signals,
      @Nullable VersionRef adopt,
      List<Rung> rungs,
      String why) {
    int items =
        declaration.contract(line.name()).capabilities().stream()
            .mapToInt(c -> suiteItems(c))
            .sum();
    double judging = costs.evaluation(current == null ? items : 2 * items);
    double first = judging;
    double worst = rungs.isEmpty() ? judging : 0;
    boolean measured = true;
    for (int i = 0; i < rungs.size(); i++) {
      double seconds = judging;
      switch (rungs.get(i)) {
        case REUSE -> {}
        case TRANSPLANT ->
            seconds += SEARCH_TRIALS * (costs.transplant() + costs.evaluation(SEARCH_ITEMS));
        case RETRAIN -> {
          Recipe recipe = declaration.recipe(line.name()).orElse(null);
          if (recipe != null) {
            seconds += costs.training(recipe);
            measured &= costs.knows(recipe);
          }
        }
      }
      if (i == 0) {
        first = seconds;
      }
      worst += seconds;
    }
    Set<Policy.DecisionPoint> approve = declaration.policy().approve();
    boolean approval =
        approve.contains(Policy.DecisionPoint.RELEASE)
            || rungs.stream()
                .anyMatch(
                    r ->
                        approve.stream()
                            .anyMatch(p -> p.label().equals(r.name().toLowerCase(Locale.ROOT))));
    return new Plan.Step(
        line.name(),
        line.tier(),
        cause,
        current,
        signals,
        adopt,
        rungs,
        first,
        worst,
        measured,
        approval,
        why);
  }

  private int suiteItems(String capability) {
    return state
        .ecosystem()
        .map(e -> e.fact().suites().get(capability))
        .map(
            digest ->
                (int)
                    new String(store.bytes(digest), java.nio.charset.StandardCharsets.UTF_8)
                        .lines()
                        .count())
        .orElse(0);
  }
}
