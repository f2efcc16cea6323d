package dev.cambium.loop.plan;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.Versions;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.HeadroomPolicy;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.declaration.Merging;
import dev.cambium.loop.declaration.Policy;
import dev.cambium.loop.declaration.PromptSpace;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.governor.Governor;
import dev.cambium.loop.governor.Instruments;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Wish;
import dev.cambium.loop.headroom.HeadroomProbe;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.MergeMethod;
import dev.cambium.model.Protection;
import dev.cambium.model.Recipe;
import dev.cambium.model.Rung;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes plans: the dependency closure of what signals reach, in topological order.
 *
 * <p>A line is affected by a signal of its own, by an edit of its application file, because the
 * line it is built on or one that it is merged from is affected, or because one of these has been
 * released since it was merged. The plan lists all of them, since a parent's change is only known
 * when it has been made; a campaign cuts off those whose parent then stays as it was.
 */
public final class Planner {

  /** Transplants tried in the search for alpha, and the items each is tried on. */
  static final int SEARCH_TRIALS = 3;

  static final int SEARCH_ITEMS = 60;

  private final LedgerState state;
  private final Declaration declaration;
  private final ArtifactStore store;
  private final CostModel costs;
  private final Instruments instruments;
  private final Map<String, Wish> wishes = new HashMap<>();
  private String actor = "";

  /** The stable version of every line, asked for once: a fleet may have ten thousand. */
  private final Map<String, Fact.VersionRegistered> stable = new HashMap<>();

  private final Map<String, Integer> suiteItems = new HashMap<>();

  private @Nullable RungHistory history;

  /** A planner to whom nothing is known of how well versions learn. */
  public Planner(LedgerState state, Declaration declaration, ArtifactStore store, CostModel costs) {
    this(state, declaration, store, costs, Instruments.NONE);
  }

  /** A planner with what was measured. */
  public Planner(
      LedgerState state,
      Declaration declaration,
      ArtifactStore store,
      CostModel costs,
      Instruments instruments) {
    this.state = state;
    this.declaration = declaration;
    this.store = store;
    this.costs = costs;
    this.instruments = instruments;
    state.versionsAt(Channel.STABLE).forEach((line, found) -> stable.put(line, found.fact()));
    state
        .ecosystem()
        .ifPresent(
            declared ->
                declared
                    .fact()
                    .suites()
                    .forEach((name, suite) -> suiteItems.put(name, lines(store.bytes(suite)))));
  }

  private static int lines(byte[] text) {
    return (int) new String(text, StandardCharsets.UTF_8).lines().count();
  }

  /**
   * Plans all open signals, some lines in the mode that a person wants.
   *
   * @param actor who wants it
   * @throws IllegalArgumentException if a line has nothing to learn, or no way for its mode
   */
  public Plan plan(List<Wish> wanted, String actor) {
    this.actor = actor;
    wanted.forEach(wish -> wishes.put(wish.line(), wish));
    wishes.keySet().forEach(declaration::line);
    Plan plan = plan();
    plan.steps().stream()
        .filter(step -> step.update() != null)
        .forEach(step -> wishes.remove(step.line()));
    if (!wishes.isEmpty()) {
      throw new IllegalArgumentException(
          String.join(", ", wishes.keySet())
              + ": a mode is for the update of a line that is released already and has new data;"
              + " cambium plan shows what there is to do");
    }
    return plan;
  }

  /** Plans all open signals. */
  public Plan plan() {
    return plan(List.of());
  }

  /**
   * Plans all open signals, and what would be planned if others had arrived as well.
   *
   * @param supposed signals that are in no ledger
   */
  public Plan plan(List<Fact.SignalReceived> supposed) {
    List<String> signals = new ArrayList<>();
    Map<String, List<Fact.SignalReceived>> byLine = new HashMap<>();
    for (LedgerState.SignalState signal : state.openSignals()) {
      Fact.SignalReceived fact = signal.received().fact();
      signals.add(fact.signal());
      byLine.computeIfAbsent(fact.line(), l -> new ArrayList<>()).add(fact);
    }
    supposed.forEach(fact -> byLine.computeIfAbsent(fact.line(), l -> new ArrayList<>()).add(fact));
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
    double expected =
        steps.stream().mapToDouble(s -> s.expected() == null ? s.seconds() : s.expected()).sum();
    return new Plan(signals, steps, unaffected, waiting, seconds, expected, worst);
  }

  private Plan.@Nullable Step step(
      Line line, List<Fact.SignalReceived> own, Set<String> affected, Map<String, String> waiting) {
    Fact.VersionRegistered now = stable.get(line.name());
    VersionRef current = now == null ? null : now.version();
    boolean parentAffected = line.parent() != null && affected.contains(line.parent());
    boolean parentReady =
        line.parent() == null || parentAffected || stable.containsKey(line.parent());
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
          rows + " new rows to learn",
          now == null ? null : choose(line, now, parentAffected));
    }
    if (line.merge() != null) {
      return merge(line, line.merge(), now, ids, affected, waiting);
    }
    if (line.tier() == Tier.APPLICATION) {
      Application declared = line.application();
      if (declared != null && !isReleased(declared, now)) {
        if (!parentReady) {
          waiting.put(line.name(), line.parent() + " has no stable version to build on yet");
          return null;
        }
        VersionRef undone = undone(line.name());
        if (undone == null || !declared.equals(released(undone))) {
          return step(
              line,
              Plan.Cause.DECLARE,
              current,
              ids,
              null,
              List.of(),
              current == null ? "not released yet" : line.applicationFile() + " was edited");
        }
        if (!parentAffected) {
          waiting.put(
              line.name(),
              "was rolled back from "
                  + undone
                  + ", which is what "
                  + line.applicationFile()
                  + " still says: edit it, or release "
                  + undone
                  + " by hand");
          return null;
        }
      }
    }
    if (parentAffected && now != null) {
      return step(
          line,
          Plan.Cause.CARRY,
          current,
          ids,
          null,
          rungs(line, now),
          line.parent() + " is about to change");
    }
    if (current == null && line.tier() != Tier.FOUNDATION) {
      waiting.put(line.name(), "has no version yet: import one, or signal data for it");
    }
    return null;
  }

  /** A line that is merged from others: again, when one of them is another than it was. */
  private Plan.@Nullable Step merge(
      Line line,
      Merging merging,
      Fact.@Nullable VersionRegistered now,
      List<String> signals,
      Set<String> affected,
      Map<String, String> waiting) {
    List<String> changing = line.above().stream().filter(affected::contains).toList();
    List<String> missing =
        line.above().stream()
            .filter(above -> !affected.contains(above) && !stable.containsKey(above))
            .toList();
    if (!missing.isEmpty()) {
      waiting.put(
          line.name(), String.join(", ", missing) + ": no stable version to merge from yet");
      return null;
    }
    String why;
    if (changing.isEmpty()) {
      List<Fact.VersionRegistered> sources =
          merging.from().stream().map(from -> Objects.requireNonNull(stable.get(from))).toList();
      List<VersionRef> refs = sources.stream().map(Fact.VersionRegistered::version).toList();
      if (now != null && isMerged(state, store, now, merging.method(), refs)) {
        return null;
      }
      VersionRef base =
          Objects.requireNonNull(stable.get(Objects.requireNonNull(line.parent()))).version();
      for (Fact.VersionRegistered source : sources) {
        if (!base.equals(source.parent())) {
          waiting.put(
              line.name(),
              source.version()
                  + " is built on "
                  + source.parent()
                  + ", not on "
                  + base
                  + "; what is merged must have come from the same model");
          return null;
        }
      }
      for (Recorded<Fact.VersionRegistered> tried : state.versions(line.name())) {
        if (isMerged(state, store, tried.fact(), merging.method(), refs)) {
          waiting.put(
              line.name(),
              tried.fact().version()
                  + " was merged from "
                  + names(refs)
                  + " and is not released; a new version of one of them changes that, or a release"
                  + " of it by hand");
          return null;
        }
      }
      why = now == null ? "not merged yet" : "merged from other versions than " + names(refs);
    } else {
      why = String.join(", ", changing) + " about to change";
    }
    return step(
        line, Plan.Cause.MERGE, now == null ? null : now.version(), signals, null, List.of(), why);
  }

  private static String names(List<VersionRef> versions) {
    return versions.stream().map(VersionRef::toString).collect(Collectors.joining(", "));
  }

  /**
   * Whether a version is what merging some others by a method gives.
   *
   * @param sources in the order in which the line names them
   */
  public static boolean isMerged(
      LedgerState state,
      ArtifactStore store,
      Fact.VersionRegistered version,
      MergeMethod method,
      List<VersionRef> sources) {
    Digest action = version.action();
    return action != null
        && version.sources().equals(sources)
        && state
            .action(action)
            .map(done -> Json.read(store.bytes(done.fact().spec()), Action.class))
            .filter(done -> done instanceof Action.Merge merge && merge.method().equals(method))
            .isPresent();
  }

  /** The version that the last move of a line's stable channel took back, if it was a rollback. */
  private @Nullable VersionRef undone(String line) {
    List<Recorded<Fact.ChannelMoved>> moves = state.channelHistory(line, Channel.STABLE);
    Fact.ChannelMoved last = moves.isEmpty() ? null : moves.get(moves.size() - 1).fact();
    return last != null && last.movement() == Fact.Movement.ROLLBACK ? last.from() : null;
  }

  /**
   * Whether a version is what a declaration says. Where it is, as mostly, its manifest can be
   * computed and nothing need be read.
   */
  private boolean isReleased(Application declared, Fact.@Nullable VersionRegistered version) {
    if (version == null) {
      return false;
    }
    VersionRef parent = version.parent();
    if (parent != null) {
      Fact.VersionRegistered above = stable.get(parent.line());
      Digest parentManifest =
          above != null && above.version().equals(parent)
              ? above.manifest()
              : state.version(parent).orElseThrow().fact().manifest();
      if (declared.on(parentManifest).digest().equals(version.manifest())) {
        return true;
      }
    }
    return declared.equals(released(version.version()))
        // Or the file still says what a search began with that found what is released.
        || PromptHistory.of(state, store, version).stream()
            .anyMatch(search -> search.declared().equals(declared));
  }

  private @Nullable Application released(@Nullable VersionRef version) {
    if (version == null) {
      return null;
    }
    Digest manifest = state.version(version).orElseThrow().fact().manifest();
    return new Versions(store).application(manifest).orElse(null);
  }

  /** The rungs by which a line's stable version could be carried to a new parent. */
  private static List<Rung> rungs(Line line, Fact.VersionRegistered version) {
    List<Rung> rungs = new ArrayList<>();
    if (version.kind() != VersionKind.MODEL) {
      rungs.add(Rung.REUSE);
    }
    if (version.kind() == VersionKind.APPLICATION && line.search() != null) {
      rungs.add(Rung.PROMPT);
    }
    if (version.kind() != VersionKind.APPLICATION) {
      rungs.add(Rung.TRANSPLANT);
      if (!version.data().isEmpty()) {
        rungs.add(Rung.ALIGN);
      }
      if (line.recipe() != null) {
        rungs.add(Rung.DISTILL);
        if (!version.data().isEmpty()) {
          rungs.add(Rung.RETRAIN);
        }
      }
    }
    return rungs;
  }

  /** How a line's stable version is to be updated. */
  private Choice choose(Line line, Fact.VersionRegistered now, boolean parentAffected) {
    Recipe recipe = Objects.requireNonNull(recipe(line, false));
    Governor governor = declaration.governor();
    Map<Mode, Double> ways = ways(line, recipe, now, parentAffected);
    Choice choice = governor.choose(instruments.read(recipe, now), ways, recipe.method());
    Wish wish = wishes.get(line.name());
    return wish == null ? choice : governor.overrule(choice, wish, actor, ways, recipe.method());
  }

  /** The modes that there is a way for, with the optimizer steps that each takes. */
  private Map<Mode, Double> ways(
      Line line, Recipe recipe, Fact.VersionRegistered now, boolean parentAffected) {
    Map<Mode, Double> ways = new EnumMap<>(Mode.class);
    ways.put(Mode.PLAIN, (double) recipe.steps());
    ways.put(Mode.PROTECT, (double) recipe.steps());
    if (recipe.method() == Recipe.Method.FULL) {
      ways.put(Mode.REPAIR, (double) recipe.steps());
    }
    Fact.VersionRegistered parent = line.parent() == null ? null : stable.get(line.parent());
    if (line.parent() != null) {
      ways.put(Mode.REBASE, (double) recipe.steps());
    }
    if (now.kind() == VersionKind.ADAPTER
        && !parentAffected
        && parent != null
        && parent.version().equals(now.parent())) {
      ways.put(Mode.CONSOLIDATE, (double) recipe.steps());
    }
    return ways;
  }

  /**
   * A line's recipe with all its steps counted; by the rows that were signalled, since which of
   * them hold is only looked at when it is trained.
   *
   * @param anew whether everything is learnt from the beginning, not only what is new
   */
  private @Nullable Recipe recipe(Line line, boolean anew) {
    Recipe recipe = declaration.recipe(line.name()).orElse(null);
    if (recipe == null || !recipe.counts()) {
      return recipe;
    }
    Fact.VersionRegistered now = stable.get(line.name());
    Set<Digest> seen = new HashSet<>(now == null ? List.of() : now.data());
    long held = 0;
    long fresh = 0;
    for (LedgerState.SignalState signal : state.signalsFor(line.name())) {
      Fact.SignalReceived fact = signal.received().fact();
      Digest train = fact.train();
      if (train != null && seen.contains(train)) {
        held += fact.rows();
      } else if (signal.campaign().isEmpty()) {
        fresh += fact.rows();
      }
    }
    return anew ? recipe.anew(held + fresh) : recipe.updating(fresh, held);
  }

  /** Seconds of a headroom probe, where the contract asks for one. */
  private double probing(Line line) {
    HeadroomPolicy headroom = declaration.contract(line.name()).headroom();
    return headroom == null
            || !headroom.on()
            || line.tier() == Tier.FOUNDATION
            || line.tier() == Tier.APPLICATION
        ? 0
        : HeadroomProbe.runs(headroom)
            * costs.training(HeadroomProbe.recipe(headroom, Recipe.Precision.FP32));
  }

  /** Answers of the line's own, and the search for where the training ends. */
  private double keeping(Recipe recipe, Protection protect) {
    Protection.OnPolicy onPolicy = protect.onPolicy();
    double answers =
        onPolicy == null
            ? 0
            : costs.evaluation(onPolicy.questions((long) recipe.steps() * recipe.batchRows()));
    return answers
        + protect.interpolateSearch().size()
            * (costs.transplant() + costs.evaluation(SEARCH_ITEMS));
  }

  /** What the latest campaigns say of rungs, read once. */
  private RungHistory history() {
    RungHistory known = history;
    if (known == null) {
      known = RungHistory.of(state);
      history = known;
    }
    return known;
  }

  /** Seconds of a search for another wording, if it goes on to its end. */
  private double searching(Line line) {
    PromptSpace space = line.search();
    Application declared = line.application();
    if (space == null || declared == null) {
      return 0;
    }
    List<Integer> parts =
        declaration.contract(line.name()).capabilities().stream()
            .map(capability -> space.items(suiteItems.getOrDefault(capability, 0)))
            .toList();
    // What is released may be none of those that the file allows.
    return costs.evaluation(
        PromptSearch.evaluations(space.candidates(declared, declared).size() + 1, parts));
  }

  /** Seconds of one rung on a line, without its evaluation on the contract's suites. */
  private double making(Line line, Rung rung, Plan.Cause cause) {
    Recipe recipe = recipe(line, cause != Plan.Cause.LEARN);
    return switch (rung) {
      case REUSE -> 0;
      case PROMPT -> searching(line);
      case TRANSPLANT -> SEARCH_TRIALS * (costs.transplant() + costs.evaluation(SEARCH_ITEMS));
      case ALIGN -> costs.alignment();
      case DISTILL -> recipe == null ? 0 : costs.distillation(recipe);
      case RETRAIN -> {
        Protection protect = recipe == null || cause != Plan.Cause.LEARN ? null : recipe.protect();
        yield recipe == null
            ? 0
            : costs.training(recipe) + (protect == null ? 0 : keeping(recipe, protect));
      }
    };
  }

  private Plan.Step step(
      Line line,
      Plan.Cause cause,
      @Nullable VersionRef current,
      List<String> signals,
      @Nullable VersionRef adopt,
      List<Rung> rungs,
      String why) {
    return step(line, cause, current, signals, adopt, rungs, why, null);
  }

  private Plan.Step step(
      Line line,
      Plan.Cause cause,
      @Nullable VersionRef current,
      List<String> signals,
      @Nullable VersionRef adopt,
      List<Rung> ways,
      String why,
      @Nullable Choice update) {
    int items =
        declaration.contract(line.name()).capabilities().stream()
            .mapToInt(c -> suiteItems.getOrDefault(c, 0))
            .sum();
    double judging =
        costs.evaluation(current == null ? items : 2 * items)
            + probing(line)
            + (cause == Plan.Cause.MERGE ? costs.merge() : 0);
    List<Rung> rungs =
        // Another wording is looked for only where the one that there is does not do.
        cause == Plan.Cause.CARRY && ways.size() > 1 && !ways.contains(Rung.PROMPT)
            ? history().ordered(ways, rung -> judging + making(line, rung, cause))
            : ways;
    double first = rungs.isEmpty() ? judging : judging + making(line, rungs.get(0), cause);
    double worst = rungs.isEmpty() ? judging : 0;
    double expected =
        cause == Plan.Cause.CARRY
            ? history().expected(rungs, rung -> judging + making(line, rung, cause))
            : first;
    boolean measured = true;
    Recipe recipe = declaration.recipe(line.name()).orElse(null);
    for (Rung rung : rungs) {
      worst += judging + making(line, rung, cause);
      measured &= rung != Rung.RETRAIN || recipe == null || costs.knows(recipe);
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
        expected,
        worst,
        measured,
        approval,
        why,
        update);
  }
}
