package dev.cambium.loop.headroom;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.engine.ProbeResult;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.LedgerState;
import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.declaration.HeadroomPolicy;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.VersionRef;
import dev.cambium.stats.ClusteredRatio;
import dev.cambium.stats.Interval;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Measures the headroom of versions: lets a version and its foundation learn the same tasks, each
 * an action that is carried out once, and compares. Safe for use by many threads.
 */
public final class HeadroomProbe {

  /** The probe's adapter: every projection, so that what limits a layer shows. */
  private static final Recipe.Lora ADAPTER = new Recipe.Lora(8, 16, List.of());

  private static final int MAX_TOKENS = 512;
  private static final double RISE = 0.1;

  private final ActionRunner actions;
  private final ArtifactStore store;
  private final Ledger ledger;
  private final long seed;

  /**
   * @param seed of the ecosystem
   */
  public HeadroomProbe(ActionRunner actions, ArtifactStore store, Ledger ledger, long seed) {
    this.actions = actions;
    this.store = store;
    this.ledger = ledger;
    this.seed = seed;
  }

  /** How each task of a probe is learnt. */
  public static Recipe recipe(HeadroomPolicy policy, Recipe.Precision precision) {
    return new Recipe(
            Recipe.Method.LORA,
            ADAPTER,
            policy.steps(),
            ProbeTasks.TRAINED,
            1,
            MAX_TOKENS,
            policy.learningRate(),
            RISE,
            Recipe.Schedule.CONSTANT,
            0,
            1,
            0)
        .withPrecision(precision);
  }

  /** Runs that a probe makes. */
  public static int runs(HeadroomPolicy policy) {
    return ProbeTasks.KINDS.size() * policy.tasks() * policy.seeds();
  }

  /**
   * What a version's ability to learn is compared with: the version at the root of what it is built
   * on and, where that was trained here, the one that it came from in the beginning.
   *
   * @return none if that is the version itself
   */
  public static Optional<VersionRef> foundation(LedgerState state, VersionRef version) {
    Fact.VersionRegistered at = fact(state, version);
    for (VersionRef up = at.parent(); up != null; up = at.parent()) {
      at = fact(state, up);
    }
    for (VersionRef before = at.predecessor();
        at.action() != null && before != null;
        before = at.predecessor()) {
      at = fact(state, before);
    }
    return Optional.of(at.version()).filter(found -> !found.equals(version));
  }

  private static Fact.VersionRegistered fact(LedgerState state, VersionRef version) {
    return state.version(version).orElseThrow().fact();
  }

  /**
   * Measures a version.
   *
   * @param precision of the matrix products, as the line is trained
   * @param level of the intervals
   * @return none if the version is a foundation, which nothing is compared with
   * @throws dev.cambium.loop.action.ActionFailedException if a probe could not be carried out
   */
  public Optional<Headroom> measure(
      VersionRef version,
      HeadroomPolicy policy,
      Recipe.Precision precision,
      double level,
      Progress progress) {
    LedgerState state = ledger.state();
    Optional<VersionRef> foundation = foundation(state, version);
    if (foundation.isEmpty()) {
      return Optional.empty();
    }
    Digest tasks =
        store.put(
            ProbeTasks.encode(
                ProbeTasks.of(
                    seed, ProbeTasks.rotation(version.number()), policy.tasks(), policy.seeds())));
    Recipe recipe = recipe(policy, precision);
    ActionResult reference = probe(foundation.get(), tasks, recipe, progress);
    ActionResult own = probe(version, tasks, recipe, progress);
    return Optional.of(headroom(version, foundation.get(), reference, own, recipe, tasks, level));
  }

  /**
   * What two probes of the same tasks say.
   *
   * @param steps foundation's steps to the threshold ÷ the version's
   * @param area foundation's area under the loss curve ÷ the version's; none if no run of both
   *     sides stayed finite
   */
  public record Comparison(Headroom.Ratio steps, Headroom.@Nullable Ratio area) {

    /** The one that is worse by the lower end of its interval: the headroom. */
    public Headroom.Ratio worse() {
      return Headroom.worse(steps, area);
    }
  }

  /**
   * Compares two probes of the same tasks.
   *
   * @param foundation what is compared with
   * @param horizon steps that every run was given
   * @param level of the intervals
   * @throws IllegalArgumentException if the two did not learn the same tasks
   */
  public static Comparison compare(
      ProbeResult foundation, ProbeResult version, int horizon, double level) {
    Curves curves = new Curves(foundation, version, horizon);
    return new Comparison(
        ratio(curves.steps(), level), curves.area().map(area -> ratio(area, level)).orElse(null));
  }

  private ActionResult probe(VersionRef version, Digest tasks, Recipe recipe, Progress progress) {
    Digest manifest = fact(ledger.state(), version).manifest();
    return actions.run(
        new Action.Probe(manifest, tasks, recipe, recipe.steps() % 2 == 0 ? 2 : 1),
        (task, done, total, note) -> progress.at(task + " " + version, done, total, note));
  }

  private Headroom headroom(
      VersionRef version,
      VersionRef foundation,
      ActionResult reference,
      ActionResult own,
      Recipe recipe,
      Digest tasks,
      double level) {
    ProbeResult theirs = result(reference);
    ProbeResult ours = result(own);
    Curves curves = new Curves(theirs, ours, recipe.steps());
    ClusteredRatio steps = curves.steps();
    return new Headroom(
        foundation,
        ratio(steps, level),
        curves.area().map(area -> ratio(area, level)).orElse(null),
        level,
        steps.tasks(),
        steps.pairs(),
        recipe.steps(),
        steps.censoredSubject(),
        steps.censoredReference(),
        Curves.diverged(ours),
        Curves.diverged(theirs),
        steps.decisive(),
        seconds(ours),
        seconds(theirs),
        update(version),
        own.key(),
        reference.key(),
        tasks,
        curves.means());
  }

  private ProbeResult result(ActionResult action) {
    return Json.read(store.bytes(action.output(ActionRunner.PROBE)), ProbeResult.class);
  }

  private static Headroom.Ratio ratio(ClusteredRatio ratio, double level) {
    Interval interval = ratio.interval(level).orElseThrow(); // there are several kinds of task
    return new Headroom.Ratio(ratio.ratio(), interval.lower(), interval.upper());
  }

  private static double seconds(ProbeResult probe) {
    return probe.runs().stream().mapToDouble(ProbeResult.Run::seconds).sum();
  }

  /** What the action that made the version took. */
  private @Nullable Double update(VersionRef version) {
    LedgerState state = ledger.state();
    Digest action = fact(state, version).action();
    return action == null
        ? null
        : state.action(action).map(done -> done.fact().seconds()).orElse(null);
  }
}
