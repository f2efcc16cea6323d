package dev.cambium.loop.campaign;

import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Precondition;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.declaration.Merging;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.plan.Plan;
import dev.cambium.loop.plan.Planner;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a campaign: settles the plan's lines, parents before children.
 *
 * <p>How a line goes, each arrow one transaction of the ledger:
 *
 * <pre>
 *   parent unchanged ─────────────────────────────────────────▶ CUT_OFF
 *   parent kept and answered alike (applications) ─▶ verdict PASS (inherited) ─▶ KEPT
 *   merged from others, all as before ────────────────────────▶ CUT_OFF
 *   for each rung: make candidate ─▶ registered, on channel candidate ─▶ verdict
 *        PASS ─▶ channel stable moved + KEPT (reuse) or RELEASED
 *        FAIL, INCONCLUSIVE ─▶ next rung
 *   no rung left ─▶ REJECTED if all failed, HELD if any was inconclusive
 * </pre>
 *
 * <p>Nothing is remembered outside of the ledger. A second run looks up what is recorded, step by
 * step, and does only what is missing: actions are memoised, a candidate is recognised by its
 * digest, a verdict by its candidate, a settlement by its line.
 */
public final class CampaignRunner {

  private static final Logger LOG = LoggerFactory.getLogger(CampaignRunner.class);

  private final Workspace workspace;
  private final Judge judge;
  private final Learning learning;
  private final Carrying carrying;
  private final Assembling assembling;
  private final Approver approver;
  private final Progress progress;

  public CampaignRunner(Workspace workspace, Approver approver, Progress progress) {
    this.workspace = workspace;
    this.judge = new Judge(workspace);
    this.learning = new Learning(workspace, judge.evaluations());
    this.carrying = new Carrying(workspace, judge.evaluations());
    this.assembling = new Assembling(workspace);
    this.approver = approver;
    this.progress = progress;
  }

  /**
   * How a run ended.
   *
   * @param campaign its id
   * @param outcome none while it waits for a decision
   * @param waitingFor the decision point that nobody answered
   */
  public record Result(
      String campaign, Fact.@Nullable CampaignOutcome outcome, @Nullable String waitingFor) {}

  /** Opens a campaign for a plan. */
  public String open(Plan plan) {
    Digest artifact = workspace.store().put(Json.canonical(plan));
    String campaign = state().nextCampaign();
    List<Precondition> preconditions = new ArrayList<>();
    preconditions.add(new Precondition.NoCampaignOpen());
    plan.signals().forEach(signal -> preconditions.add(new Precondition.SignalOpen(signal)));
    append(List.of(new Fact.CampaignOpened(campaign, plan.signals(), artifact)), preconditions);
    return campaign;
  }

  /**
   * Carries an open campaign on to its end, or to a decision point that nobody answers. Decisions
   * are asked for before anything is run; then lines are settled side by side as far as the
   * actions' executor is wide, each after the line that it is built on.
   */
  public Result run(String campaign) {
    LedgerState.CampaignState found = state().campaign(campaign).orElseThrow();
    Plan plan = Json.read(workspace.store().bytes(found.opened().fact().plan()), Plan.class);
    for (Plan.Step step : plan.steps()) {
      if (settlement(campaign, step.line()).isEmpty()) {
        Optional<String> waiting = approve(campaign, step);
        if (waiting.isPresent()) {
          return new Result(campaign, null, waiting.get());
        }
      }
    }
    settleAll(campaign, plan);
    return new Result(campaign, close(campaign, plan), null);
  }

  private void settleAll(String campaign, Plan plan) {
    AtomicInteger done = new AtomicInteger();
    int total = plan.steps().size();
    progress.at("Campaign " + campaign, 0, total, "");
    int width = workspace.actions().width();
    // One at a time: on this thread and in the plan's order, so that a run can be repeated exactly.
    ExecutorService pool = width == 1 ? null : Executors.newFixedThreadPool(width);
    Executor threads = pool == null ? Runnable::run : pool;
    try {
      Map<String, CompletableFuture<Void>> settled = new HashMap<>();
      for (Plan.Step step : plan.steps()) { // parents come first
        CompletableFuture<?>[] above =
            workspace.declaration().line(step.line()).above().stream()
                .map(settled::get)
                .filter(Objects::nonNull)
                .toArray(CompletableFuture<?>[]::new);
        settled.put(
            step.line(),
            CompletableFuture.allOf(above)
                .thenRunAsync(
                    () -> {
                      if (settlement(campaign, step.line()).isEmpty()) {
                        settle(campaign, step);
                      }
                      progress.at(
                          "Campaign " + campaign, done.incrementAndGet(), total, step.line());
                    },
                    threads));
      }
      CompletableFuture.allOf(settled.values().toArray(CompletableFuture[]::new)).join();
    } catch (CompletionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof RuntimeException failure) {
        throw failure;
      }
      if (cause instanceof Error failure) {
        throw failure;
      }
      throw e;
    } finally {
      if (pool != null) {
        pool.shutdown();
      }
    }
  }

  private Fact.CampaignOutcome close(String campaign, Plan plan) {
    Map<String, Integer> summary = new TreeMap<>();
    Fact.CampaignOutcome outcome = Fact.CampaignOutcome.RELEASED;
    for (Plan.Step step : plan.steps()) {
      Fact.LineSettled settled = settlement(campaign, step.line()).orElseThrow();
      summary.merge(
          settled.settlement().name().toLowerCase(java.util.Locale.ROOT).replace('_', '-'),
          1,
          Integer::sum);
      if (settled.settlement() == Fact.Settlement.REJECTED) {
        outcome = Fact.CampaignOutcome.REJECTED;
      } else if (settled.settlement() == Fact.Settlement.HELD
          && outcome == Fact.CampaignOutcome.RELEASED) {
        outcome = Fact.CampaignOutcome.INCONCLUSIVE;
      }
    }
    append(
        List.of(new Fact.CampaignClosed(campaign, outcome, summary)),
        List.of(new Precondition.CampaignOpen(campaign)));
    return outcome;
  }

  /** Returns the decision point that waits, if any; a declined line is settled as held. */
  private Optional<String> approve(String campaign, Plan.Step step) {
    if (!step.approval()) {
      return Optional.empty();
    }
    String point = step.line();
    Optional<Fact.DecisionTaken> taken =
        state().decisions(campaign).stream()
            .map(Recorded::fact)
            .filter(d -> d.point().equals(point))
            .findFirst();
    if (taken.isEmpty()) {
      String question =
          String.format(
              java.util.Locale.ROOT,
              "%s: %s; ways %s, about %.0f to %.0f s",
              step.line(),
              step.why(),
              step.rungs(),
              step.seconds(),
              step.worstSeconds());
      Optional<Approver.Answer> answer = approver.ask(point, question);
      if (answer.isEmpty()) {
        return Optional.of(point);
      }
      Fact.DecisionTaken decision =
          new Fact.DecisionTaken(campaign, point, answer.get().approved(), answer.get().reason());
      append(List.of(decision), List.of(new Precondition.CampaignOpen(campaign)));
      taken = Optional.of(decision);
    }
    if (!taken.get().approved()) {
      settle(
          campaign,
          step.line(),
          Fact.Settlement.HELD,
          stable(step.line()),
          null,
          "declined: " + taken.get().reason(),
          List.of(),
          List.of());
    }
    return Optional.empty();
  }

  private void settle(String campaign, Plan.Step step) {
    Line line = workspace.declaration().line(step.line());
    VersionRef current = stable(step.line());
    VersionRef parent = line.parent() == null ? null : stable(line.parent());
    if (line.parent() != null && parent == null) {
      cutOff(campaign, step, current, line.parent() + " has no stable version to build on");
      return;
    }
    switch (step.cause()) {
      case ADOPT -> adopt(campaign, step, Objects.requireNonNull(step.adopt()), current);
      case LEARN -> learn(campaign, step, line, current, parent);
      case DECLARE ->
          attempt(
              campaign,
              step,
              current,
              parent,
              List.of(best -> assembling.declared(line, Objects.requireNonNull(parent))));
      case CARRY -> carry(campaign, step, line, Objects.requireNonNull(current), parent);
      case MERGE -> merge(campaign, step, line, current, Objects.requireNonNull(parent));
    }
  }

  private void merge(
      String campaign, Plan.Step step, Line line, @Nullable VersionRef current, VersionRef parent) {
    Merging merging = Objects.requireNonNull(line.merge());
    List<VersionRef> sources = new ArrayList<>();
    for (String from : merging.from()) {
      VersionRef source = stable(from);
      if (source == null) {
        cutOff(campaign, step, current, from + " has no stable version to merge from");
        return;
      }
      sources.add(source);
    }
    if (current != null
        && Planner.isMerged(
            state(),
            workspace.store(),
            state().version(current).orElseThrow().fact(),
            merging.method(),
            sources)) {
      cutOff(campaign, step, current, "what it is merged from stayed at " + sources);
      return;
    }
    attempt(
        campaign,
        step,
        current,
        parent,
        List.of(best -> assembling.merged(line, merging, parent, sources, progress)));
  }

  private void adopt(
      String campaign, Plan.Step step, VersionRef imported, @Nullable VersionRef current) {
    if (imported.equals(current)) {
      cutOff(campaign, step, current, imported + " is stable already");
      return;
    }
    Optional<String> undone =
        undone(campaign, step, state().version(imported).orElseThrow().fact().manifest());
    if (undone.isPresent()) {
      reject(campaign, step, current, List.of(), List.of(undone.get()));
      return;
    }
    Judge.Judged judged = judge.judge(imported, current, campaign, progress);
    if (judged.verdict().decision() == Decision.PASS) {
      release(campaign, imported, current, judged, null, Fact.Settlement.RELEASED);
    } else {
      reject(campaign, step, current, List.of(judged.verdict()), List.of());
    }
  }

  private void learn(
      String campaign,
      Plan.Step step,
      Line line,
      @Nullable VersionRef current,
      @Nullable VersionRef parent) {
    List<Digest> fresh = new ArrayList<>();
    for (String id : step.signals()) {
      Fact.SignalReceived signal = state().signal(id).orElseThrow().received().fact();
      if (signal.train() != null) {
        fresh.add(signal.train());
      }
    }
    attempt(campaign, step, current, parent, ways(step, line, current, parent, fresh));
  }

  /** The candidates of an update, by the mode that was chosen for it. */
  private List<Attempt> ways(
      Plan.Step step,
      Line line,
      @Nullable VersionRef current,
      @Nullable VersionRef parent,
      List<Digest> fresh) {
    Choice update = step.update();
    if (update != null && update.mode() == Mode.REBASE) {
      VersionRef from = Objects.requireNonNull(current);
      return List.of(best -> learning.rebase(line, from, parent, fresh, progress));
    }
    if (update != null && update.mode() == Mode.CONSOLIDATE) {
      VersionRef from = Objects.requireNonNull(current);
      VersionRef on = Objects.requireNonNull(parent);
      return List.of(best -> learning.learnConsolidated(line, from, on, fresh, update, progress));
    }
    return IntStream.range(0, learning.ends(line, update))
        .<Attempt>mapToObj(
            place -> best -> learning.learn(line, current, parent, fresh, place, update, progress))
        .toList();
  }

  private void carry(
      String campaign, Plan.Step step, Line line, VersionRef current, @Nullable VersionRef parent) {
    Fact.VersionRegistered now = state().version(current).orElseThrow().fact();
    if (parent == null || parent.equals(now.parent())) {
      cutOff(campaign, step, current, line.parent() + " stayed at " + now.parent());
      return;
    }
    if (now.kind() == VersionKind.APPLICATION && inherit(campaign, step, line, current, parent)) {
      return;
    }
    List<Attempt> attempts = new ArrayList<>();
    for (Rung rung : step.rungs()) {
      attempts.add(best -> carrying.carry(line, current, parent, rung, best, progress));
    }
    attempt(campaign, step, current, parent, attempts);
  }

  /**
   * Early cutoff. If the parent was kept by reuse and answered every item that its gate looked at
   * exactly as before, what is built on it is not run again: it inherits the parent's evidence.
   * Where its own suite asks for something else now, that says nothing of it.
   */
  private boolean inherit(
      String campaign, Plan.Step step, Line line, VersionRef current, VersionRef parent) {
    Fact.LineSettled above =
        settlement(campaign, Objects.requireNonNull(line.parent())).orElse(null);
    if (above == null || above.settlement() != Fact.Settlement.KEPT) {
      return false;
    }
    Recorded<Fact.VerdictReached> verdict =
        state().verdicts(parent).stream()
            .filter(v -> campaign.equals(v.fact().campaign()))
            .findFirst()
            .orElse(null);
    if (verdict == null) {
      return false;
    }
    Verdict parents = Json.read(workspace.store().bytes(verdict.fact().evidence()), Verdict.class);
    if (parents.flips() > 0 || parents.items() == 0 || judge.revised(current)) {
      return false;
    }
    try {
      Candidate candidate = carrying.carry(line, current, parent, Rung.REUSE, null, progress);
      if (undone(campaign, step, candidate.manifest().digest()).isPresent()) {
        return false;
      }
      VersionRef registered = register(campaign, step, current, parent, candidate);
      Judge.Judged judged =
          state().verdicts(registered).stream()
              .filter(v -> campaign.equals(v.fact().campaign()))
              .findFirst()
              .map(
                  v ->
                      new Judge.Judged(
                          Json.read(workspace.store().bytes(v.fact().evidence()), Verdict.class),
                          v.fact().evidence()))
              .orElseGet(
                  () ->
                      judge.record(
                          new Verdict(
                              registered,
                              current,
                              Decision.PASS,
                              String.format(
                                  "early cutoff: %s was kept and answered all %d items as before",
                                  parent, parents.items()),
                              List.of(),
                              List.of(),
                              new Verdict.Inherited(verdict.fact().evidence(), parents.items()),
                              null),
                          campaign));
      if (judged.verdict().decision() != Decision.PASS) {
        return false;
      }
      release(campaign, registered, current, judged, Rung.REUSE, Fact.Settlement.KEPT);
      return true;
    } catch (NotApplicableException e) {
      throw new IllegalStateException("reuse applies to every application", e);
    }
  }

  /** One way to a candidate. */
  @FunctionalInterface
  private interface Attempt {
    /**
     * @param best manifest of the best candidate so far, by mean score; none if there is none
     */
    Candidate make(@Nullable Digest best) throws NotApplicableException;
  }

  private void attempt(
      String campaign,
      Plan.Step step,
      @Nullable VersionRef current,
      @Nullable VersionRef parent,
      List<Attempt> attempts) {
    List<Verdict> verdicts = new ArrayList<>();
    List<String> obstacles = new ArrayList<>();
    @Nullable Digest best = null;
    double bestScore = -1;
    for (Attempt attempt : attempts) {
      Candidate candidate;
      try {
        candidate = attempt.make(best);
      } catch (NotApplicableException e) {
        LOG.info("{}: a rung does not apply: {}", step.line(), e.getMessage());
        obstacles.add(String.valueOf(e.getMessage()));
        continue;
      } catch (ActionFailedException e) {
        LOG.warn("{}: {}", step.line(), e.getMessage());
        obstacles.add(String.valueOf(e.getMessage()));
        continue;
      }
      String unchanged = unchanged(candidate, current);
      if (unchanged != null) {
        obstacles.add(unchanged);
        continue;
      }
      Optional<String> undone = undone(campaign, step, candidate.manifest().digest());
      if (undone.isPresent()) {
        obstacles.add(undone.get());
        continue;
      }
      VersionRef registered = register(campaign, step, current, parent, candidate);
      Judge.Judged judged;
      try {
        judged = judge.judge(registered, current, campaign, progress);
      } catch (ActionFailedException e) {
        // It does not run where it is, an adapter on other shapes for example. Another way may.
        LOG.info("{} cannot be judged: {}", registered, e.getMessage());
        obstacles.add(registered + " cannot be judged: " + e.getMessage());
        continue;
      }
      verdicts.add(judged.verdict());
      if (judged.verdict().decision() == Decision.PASS) {
        release(
            campaign,
            registered,
            current,
            judged,
            candidate.rung(),
            candidate.rung() == Rung.REUSE ? Fact.Settlement.KEPT : Fact.Settlement.RELEASED);
        return;
      }
      if (judged.verdict().score() > bestScore) {
        bestScore = judged.verdict().score();
        best = candidate.manifest().digest();
      }
    }
    reject(campaign, step, current, verdicts, obstacles);
  }

  /** Training that changed nothing is an error somewhere, not a release. */
  private @Nullable String unchanged(Candidate candidate, @Nullable VersionRef current) {
    if (candidate.action() == null || candidate.manifest().kind() == VersionKind.APPLICATION) {
      return null;
    }
    List<VersionRef> compared = new ArrayList<>();
    if (current != null) {
      compared.add(current);
    }
    compared.addAll(candidate.sources());
    Digest parent = candidate.manifest().parent();
    if (parent != null) {
      state().versionsByManifest(parent).stream()
          .map(v -> v.fact().version())
          .forEach(compared::add);
    }
    for (VersionRef ref : compared) {
      Manifest other =
          workspace.versions().manifest(state().version(ref).orElseThrow().fact().manifest());
      if (other.files().equals(candidate.manifest().files())) {
        return "the candidate is byte-identical to " + ref + ": nothing was learnt";
      }
    }
    return null;
  }

  /**
   * Why these very files must not be released: somebody has taken them back, and no signal of the
   * campaign for the line, or for what it is built on, has arrived since. A verdict or a candidate
   * from before a rollback is no reason to undo it.
   */
  private Optional<String> undone(String campaign, Plan.Step step, Digest manifest) {
    Recorded<Fact.ChannelMoved> rollback = null;
    for (Recorded<Fact.ChannelMoved> move : state().channelHistory(step.line(), Channel.STABLE)) {
      boolean back = move.fact().movement() == Fact.Movement.ROLLBACK;
      VersionRef moved = back ? move.fact().from() : move.fact().to();
      if (moved != null
          && state().version(moved).orElseThrow().fact().manifest().equals(manifest)) {
        rollback = back ? move : null; // a release after it was somebody's will
      }
    }
    if (rollback == null) {
      return Optional.empty();
    }
    Set<String> lineage = new HashSet<>();
    Deque<String> above = new ArrayDeque<>(List.of(step.line()));
    while (!above.isEmpty()) {
      String line = above.remove();
      if (lineage.add(line)) {
        above.addAll(workspace.declaration().line(line).above());
      }
    }
    for (String id : state().campaign(campaign).orElseThrow().opened().fact().signals()) {
      Recorded<Fact.SignalReceived> signal = state().signal(id).orElseThrow().received();
      if (lineage.contains(signal.fact().line()) && signal.index() > rollback.index()) {
        return Optional.empty();
      }
    }
    return Optional.of(
        String.format(
            "this is what %s was when it was rolled back (%s); to have it back, release it by hand",
            rollback.fact().from(), rollback.fact().reason()));
  }

  private VersionRef register(
      String campaign,
      Plan.Step step,
      @Nullable VersionRef current,
      @Nullable VersionRef parent,
      Candidate candidate) {
    LedgerState state = state();
    Digest manifest = candidate.manifest().digest();
    for (Recorded<Fact.VersionRegistered> version : state.versions(step.line())) {
      if (version.fact().manifest().equals(manifest)
          && campaign.equals(version.fact().campaign())) {
        return version.fact().version();
      }
    }
    int number = state.nextVersionNumber(step.line());
    VersionRef ref = new VersionRef(step.line(), number);
    VersionRef before = state.channel(step.line(), Channel.CANDIDATE).orElse(null);
    List<Precondition> preconditions = new ArrayList<>();
    preconditions.add(new Precondition.CampaignOpen(campaign));
    preconditions.add(new Precondition.NextVersionNumber(step.line(), number));
    preconditions.add(new Precondition.ChannelAt(step.line(), Channel.CANDIDATE, before));
    if (parent != null) {
      // What it was made on; somebody may have rolled the parent back meanwhile.
      preconditions.add(new Precondition.ChannelAt(parent.line(), Channel.STABLE, parent));
    }
    for (VersionRef source : candidate.sources()) {
      preconditions.add(new Precondition.ChannelAt(source.line(), Channel.STABLE, source));
    }
    append(
        List.of(
            new Fact.VersionRegistered(
                ref,
                manifest,
                candidate.manifest().kind(),
                parent,
                current,
                candidate.rung(),
                candidate.action(),
                campaign,
                candidate.data(),
                candidate.sources(),
                candidate.note()),
            new Fact.ChannelMoved(
                step.line(),
                Channel.CANDIDATE,
                before,
                ref,
                Fact.Movement.CANDIDATE,
                null,
                "made by " + campaign)),
        preconditions);
    return ref;
  }

  /** Moves the channels up to the last stage of the policy, and settles the line, in one go. */
  private void release(
      String campaign,
      VersionRef ref,
      @Nullable VersionRef current,
      Judge.Judged judged,
      @Nullable Rung rung,
      Fact.Settlement settlement) {
    List<Fact> facts = new ArrayList<>();
    List<Precondition> preconditions = new ArrayList<>();
    for (Channel stage : workspace.declaration().policy().stages()) {
      if (stage == Channel.CANDIDATE) {
        continue;
      }
      VersionRef from = state().channel(ref.line(), stage).orElse(null);
      facts.add(
          new Fact.ChannelMoved(
              ref.line(),
              stage,
              from,
              ref,
              Fact.Movement.RELEASE,
              judged.evidence(),
              judged.verdict().reason()));
      preconditions.add(new Precondition.ChannelAt(ref.line(), stage, from));
    }
    VersionRef stable =
        workspace.declaration().policy().stages().contains(Channel.STABLE) ? ref : current;
    settle(
        campaign,
        ref.line(),
        settlement,
        stable,
        rung,
        judged.verdict().reason(),
        facts,
        preconditions);
  }

  private void reject(
      String campaign,
      Plan.Step step,
      @Nullable VersionRef current,
      List<Verdict> verdicts,
      List<String> obstacles) {
    boolean open =
        verdicts.isEmpty()
            || verdicts.stream().anyMatch(v -> v.decision() == Decision.INCONCLUSIVE);
    List<String> reasons = new ArrayList<>();
    verdicts.forEach(v -> reasons.add(v.candidate() + ": " + v.reason()));
    reasons.addAll(obstacles);
    settle(
        campaign,
        step.line(),
        open ? Fact.Settlement.HELD : Fact.Settlement.REJECTED,
        current,
        null,
        String.join("; ", reasons),
        List.of(),
        List.of());
  }

  private void cutOff(
      String campaign, Plan.Step step, @Nullable VersionRef current, String reason) {
    settle(
        campaign,
        step.line(),
        Fact.Settlement.CUT_OFF,
        current,
        null,
        reason,
        List.of(),
        List.of());
  }

  private void settle(
      String campaign,
      String line,
      Fact.Settlement settlement,
      @Nullable VersionRef version,
      @Nullable Rung rung,
      String reason,
      List<Fact> before,
      List<Precondition> preconditions) {
    List<Fact> facts = new ArrayList<>(before);
    facts.add(new Fact.LineSettled(campaign, line, settlement, version, rung, reason));
    List<Precondition> all = new ArrayList<>(preconditions);
    all.add(new Precondition.LineUnsettled(campaign, line));
    if (before.stream()
        .noneMatch(f -> f instanceof Fact.ChannelMoved m && m.channel() == Channel.STABLE)) {
      all.add(new Precondition.ChannelAt(line, Channel.STABLE, version));
    }
    append(facts, all);
  }

  private Optional<Fact.LineSettled> settlement(String campaign, String line) {
    return state().settlements(campaign).stream()
        .map(Recorded::fact)
        .filter(s -> s.line().equals(line))
        .findFirst();
  }

  private @Nullable VersionRef stable(String line) {
    return state().channel(line, Channel.STABLE).orElse(null);
  }

  private LedgerState state() {
    return workspace.ledger().state();
  }

  private void append(List<? extends Fact> facts, List<? extends Precondition> preconditions) {
    workspace.ledger().append(workspace.actor(), facts, preconditions);
  }
}
